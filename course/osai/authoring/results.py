"""Results of long measurements: stored with what they depend on, so that a stale one is noticed."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from osai.places import checkout


class NoCheckout(RuntimeError):
    """Results are measured and stored in a checkout of the course only."""


def root() -> Path:
    """The checkout. Raises NoCheckout."""
    found = checkout()
    if found is None:
        raise NoCheckout("No checkout here. Next step: run this in the course's folder.")
    return found


def folder() -> Path:
    """Where results lie."""
    return root() / "tests" / "bench" / "results"


def digest(files: Iterable[str]) -> str:
    """SHA-256 over files, by their paths from the root; Python without comments and docstrings."""
    whole = hashlib.sha256()
    for name in sorted(files):
        content = (root() / name).read_bytes()
        if name.endswith(".py"):
            content = _code_only(content.decode()).encode()
        whole.update(f"{name}\n{hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()


def _code_only(source: str) -> str:
    """The lines of a module without docstrings, lines of comment and empty lines."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                lines[first.lineno - 1 : first.end_lineno] = [""] * (
                    first.end_lineno - first.lineno + 1
                )
    return "\n".join(
        line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#")
    )


def machine() -> dict[str, Any]:
    """What the numbers were measured on: processor, its instruction sets, cores, memory, system."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = set(fields.get("flags", "").split())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": fields.get("model name", platform.processor()),
        "instructions": sorted(
            flags & {"avx2", "avx512f", "avx512_bf16", "amx_bf16", "avx512_vnni"}
        ),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "gpu": "none",
    }


def write(name: str, command: str, inputs: Iterable[str], measured: dict[str, Any]) -> Path:
    """Store a result as ``results/NAME.json``."""
    files = sorted(inputs)
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "command": command,
        "machine": machine(),
        "inputs": files,
        "inputs_sha256": digest(files),
        **measured,
    }
    folder().mkdir(exist_ok=True)
    path = folder() / f"{name}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read(name: str) -> dict[str, Any] | None:
    """A stored result, or None where there is none yet."""
    path = folder() / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
