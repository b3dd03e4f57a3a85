"""The old form of npg.amp.GradScaler("cpu"). Source: torch.cpu.amp.grad_scaler."""

from npg.amp._old_forms import OldGradScaler


class GradScaler(OldGradScaler):
    """The old form of npg.amp.GradScaler("cpu"): it warns of that, and does the same."""

    _kind = "cpu"


__all__ = ["GradScaler"]
