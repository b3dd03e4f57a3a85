"""The version of npg, defined only here; pyproject.toml reads it without importing npg."""

__version__ = "0.1.0"
