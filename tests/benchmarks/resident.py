"""The peak of resident memory of one piece of work, over what was resident before it began.

Linux only. A process sets its high-water mark back by writing 5 to /proc/self/clear_refs, and reads it as VmHWM.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

LONGEST = 120  # seconds of processor time that a child may take


def _status(key: str) -> int:
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) << 10


def peak(step: Callable[[], Any]) -> int:
    """Return the bytes by which a step raises the process's resident memory at its highest."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # memory that is kept though it is free would hide what the step takes
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    result = step()
    found = _status("VmHWM") - before
    del result
    return found


def in_child(function: Callable[..., Any], *args: Any) -> Any:
    """Return what function(*args) gives in a forked process, as JSON does; the text of what it raises."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.setitimer(signal.ITIMER_PROF, LONGEST)
            text = json.dumps(function(*args))
        except BaseException as error:
            text = json.dumps(f"{type(error).__name__}: {error}")
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    parts = []
    while part := os.read(read, 1 << 16):
        parts.append(part)
    os.close(read)
    os.waitpid(child, 0)
    return json.loads(b"".join(parts)) if parts else "died"
