"""How much memory a process and all it starts need at their peak."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType

import psutil


class MemoryWatch:
    """Sample the memory of a process tree in the background; `peak_mb` is the largest sum seen.

    Counted is the proportional set size (PSS): pages shared by several processes are counted
    once in all. Where the system has none (macOS, Windows) it is the unique set size (USS), which
    leaves shared pages out. Sampling every `interval` seconds can miss a shorter peak.

        with MemoryWatch(pid) as watch:
            ...
        watch.peak_mb
    """

    def __init__(self, pid: int, interval: float = 0.1) -> None:
        self.peak_mb = 0.0
        self._process = psutil.Process(pid)
        self._interval = interval
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.peak_mb = max(self.peak_mb, _tree_mb(self._process))
            if self._stopped.wait(self._interval):
                return


def _tree_mb(process: psutil.Process) -> float:
    total = 0
    with contextlib.suppress(psutil.Error):  # gone, or a zombie
        for part in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                used = part.memory_full_info()
                total += getattr(used, "pss", 0) or used.uss
    return total / 1e6
