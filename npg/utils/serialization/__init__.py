"""How npg.save and npg.load work where a call does not say it."""

from npg.utils.serialization import config as config

__all__ = ["config"]
