"""The old name of npg.hub's loading of weights. Source: torch.utils.model_zoo."""

from typing import TYPE_CHECKING

from npg import _lazy
from npg.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]

if not TYPE_CHECKING:
    __getattr__ = _lazy.loader(__name__, {"tqdm": "npg.hub"})
