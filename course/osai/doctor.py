"""Is this machine ready for the course? What is wrong, and what to do next.

``osai doctor`` shows it as a table and, with ``--json``, as text to paste into a report: home
folder and user name are taken out. Nothing here loads PyTorch or the model.
"""

from __future__ import annotations

import dataclasses
import getpass
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import runpy
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from osai import __version__, places

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from rich.table import Table

GB = 10**9
OLDEST_PYTHON = (3, 11)
MEMORY_TOTAL = 1.9 * GB  # the course is made for Binder's 2 GB
MEMORY_FREE = 1.3 * GB
DISK_FREE = 1.0 * GB
AGAIN = "python setup_course.py setup (or: make setup)"
CGROUP = Path("/sys/fs/cgroup")

State = Literal["ok", "warn", "fail"]


@dataclasses.dataclass(frozen=True)
class Check:
    """What one check found: ``warn`` lets the course run, ``fail`` does not."""

    name: str
    state: State
    detail: str
    step: str = ""


def run(deep: bool = False) -> list[Check]:
    """Run every check; ``deep`` also compares every byte of the model. Takes about two seconds.

    A check that breaks is reported as failed, so one broken package does not hide the rest.
    """
    checks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("Python", python),
        ("Packages", packages),
        ("PyTorch", torch),
        ("Memory", memory),
        ("Disk", disk),
        ("Model", lambda: model(deep)),
        ("JupyterLab", jupyterlab),
        ("Data", data),
    )
    found = []
    for name, check in checks:
        try:
            result = check()
        except Exception as error:
            said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            result = Check(name, "fail", f"this check broke: {said}", AGAIN)
        detail, step = private(result.detail), private(result.step)
        found.append(dataclasses.replace(result, detail=detail, step=step))
    return found


def private(text: str) -> str:
    """`text` without this user's home folder and name, where they stand in a path."""
    for home in {str(Path.home()), os.path.realpath(Path.home())} - {os.sep}:
        text = text.replace(home, "~")
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return text
    return re.sub(rf"(?<=[/\\]){re.escape(user)}(?=[/\\.\s]|$)", "USER", text)


def python() -> Check:
    """The Python that runs this, and the system."""
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check("Python", "fail", detail, "install Python 3.11 or newer and set up with it")
    return Check("Python", "ok", detail)


def wanted() -> list[tuple[str, Requirement]]:
    """What should be installed here: ``(section, requirement)`` from the checkout's lock.

    Without a checkout it is what the installed package asks for, all in section "course".
    """
    from packaging.requirements import Requirement

    top = places.checkout()
    if top is None:
        asked = [Requirement(text) for text in importlib.metadata.requires("osai") or []]
        pairs = [("course", one) for one in asked if "extra ==" not in str(one.marker)]
    else:
        # The set-up script is the one place that knows how the lock is written.
        pins = runpy.run_path(str(top / "setup_course.py"))["read_lock"]()
        pairs = [(pin.section, Requirement(pin.requirement)) for pin in pins]
    return [(section, one) for section, one in pairs if not one.marker or one.marker.evaluate()]


def packages() -> Check:
    """Installed packages against the lock. What only tests and benches need may be missing."""
    missing, other, right = [], [], 0
    for section, requirement in wanted():
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            if section not in ("test", "bench"):
                missing.append(requirement.name)
            continue
        if requirement.specifier.contains(version, prereleases=True):
            right += 1
        else:
            other.append(f"{requirement.name} {version} (lock: {requirement.specifier})")
    if missing:
        return Check("Packages", "fail", f"missing: {_some(missing)}", AGAIN)
    if other:
        return Check("Packages", "warn", f"other versions than locked: {_some(other)}", AGAIN)
    return Check("Packages", "ok", f"{right} as locked")


def _some(names: Sequence[str], most: int = 5) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def torch() -> Check:
    """PyTorch's version and build, read from its files: importing it takes seconds."""
    try:
        dist = importlib.metadata.distribution("torch")
    except importlib.metadata.PackageNotFoundError:
        return Check("PyTorch", "fail", "not installed", AGAIN)
    spec = importlib.util.find_spec("torch")
    places_ = list(spec.submodule_search_locations or []) if spec else []
    if not places_:
        return Check("PyTorch", "fail", f"{dist.version} is listed but not there", AGAIN)
    text = Path(places_[0], "version.py").read_text(encoding="utf-8")
    cuda = re.search(r"^cuda\b.*=\s*['\"]([\d.]+)", text, re.MULTILINE)
    build = f"CUDA {cuda[1]} build (larger; the course needs only a CPU)" if cuda else "CPU build"
    return Check("PyTorch", "ok", f"{dist.version.split('+')[0]}, {build}")


def memory() -> Check:
    """Main memory: of the machine, or of the container where that is less."""
    import psutil

    whole = psutil.virtual_memory()
    total, free = whole.total, whole.available
    if limit := memory_limit():
        total = min(total, limit)
        free = min(free, total - psutil.Process().memory_info().rss)
    detail = f"{free / GB:.1f} GB free of {total / GB:.1f} GB"
    if total < MEMORY_TOTAL:
        return Check("Memory", "fail", detail, "use a machine with 2 GB or more, or Binder")
    if free < MEMORY_FREE:
        step = "shut down other kernels (in Lab: Running Terminals and Kernels) and programs"
        return Check("Memory", "warn", detail, step)
    return Check("Memory", "ok", detail)


def memory_limit(cgroup: Path = CGROUP) -> int:
    """Bytes that this container may use (JupyterHub's MEM_LIMIT, or cgroup v2); 0: no limit."""
    try:
        return int(os.environ.get("MEM_LIMIT") or (cgroup / "memory.max").read_text("ascii"))
    except (OSError, ValueError):
        return 0


def disk() -> Check:
    """Free space where the student's work and the model's cache are written."""
    from osai.chatbot.model import cache_dir

    place = places.work_dir()
    folders = [_existing(place), _existing(cache_dir())]
    least = min(folders, key=lambda folder: shutil.disk_usage(folder).free)
    free = shutil.disk_usage(least).free
    detail = f"{free / GB:.1f} GB free in {least}"
    if not os.access(folders[0], os.W_OK):
        step = "copy the course to a folder of your own, or set OSAI_WORK to one"
        return Check("Disk", "fail", f"{folders[0]} cannot be written to", step)
    if free < DISK_FREE / 5:
        return Check("Disk", "fail", detail, "free at least 1 GB: saving and training need it")
    if free < DISK_FREE:
        return Check("Disk", "warn", detail, "free at least 1 GB before training a model")
    return Check("Disk", "ok", detail)


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def model(deep: bool = False) -> Check:
    """The converted base model: every file there in full length; ``deep``: every byte."""
    from osai.chatbot import model as chat_model

    try:
        chat_model.check_base(deep=deep)
    except chat_model.ModelError as error:
        reason, _, step = str(error).partition(" Next step: ")
        return Check("Model", "fail", reason, step or AGAIN)
    size = sum(file.stat().st_size for file in chat_model.base_dir().iterdir() if file.is_file())
    how = "every byte checked" if deep else "sizes checked"
    return Check("Model", "ok", f"{chat_model.MODEL_NAME}, {size / 10**6:.0f} MB, {how}")


def jupyterlab() -> Check:
    """nbgrader's extensions: installed and enabled, in the browser and in the server."""
    from jupyter_core.paths import jupyter_config_path, jupyter_path
    from jupyter_server.extension.config import ExtensionConfigManager
    from jupyterlab_server.config import get_page_config

    folders = jupyter_path("labextensions")
    if not any(Path(folder, "@jupyter/nbgrader/package.json").is_file() for folder in folders):
        return Check("JupyterLab", "fail", "nbgrader's Lab extension is not installed", AGAIN)
    disabled = get_page_config(folders).get("disabledExtensions", [])
    off = [name for name in disabled if str(name).startswith("@jupyter/nbgrader")]
    manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
    servers = {
        name: enabled
        for name, enabled in manager.get_jpserver_extensions().items()
        if name.startswith("nbgrader.server_extensions.")
    }
    parts = ("formgrader", "validate_assignment", "assignment_list")
    off += [name for name in parts if not servers.get(f"nbgrader.server_extensions.{name}")]
    if off:
        step = "jupyter labextension enable @jupyter/nbgrader; jupyter server extension enable "
        step += "--sys-prefix --py nbgrader"
        return Check("JupyterLab", "fail", f"nbgrader is switched off in part: {_some(off)}", step)
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("jupyterlab", "nbgrader")]
    return Check("JupyterLab", "ok", f"{', '.join(versions)}, extensions enabled")


def data() -> Check:
    """The tables of data/, each read and checked against its description."""
    from osai import tables

    step = "get the course's files anew (git checkout -- data), or install the package again"
    try:
        folder = places.data_dir()
        loaded = [
            tables.load(topic, name) for topic in tables.topics() for name in tables.names(topic)
        ]
    except (places.PlaceError, tables.TableError) as error:
        return Check("Data", "fail", str(error).splitlines()[0], step)
    shops = sorted((folder / "hanoi" / "shops").glob("*.json"))
    if not loaded or not shops:
        return Check("Data", "fail", f"tables or shops are missing in {folder}", step)
    rows = sum(len(table.data) for table in loaded)
    return Check("Data", "ok", f"{len(loaded)} tables with {rows} rows, {len(shops)} shops")


def as_json(checks: Sequence[Check]) -> str:
    """The checks as JSON text for a report; holds nothing personal."""
    record: dict[str, Any] = {
        "osai": __version__,
        "ready": all(check.state != "fail" for check in checks),
        "checks": [dataclasses.asdict(check) for check in checks],
    }
    return json.dumps(record, indent=1, ensure_ascii=False)


def table(checks: Sequence[Check]) -> Table:
    """The checks as a rich table; below each that is not ok stands the next step."""
    from rich.table import Table
    from rich.text import Text

    words = {"ok": ("ok", "green"), "warn": ("look", "yellow"), "fail": ("fix", "bold red")}
    drawn = Table(title="Is this machine ready?", title_justify="left")
    for column in ("Check", "", "Found"):
        drawn.add_column(column, overflow="fold")
    for check in checks:
        word, style = words[check.state]
        found = Text(check.detail)
        if check.state != "ok":
            found.append(f"\nNext step: {check.step}", style="bold")
        drawn.add_row(check.name, Text(word, style=style), found)
    return drawn


def main(json: bool = False, deep: bool = False) -> int:
    """Print what `run` found; 0 if nothing failed, else 1."""
    checks = run(deep=deep)
    failed = [check.name for check in checks if check.state == "fail"]
    if json:
        print(as_json(checks))
    else:
        from rich.console import Console

        console = Console()
        console.print(table(checks))
        console.print(f"Not ready: {', '.join(failed)}." if failed else "Ready.")
    return 1 if failed else 0
