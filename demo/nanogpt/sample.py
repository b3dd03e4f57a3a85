"""Continue a prompt with a checkpoint of train.py.

python demo/nanogpt/sample.py --start="ROMEO:" --num_samples=2 --max_new_tokens=300
python demo/nanogpt/sample.py --start=FILE:prompt.txt --temperature=0.5 --top_k=10
"""

import sys
from pathlib import Path

import checkpoint
import npg
from config import DemoError, SampleConfig, check_sampling, parse
from dataset import decode, encode


def sample(config):
    """Return num_samples texts, each the prompt and its continuation.

    Args:
        config: a SampleConfig.
    Raises: DemoError: when the checkpoint cannot be used or the prompt has characters that its vocabulary lacks.
    """
    check_sampling(config)
    stored = checkpoint.Checkpoint(checkpoint.find(config.out_dir, config.checkpoint))
    prompt = config.start
    if prompt.startswith("FILE:"):
        try:
            prompt = Path(prompt.removeprefix("FILE:")).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DemoError(f"--start: cannot read {prompt.removeprefix('FILE:')} ({error})") from error
        if not prompt:
            raise DemoError(f"--start: expected a prompt of at least one character, got the empty {config.start!r}")
    tokens = encode(prompt, stored.vocabulary)
    model = stored.model()
    model.eval()
    npg.manual_seed(config.seed)
    idx = npg.tensor([tokens])  # (1, T)
    for _ in range(config.num_samples):
        out = model.generate(idx, config.max_new_tokens, config.temperature, config.top_k or None)  # (1, T + new)
        yield decode(out[0].tolist(), stored.vocabulary)


def main(arguments=None):
    """Run the command line; a mistake in it ends in one line on standard error."""
    try:
        config, _ = parse(SampleConfig, sys.argv[1:] if arguments is None else arguments, "sample.py")
        for text in sample(config):
            print(text, "-" * 20, sep="\n", flush=True)
    except DemoError as error:
        sys.exit(f"sample.py: error: {error}")


if __name__ == "__main__":
    main()
