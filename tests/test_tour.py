"""The tour: the whole story, run once as `make tour` runs it."""

import os
import re
import subprocess
import sys

from osai import allocator


def test_the_tour_ends_as_expected_without_a_screen(tmp_path):
    environment = {**os.environ, **allocator.variables()}  # as `make tour` does
    environment |= {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    environment.pop("DISPLAY", None)
    done = subprocess.run(
        [sys.executable, "-m", "osai.tour", "--keep", str(tmp_path / "class")],
        capture_output=True,
        env=environment,
        check=False,
        timeout=1800,
    )
    story = done.stdout.decode("utf-8")
    (tmp_path / "story.txt").write_text(story, encoding="utf-8")
    assert done.returncode == 0, story[-3000:] + done.stderr.decode("utf-8")[-2000:]
    assert "All as expected." in story
    assert float(re.search(r"The tour took ([\d.]+) minutes", story)[1]) < 10
    for student in ("sample-right", "sample-half-right", "sample-untouched"):
        assert student in story
    assert (tmp_path / "class" / "gradebook.db").is_file()
    assert len(list((tmp_path / "class" / "feedback").rglob("*.html"))) == 3


def test_a_tour_without_the_model_says_what_to_do(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "osai.tour"],
        capture_output=True,
        env={**os.environ, "OSAI_CACHE": str(tmp_path)},
        check=False,
        timeout=300,
    )
    told = done.stderr.decode("utf-8")
    assert done.returncode == 1 and "Next step" in told and "Traceback" not in told
