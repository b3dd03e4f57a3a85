"""What is known of public libraries on npg: how their own tests are run, what is left out, and where they stop.

Read by tools/libraries.py and by the tests beside it; programs/ has a program of ours for each library.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent


class Library(NamedTuple):
    """A library: its package, its own tests, and what of them is expected.

    Attributes:
        package: what is imported.
        tests: the package of its own tests, None where the wheel has none.
        files: files of tests that are left out, and what they need.
        names: parts of the names of tests that are left out, and what they need.
        known: tests that fail, and why.
        passed: how many pass at least, with all libraries of pins.txt and no other.
        settings: variables of the environment.
        every: of how many tests one is run by --quick.
        wall: the name of torch at which our program stops, "" where it runs.
    """

    package: str
    tests: str | None = None
    files: dict[str, str] = {}
    names: dict[str, str] = {}
    known: dict[str, str] = {}
    passed: int = 0
    settings: dict[str, str] = {}
    every: int = 1
    wall: str = ""


_WHEEL = "files that are not in the wheel"
_NETWORK = "the network"
LIBRARIES = {
    "einops": Library(
        "einops",
        "einops.tests",
        names={"test_notebook": "notebooks"},
        passed=62,
        settings={"EINOPS_TEST_BACKENDS": "numpy,torch"},
    ),
    "opt_einsum": Library("opt_einsum", "opt_einsum.tests", passed=7700, every=20),
    "skorch": Library(
        "skorch",
        "skorch.tests",
        files={
            "test_cli.py": "fire",
            "test_history.py": "torch.distributed",
            "test_probabilistic.py": "gpytorch",
            "llm": _NETWORK,
        },
        names={
            "test_sparse_tensor": "sparse tensors",
            "HuggingfacePretrained": _NETWORK,
            "transformers_tokenizer": _NETWORK,
            "NetWithTokenizers": _NETWORK,
            "test_pickle_load": _WHEEL,
            "test_load_cuda_params_to_cpu": _WHEEL,
        },
        known={
            "test_torch_load_kwargs_forwarded_to_torch_load_unpickle": (
                "it expects that a pickle of a tensor is read by torch.load; npg's pickles hold arrays"
            ),
        },
        passed=1240,
        settings={"HF_HUB_OFFLINE": "1"},
        every=4,
    ),
    "torchdiffeq": Library("torchdiffeq"),
    "torchinfo": Library("torchinfo"),
    "torchmetrics": Library("torchmetrics"),
    "torchvision": Library("torchvision"),
    "transformers": Library("transformers"),
    # Those of beyond.txt.
    "timm": Library("timm"),
    "pytorch-lightning": Library("pytorch_lightning"),
    "pyro-ppl": Library("pyro", wall="transform_to"),
    "gpytorch": Library("gpytorch", wall="fft"),
}


def pins(file: str = "pins.txt") -> dict[str, str]:
    """Return the releases of a file of requirements."""
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    return dict(line.strip().split("==") for line in lines if "==" in line and line[0] != "#")


def program(library: str) -> Path:
    """Return our program for a library."""
    return HERE / "programs" / f"{LIBRARIES[library].package}_program.py"
