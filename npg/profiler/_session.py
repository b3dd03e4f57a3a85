"""One recording, and its results."""

from __future__ import annotations

import socket
from typing import Any

from npg.profiler._events import EventList
from npg.profiler._recorder import Options, Recorder
from npg.profiler._trace import write_trace


class Session:
    """A recorder and its events; each start begins a new recording."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.events = EventList()
        self._recorder: Recorder | None = None
        self._running = False

    def start(self) -> None:
        """Start a recording. Raises: RuntimeError: when a profiler is already recording."""
        recorder = Recorder(self.options)
        recorder.start()
        self._recorder, self._running = recorder, True

    def stop(self) -> None:
        """End the recording, if there is one."""
        if self._recorder is not None and self._running:
            self._running = False
            self.events = self._recorder.stop()

    def export_chrome_trace(self, path: str, metadata: dict[str, Any] | None = None) -> None:
        """Write the events as a Chrome trace, gzipped when the path ends in .gz.

        Args:
            metadata: further entries of the trace.
        Raises: RuntimeError: when nothing has been recorded.
        """
        if self._recorder is None or self._running:
            raise RuntimeError("Profiler didn't finish running; stop it before exporting its trace")
        flags = {name: 1 for name, on in self.options._asdict().items() if on}
        # A time in the trace plus this is the time since 1970.
        about = {"host_name": socket.gethostname(), "baseTimeNanoseconds": self._recorder.epoch}
        write_trace(self.events, path, {**flags, **about, **(metadata or {})})

    def export_stacks(self, path: str, metric: str) -> None:
        """Write stacks and times for flame graphs; see EventList.export_stacks.

        Raises: AssertionError: without with_stack.
        """
        if not self.options.with_stack:
            raise AssertionError("export_stacks() requires with_stack=True")
        self.events.export_stacks(path, metric)
