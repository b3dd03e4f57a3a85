"""How long ranks wait for each other unless told otherwise. Source: torch.distributed.constants."""

from datetime import timedelta

__all__ = ["default_pg_timeout"]

default_pg_timeout = timedelta(minutes=30)
