"""torch.nn.functional: what npg has of it, and nothing else. Where a function stands, npg/functional/nn says."""

from npg.functional.nn import *  # noqa: F403
