"""Intel's MKL, which npg does not call by itself: NumPy may, for its BLAS. Source: torch.backends.mkl."""

from __future__ import annotations

VERBOSE_OFF, VERBOSE_ON = 0, 1


def is_available() -> bool:
    """Return False: npg computes with NumPy and its BLAS."""
    return False


class verbose:
    """A block in which MKL would print what it does; npg calls none, so it prints nothing."""

    def __init__(self, enable: int) -> None:
        self.enable = enable

    def __enter__(self) -> verbose | None:
        return None if self.enable == VERBOSE_OFF else self

    def __exit__(self, *exc: object) -> None:
        pass
