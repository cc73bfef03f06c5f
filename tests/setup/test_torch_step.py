"""PyTorch comes as the CPU build wherever one is to be had, and a large download is announced."""

import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


@pytest.fixture
def server():
    """A web server on this machine that answers 200 to /whl/cpu and 404 to all else."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/whl/cpu" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def test_an_index_that_answers_is_used_and_another_page_is_not(script, server):
    assert script.answers(server + "/whl/cpu")
    assert not script.answers(server + "/nothing")


def test_an_index_that_hangs_costs_one_short_wait(script):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        assert not script.answers(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.3)
        assert time.monotonic() - started < 3


def test_the_only_index_named_is_pytorchs_own(script):
    assert script.TORCH_INDEX == "https://download.pytorch.org/whl/cpu"


def test_a_cuda_build_is_known_by_what_it_asks_for(script):
    def entry(*needs):
        return [{"metadata": {"requires_dist": list(needs)}}]

    assert script.needs_cuda(entry("jinja2", "nvidia-cudnn-cu13==9.20; x"), "linux")
    assert script.needs_cuda(entry("cuda-toolkit[cublas]==13.0.3"), "linux")
    assert not script.needs_cuda(entry("filelock", "sympy>=1.13"), "linux")
    assert not script.needs_cuda(entry("nvidia-cudnn-cu13==9.20; x"), "win32")
    assert not script.needs_cuda([{"metadata": {}}], "linux")


def test_the_size_of_a_download_is_added_up_or_unknown(script, tmp_path, server):
    for name in ("a", "b b"):
        (tmp_path / name).write_bytes(b"12345")
    assert script.download_size((tmp_path / name).as_uri() for name in ("a", "b b")) == 10
    assert script.download_size([server + "/nothing"]) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has CUDA builds as a default")
def test_where_only_the_cuda_build_is_found_its_size_is_said_first(course, wheel):
    wheel(course.wheels, "torch", "2.13.0", requires=("nvidia-tiny==1.0", "tiny"))
    wheel(course.wheels, "nvidia-tiny", "1.0")
    wheel(course.wheels, "tiny", "2.0")
    done = course.run("course")
    assert done.returncode == 0, done.stdout
    said = done.stdout.index("only PyTorch's CUDA build: 0.0 GB to download")
    assert said < done.stdout.index("CUDA build: ", said + 30)
    assert (course.site / "nvidia_tiny").is_dir(), "the CUDA build does not start without it"
    assert '"1.0"' in (course.site / "tiny/__init__.py").read_text(), "the lock was not kept to"
