"""Every relative link of a page or a lesson leads to a file of the project."""

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

TOP = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)|(?:src|href)=\"([^\"#]+)")


def pages() -> list[Path]:
    """Tracked Markdown pages and notebooks."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.md", "*.ipynb"],
        cwd=TOP, capture_output=True, encoding="utf-8", check=True,
    ).stdout  # fmt: skip
    return sorted(TOP / name for name in listed.split("\0") if name)


def text_of(page: Path) -> str:
    if page.suffix == ".md":
        return page.read_text(encoding="utf-8")
    cells = nbformat.read(page, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def broken(page: Path) -> list[str]:
    """Relative links of a page that lead nowhere."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text_of(page), flags=re.DOTALL)
    targets = {first or second for first, second in LINK.findall(text)}
    return sorted(
        target
        for target in targets
        if not re.match(r"[a-z]+:", target) and not (page.parent / unquote(target)).exists()
    )


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(TOP).as_posix())
def test_relative_links_resolve(page: Path):
    assert not broken(page)


def test_a_broken_link_would_be_found(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("[a](nowhere.md) `[b](code.md)` [c](https://x.org) [d](page.md#x)", "utf-8")
    assert broken(page) == ["nowhere.md"]
