"""The old form of npg.amp.GradScaler("cuda"). Source: torch.cuda.amp.grad_scaler."""

from npg.amp._old_forms import OldGradScaler


class GradScaler(OldGradScaler):
    """The old form of npg.amp.GradScaler("cuda"): it warns of that, and does the same."""

    _kind = "cuda"


__all__ = ["GradScaler"]
