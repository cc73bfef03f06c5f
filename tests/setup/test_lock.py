"""One lock, that pyproject.toml, environment.yml and what is installed agree with."""

import ast
import importlib.metadata
import re
import runpy
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from osai.authoring import lock as lock_maker
from osai.chatbot import model
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).resolve().parents[2]
SCRIPT = runpy.run_path(str(TOP / "setup_course.py"))
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = SCRIPT["read_lock"]()


def applies(requirement: Requirement, extras: Iterable[str] = ("",)) -> bool:
    """Whether a requirement's marker holds on this machine, for any of these extras."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


LOCKED = {pin.name: pin for pin in PINS if applies(Requirement(pin.requirement))}
# What only `make bench` needs is not installed where tests run.
HERE = {name: pin for name, pin in LOCKED.items() if pin.section != "bench"}
EXTRAS = [extra for extra in PROJECT["optional-dependencies"] if extra != "bench"]


def section(name: str) -> set[str]:
    """Names of the packages of one section that this machine installs."""
    return {pin.name for pin in HERE.values() if pin.section == name}


def needs(name: str, extras: Iterable[str]) -> list[Requirement]:
    """What an installed package asks for here. CUDA libraries and the model's are left out."""
    if name in section("model"):
        return []
    asked = map(Requirement, importlib.metadata.requires(name) or [])
    asked = [one for one in asked if applies(one, ("", *extras))]
    if name == "torch":
        asked = [one for one in asked if not one.name.startswith(SCRIPT["CUDA_PARTS"])]
    return asked


def closure(start: Iterable[Requirement]) -> dict[str, list[Requirement]]:
    """All packages that these need, directly or not, each with all that is asked of it."""
    found: dict[str, list[Requirement]] = {}
    todo = list(start)
    while todo:
        one = todo.pop()
        name = canonicalize_name(one.name)
        if str(one) in map(str, found.get(name, [])):
            continue
        found.setdefault(name, []).append(one)
        todo += needs(name, one.extras)
    return found


def declared(*extras: str) -> list[Requirement]:
    """The requirements of pyproject.toml, with these extras."""
    texts = list(PROJECT["dependencies"])
    for extra in extras:
        texts += PROJECT["optional-dependencies"][extra]
    return [one for one in map(Requirement, texts) if applies(one)]


def test_everything_needed_is_locked_at_a_version_that_fits():
    everything = closure(declared(*EXTRAS))
    assert everything.keys() - HERE.keys() == set()
    misfits = [
        f"{one} (lock: {HERE[name].version})"
        for name, asked in everything.items()
        for one in asked
        if not one.specifier.contains(HERE[name].version, prereleases=True)
    ]
    assert misfits == []


def test_nothing_is_locked_that_nobody_needs():
    everything = closure(declared(*EXTRAS))
    assert HERE.keys() - everything.keys() == {model.WHEEL}


def test_what_the_course_is_measured_against_is_locked_apart():
    wanted = {
        canonicalize_name(Requirement(one).name)
        for one in PROJECT["optional-dependencies"]["bench"]
    }
    bench = {pin.name for pin in PINS if pin.section == "bench"}
    assert wanted <= bench and not bench & HERE.keys()


def test_test_packages_are_those_that_lessons_and_set_up_do_without():
    course = closure(declared("build")).keys()
    assert section("test") == HERE.keys() - course - {model.WHEEL}


def test_what_needs_torch_is_kept_out_of_a_plain_pip_install():
    hungry = {name for name in HERE if name != "torch" and "torch" in closure([Requirement(name)])}
    assert hungry == section("needs-torch")
    plain = [
        line
        for line in (TOP / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert len(plain) == len([pin for pin in PINS if pin.section in ("course", "test")])
    for name in ("torch", "accelerate", "peft", model.WHEEL):
        assert not any(line.startswith(f"{name}==") for line in plain)


def test_the_model_wheel_is_the_one_that_the_code_expects():
    assert [HERE[name].requirement for name in section("model")] == [
        f"{model.WHEEL}=={model.WHEEL_VERSION}"
    ]


def test_what_is_installed_is_what_is_locked():
    other = {
        name: importlib.metadata.version(name)
        for name, pin in HERE.items()
        if not Requirement(pin.requirement).specifier.contains(importlib.metadata.version(name))
    }
    assert other == {}


@pytest.mark.parametrize("name", ["requirements.txt", "environment.yml"])
def test_no_index_is_named(name):
    text = (TOP / name).read_text(encoding="utf-8")
    assert not re.search(r"https?:|index-url|find-links|@ ", text)


def test_every_import_of_the_package_is_declared():
    by_module = importlib.metadata.packages_distributions()
    allowed = {canonicalize_name(one.name) for one in declared()}
    undeclared = set()
    for file in (TOP / "course/osai").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            else:
                continue
            for module in {name.split(".")[0] for name in modules} - {"osai"}:
                owners = {canonicalize_name(name) for name in by_module.get(module, [module])}
                if module not in sys.stdlib_module_names and not owners & allowed:
                    undeclared.add(f"{file.relative_to(TOP)}: {module}")
    assert undeclared == set()


# ---- environment.yml -----------------------------------------------------------------------------

ENVIRONMENT = yaml.safe_load((TOP / "environment.yml").read_text(encoding="utf-8"))
CONDA = [one for one in ENVIRONMENT["dependencies"] if isinstance(one, str)]
PIP = next(one["pip"] for one in ENVIRONMENT["dependencies"] if isinstance(one, dict))


def test_binders_environment_is_the_lock_without_torch_and_tests():
    assert sorted(PIP) == sorted(pin.requirement for pin in PINS if pin.section == "course")
    left_out = {pin.name for pin in PINS} - {pin.split("==")[0] for pin in PIP}
    torchlike = closure([Requirement("torch")]).keys()
    for_tests = {pin.name for pin in PINS if pin.section in ("test", "bench")}
    assert left_out - for_tests - {"torch", model.WHEEL} == section("needs-torch")
    assert torchlike - {"torch"} <= {pin.split("==")[0] for pin in PIP}


def test_binder_gets_python_311_and_the_cpu_build_of_the_locked_torch():
    assert [HERE["torch"].version] == [
        one.split("=")[1] for one in CONDA if one.startswith("pytorch-cpu=")
    ]
    assert "python=3.11" in CONDA
    assert not any(re.match(r"(pytorch|torch)\b(?!-cpu)", one) for one in CONDA)
    assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]


def test_no_line_makes_binder_rebuild_for_a_content_commit():
    assert not [one for one in PIP if re.match(r"-|file:|\.|.*@", one)]


def test_environment_yml_is_what_the_lock_makes():
    text = (TOP / "environment.yml").read_text(encoding="utf-8")
    assert text == lock_maker.render_environment(PINS)


# ---- the maker -----------------------------------------------------------------------------------

COMPILED = """\
accelerate==1.15.0
    # via peft
click==8.5.1
    # via
    #   hub-client
    #   typer
hub_client==2.4.0
    # via accelerate
peft==0.21.2
    # via osai (pyproject.toml)
torch==2.15.0 ; sys_platform == 'never'
    # via
    #   --override no.txt
    #   accelerate
    #   osai (pyproject.toml)
typer==0.29.2 ; python_full_version < '3.12'
    # via osai (pyproject.toml)
"""


def test_the_maker_finds_who_needs_torch_in_what_uv_prints():
    resolved = lock_maker.parse(COMPILED)
    assert [one.name for one in resolved] == [
        "accelerate", "click", "hub-client", "peft", "torch", "typer",
    ]  # fmt: skip
    assert resolved[-1].requirement == "typer==0.29.2 ; python_full_version < '3.12'"
    assert lock_maker.dependents(resolved, "torch") == {"accelerate", "peft"}


def test_what_the_maker_writes_is_what_set_up_reads(tmp_path):
    sections = {name: [] for name in lock_maker.SECTIONS}
    for pin in PINS:
        sections[pin.section].append(pin.requirement)
    text = lock_maker.render_lock(sections)
    assert text == (TOP / "requirements.txt").read_text(encoding="utf-8")
