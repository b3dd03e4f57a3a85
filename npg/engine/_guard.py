"""The lock of what threads of a process share: the accumulation of gradients, the count of vmaps, the profiler.

A fork waits for it, so that the child finds no half-written gradient and no lock that is never released. There is one
lock for all, taken before those of the random generators (the handler that is registered last runs first before a
fork), because code under it may draw random numbers.
"""

from __future__ import annotations

import os
import threading

import npg.random  # noqa: F401  (registers its handlers first)

guard = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=guard.acquire, after_in_parent=guard.release, after_in_child=guard.release)
