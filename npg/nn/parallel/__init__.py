"""Modules on several devices, of which npg has one. Source: torch.nn.parallel."""

from npg.nn.parallel.data_parallel import DataParallel as DataParallel
from npg.nn.parallel.distributed import DistributedDataParallel as DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel"]
