"""Train the demo's GPT in npg and its twin in PyTorch with one seed, and print how far their losses lie apart.

    python tests/demo/compare_with_torch.py --iters 200
    python tests/demo/compare_with_torch.py --iters 200 --input=FILE --n_layer=2     any key of train.py

Exit status 1 when the largest relative difference exceeds --tolerance.
"""

import argparse
import contextlib
import io
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent), str(HERE.parent.parent / "demo" / "nanogpt")]

import train  # noqa: E402
import twin_torch  # noqa: E402
from config import TrainConfig, one_line, parse  # noqa: E402
from data import prepare  # noqa: E402
from dataset import Dataset  # noqa: E402
from progress import read_curve  # noqa: E402


def compare(arguments, iterations):
    """Train both.

    Returns: npg's and PyTorch's (training losses, validation losses); npg's come from loss.csv of a run of train.py.
    """
    with tempfile.TemporaryDirectory() as out_dir:
        own = [f"--out_dir={out_dir}", f"--max_iters={iterations}", "--sample_tokens=0"]
        config, given = parse(TrainConfig, [*arguments, *own], "compare_with_torch.py")
        with contextlib.redirect_stdout(io.StringIO()):
            train.train(config, given)
        rows = read_curve(Path(out_dir) / "loss.csv")
    ours = tuple([float(row[column]) for row in rows if row[column]] for column in ("train_loss", "eval_val_loss"))
    data = Dataset(prepare.folder(config.dataset))
    return ours, twin_torch.train(config, data.path, data.vocab_size, iterations)


def largest_difference(ours, theirs):
    """Return (the largest relative difference, the iteration where it is)."""
    return max((abs(a - b) / abs(b), i) for i, (a, b) in enumerate(zip(ours, theirs, strict=True)))


def main():
    parser = argparse.ArgumentParser(description="other arguments are train.py's --key=value", allow_abbrev=False)
    parser.add_argument("--iters", type=int, default=200)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    options, rest = parser.parse_known_args()
    (ours, our_val), (theirs, their_val) = compare(rest, options.iters)
    for i in range(0, options.iters, max(1, options.iters // 10)):
        print(f"iter {i:5}: npg {ours[i]:.6f}, PyTorch {theirs[i]:.6f}")
    largest, where = largest_difference(ours, theirs)
    print(f"val loss at the end: npg {our_val[-1]:.4f}, PyTorch {their_val[-1]:.4f}")
    print(f"{options.iters} losses, largest relative difference {largest:.2e}, at iteration {where}")
    sys.exit(largest > options.tolerance)


if __name__ == "__main__":
    with one_line("compare_with_torch.py"):
        main()
