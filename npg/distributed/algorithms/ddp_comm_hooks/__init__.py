"""Other ways to average the gradients of a bucket. Source: torch.distributed.algorithms.ddp_comm_hooks."""

from npg.distributed.algorithms.ddp_comm_hooks import default_hooks as default_hooks

__all__ = ["default_hooks"]
