"""What the demo's tests share: its folder on the path, a small dataset, a small model."""

import functools
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "demo"
for folder in (
    HERE,
    DEMO,
    DEMO / "charrnn",
    DEMO / "mnist",
    DEMO / "translate",
    DEMO / "nanogpt",
):  # the last goes first: its train.py is `train`
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

TEXT = "".join(f"{i} fleas on {i * 7 % 31} dogs; {chr(97 + i % 26)}?\n" for i in range(120))


@pytest.fixture
def text_file(tmp_path):
    """A text of about 2,000 characters in a file."""
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def small_run(folder, text_file, **keys):
    """Return the command line of a small run in a folder; keys override, None drops one."""
    small = {
        "input": text_file,
        "dataset": folder / "data",
        "out_dir": folder / "out",
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


@pytest.fixture
def arguments(tmp_path, text_file):
    """Return small_run for this test's folder: `arguments(max_iters=3, ...)`."""
    return functools.partial(small_run, tmp_path, text_file)


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


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The out_dir of one finished run of 8 iterations; not to be changed."""
    import train
    from config import TrainConfig, parse

    folder = tmp_path_factory.mktemp("finished")
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    config, given = parse(TrainConfig, small_run(folder, folder / "text.txt"), "train.py")
    train.train(config, given)
    return folder / "out"


@pytest.fixture
def trained(finished_run, tmp_path):
    """A copy of it in tmp_path / "out", to resume, damage or sample from."""
    return Path(shutil.copytree(finished_run, tmp_path / "out"))
