"""A better memory allocator for the programs that train a model.

Training asks for and gives back many blocks of about a megabyte. glibc's own allocator leaves gaps
between them that it never hands back: measured while the chatbot trains in float32, 2.06 GB at the peak
against 1.70 GB with mimalloc, and 0.7 GB less kept afterwards. mimalloc is C only, so it goes
together with any Python; tcmalloc and jemalloc bring a C++ library that conda's PyTorch may not like.
"""

from __future__ import annotations

import ctypes.util
import os
import sys
from collections.abc import Mapping

PRELOAD = "LD_PRELOAD"
LIBRARY = "mimalloc"  # Debian and Ubuntu: apt install libmimalloc-dev


def variables(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Environment variables that give a program mimalloc, where Linux has it installed; else {}.

    What ``LD_PRELOAD`` in ``given`` names already stays, and comes first.
    """
    if not sys.platform.startswith("linux"):
        return {}
    library = ctypes.util.find_library(LIBRARY)
    if library is None:
        return {}
    before = given.get(PRELOAD, "").replace(":", " ").split()
    return {PRELOAD: " ".join(dict.fromkeys([*before, library]))}
