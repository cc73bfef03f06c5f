"""``make bench``: measure the slow things anew. ``make bench ARGS=training_speed`` for one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHES = ("training_speed", "adapter", "evaluation")


def main() -> int:
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    chosen = [word for word in sys.argv[1:] if word not in options] or list(BENCHES)
    if unknown := set(chosen) - set(BENCHES):
        print(f"No such bench: {', '.join(sorted(unknown))}. There are: {', '.join(BENCHES)}.")
        return 2
    folder = Path(__file__).parent
    for name in chosen:
        print(f"== {name}", flush=True)
        if code := subprocess.run([sys.executable, folder / f"{name}.py", *options]).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
