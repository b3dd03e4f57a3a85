"""Fixtures of this folder."""

import pytest

from npg.ops import _parallel


@pytest.fixture
def threads_noted(monkeypatch):
    """A list of what happened to the threads that kernels share, of which there are two."""
    noted = []

    class Lock:
        def acquire(self, blocking):
            assert blocking is False
            noted.append("taken")
            return True

        def release(self):
            noted.append("given back")

    monkeypatch.setattr(_parallel._pool, "busy", Lock())
    monkeypatch.setattr(_parallel._pool, "is_free", True)
    monkeypatch.setattr(_parallel._pool, "limit", 2)
    return noted
