"""``make bench``: measure the slow things anew. ``make bench ARGS=training_speed`` for one of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BENCHES = ("training_speed", "adapter", "evaluation", "speed")


def run(words: Sequence[str], known: Sequence[str]) -> int:
    """Run the named scripts of this folder, or all that are known, one after the other."""
    options = [word for word in words if word.startswith("-")]
    chosen = [word for word in words if word not in options] or list(known)
    if unknown := set(chosen) - set(known):
        print(f"There is no {', '.join(sorted(unknown))}. There are: {', '.join(known)}.")
        return 2
    folder = Path(__file__).parent
    for name in chosen:
        print(f"== {name}", flush=True)
        if code := subprocess.run([sys.executable, folder / f"{name}.py", *options]).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], BENCHES))
