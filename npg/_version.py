"""The version of npg: stands here and nowhere else; pyproject.toml reads it without importing npg."""

__version__ = "0.1.0"
