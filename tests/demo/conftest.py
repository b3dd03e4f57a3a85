"""What the demo's tests share: its folder on the path, a small dataset, a small model."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "demo"
for folder in (HERE, DEMO, DEMO / "nanogpt"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

TEXT = "".join(f"{i} fleas on {i * 7 % 31} dogs; {chr(97 + i % 26)}?\n" for i in range(120))


@pytest.fixture
def text_file(tmp_path):
    """A text of about 2,000 characters in a file."""
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def arguments(tmp_path, text_file):
    """Return the command line of a small run: `arguments(max_iters=3, ...)` overrides keys, None drops one."""

    def build(**keys):
        small = {
            "input": text_file,
            "dataset": tmp_path / "data",
            "out_dir": tmp_path / "out",
            "n_layer": 2,
            "n_head": 2,
            "n_embd": 16,
            "block_size": 8,
            "batch_size": 4,
            "eval_iters": 2,
            "eval_interval": 4,
            "warmup_iters": 2,
            "max_iters": 8,
            "lr_decay_iters": 8,
            "sample_tokens": 0,
            **keys,
        }
        return [f"--{key}={value}" for key, value in small.items() if value is not None]

    return build


@pytest.fixture
def run(arguments):
    """Return a function that runs train.train with such a command line and returns the rows of its loss curve."""
    import train
    from config import TrainConfig, parse
    from progress import read_curve

    def go(**keys):
        config, given = parse(TrainConfig, arguments(**keys), "train.py")
        train.train(config, given)
        return read_curve(Path(config.out_dir) / "loss.csv")

    return go
