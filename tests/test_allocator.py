"""The memory allocator that kernels get on Linux, where it is installed."""

import ctypes.util
import os
import subprocess
import sys

import pytest
from osai import allocator

LIBRARY = ctypes.util.find_library(allocator.LIBRARY)
needs_it = pytest.mark.skipif(
    LIBRARY is None or not sys.platform.startswith("linux"),
    reason="mimalloc is not installed (Debian, Ubuntu: apt install libmimalloc-dev)",
)


@needs_it
def test_a_program_really_runs_with_it():
    code = "print('mimalloc' in open('/proc/self/maps').read())"
    environment = os.environ | allocator.variables()
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, encoding="utf-8"
    )
    assert (done.stdout.strip(), done.stderr) == ("True", "")


@needs_it
def test_what_is_preloaded_already_stays_first_and_nothing_comes_twice():
    once = allocator.variables({allocator.PRELOAD: "libfirst.so:libsecond.so"})
    assert once[allocator.PRELOAD].split() == ["libfirst.so", "libsecond.so", LIBRARY]
    assert allocator.variables(once) == once


@pytest.mark.parametrize(("platform", "library"), [("win32", "x.dll"), ("linux", None)])
def test_elsewhere_nothing_changes(monkeypatch, platform, library):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: library)
    assert allocator.variables({}) == {}
