"""Settings of PyTorch's backward pass that change nothing in npg's. Source: torch.autograd.grad_mode."""

from __future__ import annotations

import threading

from npg.engine import Block


class _State(threading.local):
    multithreading = True


_state = _State()


def is_multithreading_enabled() -> bool:
    """Tell what set_multithreading_enabled has set in this thread; npg's backward runs in the thread that calls it."""
    return _state.multithreading


def is_view_replay_enabled() -> bool:
    """Return False: views are never replayed."""
    return False


class set_multithreading_enabled(Block):
    """Set what is_multithreading_enabled tells, at once and until the end of a block; npg's backward is not changed."""

    def __init__(self, mode: bool) -> None:
        self.prev, self.mode = _state.multithreading, mode
        _state.multithreading = mode

    def _places(self) -> tuple[tuple[object, str, bool], ...]:
        _state.multithreading = self.prev  # which the end of the block brings back
        return ((_state, "multithreading", self.mode),)

    def _entered(self) -> None:
        return None
