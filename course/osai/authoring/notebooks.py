"""Run lessons in a fresh kernel and save them with their outputs, fit to be read and compared.

    python -m osai.authoring.notebooks run                       every lesson
    python -m osai.authoring.notebooks run course/11-fine-tune.ipynb
    python -m osai.authoring.notebooks run --changed             those whose code has changed
    python -m osai.authoring.notebooks run --measure             and note seconds and memory

A saved lesson shows what a student will see, and nothing of the machine it ran on: no timings,
no widget state, no path, no traceback. Lessons run with an empty `my-work/`, as at a student's
first visit.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.output_widget import OutputWidget

from osai import allocator, places
from osai.authoring import derived
from osai.authoring.measure import MemoryWatch

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
LIVE_ONLY = "A control stands here while the notebook runs."
"""What a saved notebook says where a widget was: its state is not saved."""

_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
_CELL_METADATA = ("tags", "slideshow", "nbgrader", "jp-MarkdownHeadingCollapsed")
_WIDGET_REPR = re.compile(r"^\w+\(|%\|")  # a widget's repr, or a progress bar's first line
_SOME_MACHINE = re.compile(r"(?<![\w/.])(/home/\w|/Users/\w|/(?:root)/|/tmp/\w|[A-Z]:\\{1,2}\w)")


class NotebookError(RuntimeError):
    """A lesson that could not be run or saved. The message names the lesson, cell and reason."""


@dataclass(frozen=True)
class Run:
    """A lesson as it ran: the notebook with outputs, wall seconds, peak memory in MB (PSS)."""

    notebook: nbformat.NotebookNode
    seconds: float
    memory_mb: float


class ThisPython(KernelSpecManager):
    """Kernels always run on the Python that runs this, whatever is registered elsewhere."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return this Python's kernel for any name."""
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


class QuietOutput(OutputWidget):
    """What a control has drawn, heard but not told back to the kernel.

    nbclient sends it on the socket on which it also waits for the kernel's answer, and now and then
    misses the answer: the cell then hangs until its time is over. Widget state is not saved anyway.
    """

    def send(self, *args: Any, **keys: Any) -> None:
        """Send nothing."""


def run(
    lesson: Path, *, timeout: float = 1800, tell: Callable[[str], None] = lambda text: None
) -> Run:
    """Run all cells of a lesson in a fresh kernel and return it with its outputs, normalised.

    timeout: seconds a cell may take. tell: called with the id of each cell before it runs.
    The file is not changed. Raises NotebookError naming the cell that failed.
    """
    notebook = derived.read(lesson)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        record_timing=False,
        iopub_timeout=60,
        raise_on_iopub_timeout=True,  # else lost output would be saved as no output
        resources={"metadata": {"path": str(lesson.parent)}},
    )
    client.create_kernel_manager().kernel_spec_manager = ThisPython()
    client.widget_registry = {"@jupyter-widgets/output": {"OutputModel": QuietOutput}}
    started = time.monotonic()
    try:
        memory = asyncio.run(_run_cells(client, lesson, tell))
    except AssertionError as error:
        # nbclient cleans up after a dead kernel twice, and the second time fails
        if isinstance(error.__context__, NotebookError):
            raise error.__context__ from None
        raise
    seconds = time.monotonic() - started
    normalise(notebook)
    return Run(notebook, seconds, memory)


async def _run_cells(client: NotebookClient, lesson: Path, tell: Callable[[str], None]) -> float:
    """Run the code cells in turn in a new kernel; return its peak memory in MB."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        # the kernel's own stderr (warnings about itself) is not a cell's; keep it off the screen
        open(os.devnull, "w", encoding="utf-8") as quiet,
    ):
        work = {places.WORK_VARIABLE: str(Path(scratch) / "my-work")}
        environment = {**os.environ, **allocator.variables(), **work}
        async with client.async_setup_kernel(env=environment, stderr=quiet):
            with MemoryWatch(client.km.provisioner.pid) as watch:
                for position, cell in enumerate(client.nb.cells):
                    if cell.cell_type == "code":
                        tell(cell.id)
                        await _run_cell(client, lesson, cell, position)
    return watch.peak_mb


async def _run_cell(
    client: NotebookClient, lesson: Path, cell: nbformat.NotebookNode, position: int
) -> None:
    where = f"{lesson.name}, cell {cell.id!r}"
    try:
        await client.async_execute_cell(cell, position)
    except CellExecutionError as error:
        raise NotebookError(f"{where}: {error.ename}: {error.evalue}") from None
    except CellTimeoutError:
        raise NotebookError(f"{where}: it ran longer than {client.timeout:g} seconds.") from None
    except DeadKernelError:
        raise NotebookError(f"{where}: the kernel died (out of memory?).") from None


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Remove from a notebook, in place, what differs between runs or machines.

    Kept are sources, ids, tags, execution counts and outputs; widgets are replaced by a sentence,
    and pictures that JupyterLab draws of plotly figures are dropped. The source of a check-yourself
    question is folded away, because it names the right answer.
    """
    kept = {key: notebook.metadata[key] for key in ("osai",) if key in notebook.metadata}
    notebook.metadata = nbformat.from_dict(
        {**kept, "kernelspec": _KERNEL, "language_info": _LANGUAGE}
    )
    notebook.nbformat_minor = 5
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in _CELL_METADATA if key in cell.metadata}
        )
        if cell.cell_type != "code":
            continue
        if is_question(cell):
            cell.metadata["jupyter"] = {"source_hidden": True}
        if cell.execution_count is not None:
            count += 1
            cell.execution_count = count
        cell.outputs = _merged_streams(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            if "data" in output:
                output.metadata = nbformat.from_dict({})
                _normalise_data(output.data)


def is_question(cell: nbformat.NotebookNode) -> bool:
    """Say whether a code cell asks a check-yourself question."""
    return "quiz.Question(" in cell.source


def _normalise_data(data: dict[str, Any]) -> None:
    if data.pop(WIDGET_VIEW, None) is not None and _WIDGET_REPR.search(data.get("text/plain", "")):
        data["text/plain"] = LIVE_ONLY
    if any(key.startswith("application/vnd.plotly") for key in data):
        data.pop("image/png", None)


def _merged_streams(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Join neighbouring pieces of one stream, which arrive in pieces of any size."""
    merged: list[nbformat.NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if (
            output.output_type == "stream"
            and last is not None
            and last.output_type == "stream"
            and last.name == output.name
        ):
            last.text += output.text
        else:
            merged.append(output)
    return merged


def digest(notebook: nbformat.NotebookNode) -> str:
    """Return a short digest of a notebook's code: outputs saved with another are stale."""
    code = [[cell.id, cell.source] for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]


def output_faults(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield the id of each cell whose outputs must not be saved, and why.

    Refused are tracebacks (unless the cell is tagged `raises-exception`), anything on stderr,
    widget views, and absolute paths of this or any other machine.
    """
    here = [str(path) for path in _places_here() if len(str(path)) > 3]
    if "widgets" in notebook.metadata:
        yield "", "widget state is saved in the notebook's metadata"
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            text = json.dumps(output, ensure_ascii=False).replace("\\\\", "\\")
            found = _SOME_MACHINE.search(text)
            path = next((place for place in here if place in text), found and found[0])
            if path:
                yield cell.id, f"an output holds a path of a machine ({path}...)"
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get(
                "tags", []
            ):
                yield cell.id, f"an output is a traceback ({output.ename})"
            if output.output_type == "stream" and output.name == "stderr":
                yield cell.id, f"there is output on stderr ({output.text[:60]!r})"
            if WIDGET_VIEW in output.get("data", {}):
                yield cell.id, "a widget view is saved; it points to state that is gone"


def _places_here() -> list[Path]:
    found = [Path.home(), Path(sys.prefix), Path(tempfile.gettempdir()), places.checkout()]
    return [place for place in found if place is not None]


def is_current(notebook: nbformat.NotebookNode) -> bool:
    """Say whether every code cell has run and the outputs belong to the code as it stands."""
    ran = [c.execution_count for c in notebook.cells if c.cell_type == "code"]
    return ran == list(range(1, len(ran) + 1)) and notebook.metadata.get("osai", {}).get(
        "ran"
    ) == digest(notebook)


def finish(lesson: Path, ran: Run, *, measure: bool, top: Path) -> None:
    """Note a run in the lesson's metadata, bring its front matter up to date, and save it.

    Seconds and memory are noted if `measure` is set or they are missing yet.
    Raises NotebookError for outputs that must not be saved.
    """
    notebook = ran.notebook
    faults = [f"{cell}: {why}" for cell, why in output_faults(notebook)]
    if faults:
        raise NotebookError(f"{lesson.name} is not saved.\n  " + "\n  ".join(faults))
    meta = notebook.metadata.setdefault("osai", nbformat.from_dict({}))
    if measure or "seconds" not in meta or "memory_mb" not in meta:
        meta["seconds"] = max(5, 5 * math.ceil(ran.seconds / 5))
        meta["memory_mb"] = 10 * math.ceil(ran.memory_mb / 10)
        meta["hardware"] = hardware()
    meta["ran"] = digest(notebook)
    for cell in notebook.cells:
        if cell.id == derived.FRONT_MATTER:
            cell.source = derived.front_matter(lesson, dict(meta), derived.repository(top))
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    partial = lesson.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    os.replace(partial, lesson)


def hardware() -> str:
    """Return in words what the lessons run on here."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    graphics = "a GPU" if shutil.which("nvidia-smi") else "no GPU"
    return f"{cores} processor core{'' if cores == 1 else 's'} and {graphics}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0 if every lesson ran and was saved."""
    parser = argparse.ArgumentParser(
        prog="python -m osai.authoring.notebooks",
        description="Run lessons in a fresh kernel and save them with their outputs.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="run lessons and save them")
    command.add_argument("lessons", nargs="*", type=Path, help="notebooks; default: all lessons")
    command.add_argument("--changed", action="store_true", help="only those with stale outputs")
    command.add_argument("--measure", action="store_true", help="note seconds and memory")
    command.add_argument("--timeout", type=float, default=1800, help="seconds a cell may take")
    options = parser.parse_args(arguments)
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    top = places.checkout()
    if top is None:
        print("The course's checkout was not found. Start from its top folder.")
        return 2
    failed = 0
    for lesson in options.lessons or derived.lessons(top):
        try:
            failed += not _run_one(lesson.absolute(), options, top)
        except (NotebookError, derived.DerivedError, nbformat.ValidationError, OSError) as error:
            print(f"  failed: {error}")
            failed += 1
    return 1 if failed else 0


def _run_one(lesson: Path, options: argparse.Namespace, top: Path) -> bool:
    if not lesson.is_file():
        print(f"There is no notebook {lesson.name}.")
        return False
    if options.changed and is_current(derived.read(lesson)):
        print(f"{lesson.name}: unchanged")
        return True
    print(f"{lesson.name}")
    ran = run(lesson, timeout=options.timeout, tell=lambda cell: print(f"  {cell}", flush=True))
    finish(lesson, ran, measure=options.measure, top=top)
    print(f"  saved: {ran.seconds:.0f} s, {ran.memory_mb:.0f} MB")
    return True


if __name__ == "__main__":
    sys.exit(main())
