"""Start JupyterLab the way the course needs it: on the first lesson, with Formgrader at work.

``python -m osai.lab`` serves the checkout on 127.0.0.1 until Ctrl-C. ``python -m osai.lab environ``
prints the environment variables of such a server as shell commands; Binder's ``start`` reads them,
since there JupyterHub starts the server. Standard library only, apart from the server it starts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from osai import allocator
from osai.places import checkout

FIRST_LESSON = "course/00-start-here.ipynb"
FIRST_PORT, LAST_PORT = 8888, 8938
CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")


class LabError(RuntimeError):
    """JupyterLab cannot be started; the message says why and what to do next."""


def course_variables(root: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Environment variables for a Jupyter server of the course in `root`, made from those `given`.

    nbgrader looks for ``nbgrader_config.py`` on Jupyter's configuration path and calls its helpers
    by bare name; threads are held to the processors that a container may really use; where
    mimalloc is installed, kernels use it.
    """

    def prepend(name: str, folder: str) -> str:
        rest = [part for part in given.get(name, "").split(os.pathsep) if part]
        return os.pathsep.join([folder, *(part for part in rest if part != folder)])

    made = {
        "JUPYTER_CONFIG_PATH": prepend("JUPYTER_CONFIG_PATH", str(root / "assignments")),
        "PATH": prepend("PATH", sysconfig.get_path("scripts")),
        "PYTHONUTF8": given.get("PYTHONUTF8", "1"),
    }
    if threads := processor_limit(given):
        made["OMP_NUM_THREADS"] = given.get("OMP_NUM_THREADS", str(threads))
    return made | allocator.variables(given)


def processor_limit(given: Mapping[str, str], cgroup: Path = CGROUP_LIMIT) -> int:
    """Processors this container may use, at least 1; 0 means that nothing limits it.

    Read from JupyterHub's ``CPU_LIMIT``, else from cgroup v2's ``cpu.max`` (quota and period in
    microseconds). Without it PyTorch starts a thread for each processor of the host.
    """
    with contextlib.suppress(ValueError):
        if (limit := float(given.get("CPU_LIMIT") or 0)) > 0:
            return max(1, round(limit))
    with contextlib.suppress(OSError, ValueError):
        quota, period = cgroup.read_text(encoding="ascii").split()
        return max(1, round(int(quota) / int(period)))  # "max" is no number: no limit
    return 0


def free_port(wanted: int | None = None) -> int:
    """A port on 127.0.0.1 that nobody listens on: the one wanted, or the first from 8888 up.

    Raises LabError if the wanted port is taken or not allowed, or if all are taken.
    """
    for port in [wanted] if wanted is not None else range(FIRST_PORT, LAST_PORT + 1):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
            probe.setsockopt(socket.SOL_SOCKET, option, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
            return probe.getsockname()[1]
    if wanted is not None:
        raise LabError(
            f"Port {wanted} is in use or not allowed.\n"
            "Next step: leave --port out (a free one is chosen), or stop the program that uses it."
        )
    raise LabError(
        f"No port from {FIRST_PORT} to {LAST_PORT} is free.\nNext step: give one with --port NUMBER."
    )


def has_screen(given: Mapping[str, str]) -> bool:
    """Whether a browser that is started here would be seen by somebody."""
    if given.get("SSH_CONNECTION"):
        return False
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(given.get("DISPLAY") or given.get("WAYLAND_DISPLAY"))


def serve(root: Path, port: int | None = None, browser: bool = True) -> int:
    """Run JupyterLab on the first lesson of the checkout `root` until Ctrl-C; returns 0.

    Raises LabError if it cannot start or ends by itself. Its own log goes to a file beside the
    environment's commands, named in the error.
    """
    chosen = free_port(port)
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_urlsafe(24)
    page = FIRST_LESSON if (root / FIRST_LESSON).is_file() else "course"
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": chosen,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root,
        "ServerApp.open_browser": browser and has_screen(os.environ),
        "ServerApp.allow_root": hasattr(os, "geteuid") and os.geteuid() == 0,
        "LabApp.default_url": f"/lab/tree/{page}",
    }
    command = [sys.executable, "-m", "jupyterlab"]
    command += [f"--{name}={value}" for name, value in options.items()]
    # The token goes by environment: a command line can be read by everyone on the machine.
    variables = os.environ | course_variables(root, os.environ) | {"JUPYTER_TOKEN": token}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    log_path = Path(sys.prefix, "jupyter.log")
    with open(log_path, "w", encoding="utf-8", opener=_private) as log:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=variables,
            cwd=root,
            start_new_session=True,  # Ctrl-C comes to us alone, and we stop the server
        )
    try:
        _wait_for(f"http://127.0.0.1:{chosen}/api", server, log_path)
        if port is None and chosen != FIRST_PORT:
            _say(f"Port {FIRST_PORT} is in use, so this server took {chosen}.")
        _say(f"JupyterLab is ready: http://127.0.0.1:{chosen}/lab/tree/{page}?token={token}")
        _say("Leave this window open while you work. Ctrl-C here stops the course.")
        code = server.wait()
        if code:
            raise LabError(f"JupyterLab ended by itself (code {code}).\nNext step: see {log_path}.")
    except KeyboardInterrupt:
        _say("\nStopping JupyterLab ...")
    finally:
        _stop(server)
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # the log repeats the token


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server, which ends its kernels; by force if that takes over 20 seconds."""
    if server.poll() is None:
        if os.name != "nt":  # Windows has no such signal; there Ctrl-C reached the server itself
            server.terminate()
        try:
            server.wait(20)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            server.kill()
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    """Return once the server answers; LabError with its last words if it ends before that."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if server.poll() is not None:
            words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            said = words[-1][:200] if words else "it said nothing"
            raise LabError(
                f"JupyterLab did not start: {said}\nNext step: run `osai doctor`, or see {log}."
            )
        with contextlib.suppress(OSError), opener.open(url, timeout=2):
            return
        time.sleep(0.2)
    raise LabError(
        f"JupyterLab did not answer within {seconds:.0f} seconds.\nNext step: see {log}."
    )


def main(argv: list[str] | None = None) -> int:
    """``python -m osai.lab [environ] [--port N] [--no-browser]``; 0, or 1 and the reason."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    parser = argparse.ArgumentParser(prog="osai.lab", description=serve.__doc__.splitlines()[0])
    parser.add_argument("action", nargs="?", choices=("serve", "environ"), default="serve")
    parser.add_argument("--port", type=int, metavar="N", help="port to use (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    args = parser.parse_args(argv)
    root = checkout()
    try:
        if root is None:
            raise LabError(
                "The course's folder was not found.\n"
                "Next step: start from the folder that holds course/ and data/."
            )
        if args.action == "environ":
            for name, value in course_variables(root, os.environ).items():
                if os.environ.get(name) != value:
                    _say(f"export {name}={shlex.quote(value)}")
            return 0
        return serve(root, args.port, browser=not args.no_browser)
    except LabError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(
            f"JupyterLab could not be started: {error.strerror or error} ({error.filename}).\n"
            "Next step: run `osai doctor`.",
            file=sys.stderr,
        )
    return 1


if __name__ == "__main__":
    sys.exit(main())
