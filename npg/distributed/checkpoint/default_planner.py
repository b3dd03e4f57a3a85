"""Names that libraries look for, and that refuse. Source: torch.distributed.checkpoint.default_planner."""

from npg._refusal import refusing_class
from npg.distributed.checkpoint import TEXT

DefaultLoadPlanner = refusing_class("DefaultLoadPlanner", __name__, RuntimeError, TEXT)
DefaultSavePlanner = refusing_class("DefaultSavePlanner", __name__, RuntimeError, TEXT)
