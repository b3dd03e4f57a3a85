"""What the works are held to: ratios of npg to another contender."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One row of the table.

    Attributes:
        title: what is done.
        works: what each contender does, by its name in WORKS.
        must, aim: the ratio npg/other that it must reach, and should.
        contenders: npg's process and the other.
        memory: the ratio is that of peak resident memory, not of time.
        inverse: the ratio is other/npg, how many times npg is faster, and shall be at least this.
    """

    title: str
    works: tuple[str, str]
    must: float
    aim: float
    contenders: tuple[str, str] = ("cython", "torch")
    memory: bool = False
    inverse: bool = False

    def holds(self, ratio: float, bound: float) -> bool:
        """Tell whether a measured ratio is as good as a bound."""
        return ratio >= bound if self.inverse else ratio <= bound


def _both(work: str) -> tuple[str, str]:
    return work, work


WANTED = (
    Wanted("nanoGPT iteration", _both("nanogpt"), 1.00, 0.85),
    Wanted("peak resident memory of the same process", _both("nanogpt"), 0.50, 0.35, memory=True),
    Wanted("nanoGPT, 256 wide, 6 layers, block 128, batch 8", _both("wide_nanogpt"), 1.05, 0.90),
    Wanted("chain of 1,000 on (4, 4), forward and backward", _both("chain"), 0.30, 0.20),
    Wanted("the same against bare NumPy, forward only", ("chain", "numpy_chain"), 2.2, 1.7, ("cython", "numpy")),
    Wanted("digits MLP 64-128-10, batch 32, AdamW, one step", _both("digits"), 0.60, 0.40),
    Wanted("char LSTM, hidden 128, 64 steps, batch 16, one step", _both("lstm"), 0.80, 0.60),
    Wanted("generate 200 characters, nanoGPT, batch 1", _both("generate"), 0.80, 0.50),
    Wanted("Python engine / Cython engine: the chain", _both("chain"), 3, 6, ("cython", "python"), inverse=True),
    Wanted(
        "Python engine / Cython engine: nanoGPT, 16 wide, block 8, batch 4",
        _both("tiny_nanogpt"),
        1.5,
        2,
        ("cython", "python"),
        inverse=True,
    ),
)
