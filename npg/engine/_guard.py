"""The lock of what threads of a process share: gradients that are added up, the count of vmaps, the profiler.

A fork waits for it, so that the child finds no half-written gradient and no lock that nobody will give back. It is one
for all, and taken before those of the random generators (the handler that is registered last runs first before a fork):
what runs under it may draw.
"""

from __future__ import annotations

import os
import threading

import npg.random  # noqa: F401  (its handlers are registered before)

guard = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=guard.acquire, after_in_parent=guard.release, after_in_child=guard.release)
