"""Warnings of PyTorch 0.1 about code that came to mean another thing. Source: torch.utils.backcompat."""


class Warning:
    """A warning that may be asked for with `enabled = True`; npg has never had what it warned of."""

    enabled = False


broadcast_warning, keepdim_warning = Warning(), Warning()
