"""The old name of npg.hub's loading of weights. Source: torch.utils.model_zoo."""

from npg.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]
