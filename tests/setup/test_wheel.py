"""The package as others install it: a wheel with its data, its Lab settings and its command."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from this checkout."""
    base = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", base, TOP], check=True)
    return next(base.glob("osai-*.whl"))


def test_the_wheel_holds_the_code_once_and_the_data(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        readme = archive.read("osai/_data/README.md")
    assert "osai/chatbot/model.py" in names
    assert readme == (TOP / "data/README.md").read_bytes()
    listed = subprocess.run(
        ["git", "ls-files", "data"], cwd=TOP, capture_output=True, encoding="utf-8", check=True
    )
    for path in listed.stdout.splitlines():
        assert path.replace("data/", "osai/_data/", 1) in names
    unwanted = [
        name for name in names if name.startswith(("course/", "data/")) or "my-work" in name
    ]
    assert unwanted == []


def test_the_wheel_brings_labs_settings_and_the_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        settings = [name for name in archive.namelist() if name.endswith("overrides.d/osai.json")]
        points = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "osai = osai.cli:main" in archive.read(points).decode()
    assert settings and "data/share/jupyter/lab/settings/" in settings[0]


def test_an_installed_wheel_reads_its_own_copy_of_the_data(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import osai.places; print(osai.places.checkout(), osai.places.data_dir())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, tmp_path / "site"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.split(" ", 1) == ["None", f"{tmp_path / 'site/osai/_data'}\n"]


def test_an_editable_install_needs_no_path_file_in_the_local_code_page(tmp_path):
    """Windows reads path files in its code page; an import hook works in any folder."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--target", tmp_path, "--editable", TOP]
    subprocess.run(command, check=True)
    path_files = [file.read_text(encoding="utf-8") for file in tmp_path.glob("*.pth")]
    assert path_files and all(text.isascii() for text in path_files)
    assert not any(str(TOP) in text for text in path_files)
    assert not (tmp_path / "osai").exists(), "a second osai hides the checkout's"
