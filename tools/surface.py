"""Print which of torch's names that programs use npg lacks, by tier or by module, and how many programs use each.

python tools/surface.py names.tsv ...    tables with a header line: a name and a count, or a name, a tier and a count

A name is torch's, with or without `torch.`; SHORT has the abbreviations of the tables. What npg has is asked under the
name torch, as a program asks.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SHORT = {
    "T": "Tensor", "F": "nn.functional", "init": "nn.init", "data": "utils.data", "Module": "nn.Module",
    "Optimizer": "optim.Optimizer", "LRScheduler": "optim.lr_scheduler.LRScheduler",
    "lr_scheduler": "optim.lr_scheduler", "Distribution": "distributions.Distribution",
}  # fmt: skip
# Attributes of instances, which the classes do not have: they are asked of an instance.
EXAMPLES = {
    "Module": lambda torch: (torch.nn.Linear(1, 1), torch.nn.Sequential()),
    "Optimizer": lambda torch: (torch.optim.SGD([torch.ones(1)]),),
}


class Line(NamedTuple):
    """A name of a table, the tier that it stands in, and the number of programs that use it."""

    name: str
    tier: str
    programs: int


def lines(path: Path) -> Iterator[Line]:
    """Yield the names of a table; comments and the header are left out."""
    for text in path.read_text(encoding="utf-8").splitlines():
        name, *rest = text.split("\t")
        if text.startswith("#") or not rest or not rest[-1].isdigit():
            continue
        yield Line(name, rest[0] if len(rest) == 2 else name.rpartition(".")[0], int(rest[-1]))


def found(name: str, torch: Any) -> bool:
    """Tell whether a name can be reached by attributes and imports."""
    first, _, rest = name.removeprefix("torch.").replace("dtype:", "").partition(".")
    if first in EXAMPLES and any(hasattr(example, rest) for example in EXAMPLES[first](torch)):
        return True
    value, path = torch, "torch"
    for part in f"{SHORT.get(first, first)}.{rest}".strip(".").split("."):
        path += "." + part
        try:
            value = getattr(value, part)
        except AttributeError:
            try:
                value = import_module(path)
            except ImportError:
                return False
    return True


def main() -> int:
    """Print the names that are lacking, and in the end how many of all there are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    tables = parser.parse_args().tables
    warnings.simplefilter("ignore")
    import npg.as_torch  # noqa: F401

    torch = import_module("torch")
    for path in tables:
        every = list(lines(path))
        lacking: dict[str, list[Line]] = {}
        for line in every:
            if not found(line.name, torch):
                lacking.setdefault(line.tier, []).append(line)
        for tier, some in sorted(lacking.items()):
            used = sorted(some, key=lambda line: (-line.programs, line.name))
            names = (f"{x.name}:{x.programs}" if x.programs else x.name for x in used)
            print(f"{tier} ({len(some)}): {' '.join(names)}")
        missing = sum(map(len, lacking.values()))
        print(f"{path.name}: {len(every) - missing} of {len(every)} names are there, {missing} are not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
