"""Run every lesson once with nbval, and let the other tests of a lesson read that one run.

`budget.toml` names the lessons' limits; collecting it gives one collector per lesson with
- one item per code cell: nbval's own, run in one kernel, output compared with the saved one;
- then items that look at what has just run: time and memory, words beside figures, labels of
  controls. They need the whole lesson, so they are skipped when only some cells were chosen.

Each lesson is a scope of its own for xdist (`--dist loadscope`), and its items stay together.
The executed copy is kept under `tests/artefacts/lessons/` for a look after a failure.
"""

from __future__ import annotations

import copy
import fnmatch
import json
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile
from osai import allocator, places
from osai.authoring import derived, grammar, notebooks
from osai.authoring.measure import MemoryWatch

HERE = Path(__file__).parent
TOP = HERE.parent.parent
SANITIZE = HERE / "sanitize.cfg"
ARTEFACTS = HERE.parent / "artefacts" / "lessons"

CONTROLS_WITHOUT_LABEL = """
import json, sys
if "ipywidgets" in sys.modules:
    from ipywidgets.widgets.widget import _instances
    from ipywidgets import Button, DOMWidget, HTML, HTMLMath, Label, ValueWidget
    from ipywidgets.widgets.widget_float import FloatProgress
    from ipywidgets.widgets.widget_int import IntProgress
    print(json.dumps([
        repr(w)[:200] for w in _instances.values()
        if isinstance(w, DOMWidget) and isinstance(w, (ValueWidget, Button))
        and not isinstance(w, (HTML, HTMLMath, Label, FloatProgress, IntProgress))
        and w.has_trait("description") and not (w.description or w.tooltip)
    ]))
else:
    print("[]")
"""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path == HERE / "budget.toml":
        return Budget.from_parent(parent, path=file_path)
    return None


class Budget(pytest.File):
    """The lessons of the course, each with its limits."""

    def collect(self) -> Iterator[Lesson]:
        entries = tomllib.loads(self.path.read_text(encoding="utf-8"))["lessons"]
        for lesson in derived.lessons(TOP):
            found = [entry for entry in entries if fnmatch.fnmatch(lesson.stem, entry["match"])]
            if len(found) != 1:
                raise self.CollectError(
                    f"{lesson.name} matches {len(found)} entries of {self.path.name}, not one."
                )
            yield Lesson.from_parent(self, path=lesson, limits=found[0])


class Lesson(IPyNbFile):
    """One lesson: nbval's collector, which also measures and keeps what ran."""

    def __init__(self, limits: dict, **kwargs) -> None:
        super().__init__(**kwargs)
        self.limits = limits
        self.watch: MemoryWatch | None = None
        self.started = self.seconds = 0.0
        self.outputs: dict[str, list[nbformat.NotebookNode]] = {}
        option = self.config.option
        option.nbval_current_env = True
        option.nbval_sanitize_with = option.nbval_sanitize_with or str(SANITIZE)

    def collect(self) -> Iterator[pytest.Item]:
        for cell in super().collect():
            yield LessonCell.from_parent(
                self,
                name=cell.cell.id,
                cell_num=cell.cell_num,
                cell=cell.cell,
                options=cell.options,
            )
        for check in (
            time_and_memory_stay_within_the_budget,
            figures_and_tables_have_words,
            controls_have_labels,
            outputs_name_no_machine_and_no_error,
        ):
            yield AfterRun.from_parent(self, name=check.__name__, check=check)

    def setup(self) -> None:
        self.scratch = tempfile.TemporaryDirectory()
        work = {places.WORK_VARIABLE: str(Path(self.scratch.name) / "my-work")}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (allocator.variables() | work).items():
                patch.setenv(name, value)
            super().setup()
        self.watch = MemoryWatch(self.kernel.km.provisioner.pid)
        self.watch.__enter__()
        self.started = time.monotonic()

    def teardown(self) -> None:
        if self.watch is not None:
            self.watch.__exit__(None, None, None)
        super().teardown()
        if self.outputs:
            ARTEFACTS.mkdir(parents=True, exist_ok=True)
            text = nbformat.writes(self.executed())
            (ARTEFACTS / self.path.name).write_text(text, encoding="utf-8")
        self.scratch.cleanup()

    def executed(self) -> nbformat.NotebookNode:
        """Return the lesson with the outputs of this run."""
        ran = copy.deepcopy(self.nb)
        for cell in ran.cells:
            if cell.cell_type == "code":
                cell.outputs = copy.deepcopy(self.outputs.get(cell.id, []))
        return ran

    def ask_kernel(self, code: str) -> str:
        """Run code in the lesson's kernel and return what it prints."""
        client, printed = self.kernel.kc, []
        client.execute_interactive(
            code,
            store_history=False,
            timeout=30,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        return "".join(printed)


class LessonCell(IPyNbCell):
    """A code cell, compared by nbval; its output is kept for the items that follow."""

    def runtest(self) -> None:
        lesson = self.parent
        option = self.config.option
        before, option.nbval_cell_timeout = option.nbval_cell_timeout, lesson.limits["cell_seconds"]
        try:
            super().runtest()
        finally:
            option.nbval_cell_timeout = before
            lesson.seconds = time.monotonic() - lesson.started
            if self.test_outputs is not None:
                lesson.outputs[self.cell.id] = [
                    nbformat.from_dict(output) for output in self.test_outputs
                ]

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.stem}: {self.name}"


class AfterRun(pytest.Item):
    """A check of a lesson that has run whole."""

    def __init__(self, check: Callable[[Lesson], None], **kwargs) -> None:
        super().__init__(**kwargs)
        self.check = check

    def runtest(self) -> None:
        lesson = self.parent
        missing = [
            cell.id
            for cell in lesson.nb.cells
            if cell.cell_type == "code" and cell.id not in lesson.outputs
        ]
        if missing:
            pytest.skip(f"these cells have not run: {', '.join(missing)}")
        self.check(lesson)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.stem}: {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
        return f"{self.path.name}: {excinfo.value}"


def time_and_memory_stay_within_the_budget(lesson: Lesson) -> None:
    seconds, memory = lesson.seconds, lesson.watch.peak_mb
    limits = lesson.limits
    assert memory > 20, "the kernel's memory was not measured"
    assert seconds <= limits["seconds"], f"{seconds:.0f} s, budget {limits['seconds']} s"
    limit = limits["memory_mb"] if allocator.variables() else limits["memory_mb_plain"]
    assert memory <= limit, f"{memory:.0f} MB, budget {limit} MB"


def figures_and_tables_have_words(lesson: Lesson) -> None:
    page = grammar.Lesson(lesson.path, lesson.executed(), repository="")
    found = [*grammar.words_for_pictures(page), *grammar.captions(page)]
    assert not found, "; ".join(f"{cell}: {why}" for cell, why in found)


def controls_have_labels(lesson: Lesson) -> None:
    unlabelled = json.loads(lesson.ask_kernel(CONTROLS_WITHOUT_LABEL))
    assert not unlabelled, f"give these controls a description: {unlabelled}"


def outputs_name_no_machine_and_no_error(lesson: Lesson) -> None:
    ran = lesson.executed()
    notebooks.normalise(ran)
    found = list(notebooks.output_faults(ran))
    assert not found, "; ".join(f"{cell}: {why}" for cell, why in found)
