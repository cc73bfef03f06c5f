"""nbgrader's settings for this course.

`assignments/` is the course root, wherever JupyterLab or a terminal was started: nbgrader reads
this file from the current folder or from the Jupyter configuration path (`make course` sets it).
"""

import os
import sys
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir

root = Path(__file__).resolve().parent

c = get_config()  # noqa: F821  (Jupyter defines it)

c.CourseDirectory.course_id = "osai"
c.CourseDirectory.root = str(root)
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.zip"]

# Released assignments are fetched into the student's own folder, which git ignores.
work = Path(os.environ.get("OSAI_WORK") or root.parent / "my-work")
# The exchange passes assignments between accounts on one computer. nbgrader's refuses Windows.
exchange = Path(os.environ.get("OSAI_EXCHANGE") or Path(jupyter_data_dir()) / "osai-exchange")
if sys.platform != "win32":
    for folder in (work, exchange):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue  # nbgrader says so when the folder is needed
    c.Exchange.root = str(exchange)
    c.Exchange.assignment_dir = str(work)
c.ExchangeSubmit.strict = True  # a submission without its notebook is refused

c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

# One cell may train a small model on one slow core.
c.Execute.timeout = 240
c.Execute.startup_timeout = 120
# No warning about the kernel's sockets, which only this computer can reach.
c.Execute.extra_arguments = ["--log-level=40"]
# A test cell that a student deleted comes back, instead of scoring 0 in silence.
c.OverwriteCells.add_missing_cells = True
# nbgrader gives no points to a cell with anything on stderr. Warnings and progress bars are no fault.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"Warning|warnings\.warn|it/s\]|s/it\]|\d+%\|"
c.LimitOutput.max_lines = 500
c.LimitOutput.max_traceback = 40

# Hand-in zips: <student>__<assignment>.zip with the notebook in it (see README.md).
c.FileNameCollectorPlugin.named_regexp = (
    r".*[/\\](?P<student_id>[\w.\-]+?)__[\w.\-]+[/\\](?P<file_id>[\w.\-]+)"
)
