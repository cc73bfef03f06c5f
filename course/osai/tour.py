"""The whole story in one run, without a screen: ``make tour``.

The chatbot meets 25 customers and fails, is fine-tuned for some minutes, meets them again, and once
more with the finished adapter that ships; then assignment 4 is released, three sample students hand
it in, nbgrader grades it and writes feedback. Ends with exit code 1 if the chatbot did not learn
what it should or a grade is not as expected.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from osai.chatbot import hanoi, training
from osai.chatbot.conversations import ConversationError
from osai.chatbot.evaluation import Judged, evaluate
from osai.chatbot.model import Chatbot, ModelError, load, merge
from osai.chatbot.shops import ShopError
from osai.grading import rehearsal
from osai.grading.stock import GradingError, find_course
from osai.places import PlaceError, checkout

SHOWN = 5
AT_LEAST_AFTER = 12  # of 25, after a few minutes of training
AT_LEAST_FINISHED = 20  # with the adapter that ships
AT_MOST_BEFORE = 3
CONVERSATIONS = 600  # of 2,400: enough to see it learn
CONFIG = training.TrainingConfig(batch_tokens=256, pack_tokens=256)  # few data: many small steps


def bar(console: Console) -> Progress:
    """A progress bar with time gone and time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} {task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def meet(console: Console, chatbot: Chatbot, what: str) -> list[Judged]:
    """Let the chatbot reply to every held-out customer, with progress, and judge the replies."""
    cases = hanoi.customers()
    with bar(console) as progress:
        task = progress.add_task(what, total=len(cases), note="customers")
        return evaluate(
            chatbot, hanoi.shops(), cases, on_batch=lambda done: progress.advance(task, done)
        )


def show(console: Console, judged: Sequence[Judged]) -> None:
    """Print the first customers: message, reply, and pass or fail of each check."""
    for one in judged[:SHOWN]:
        console.print(f"\n[bold]{one.case.id}[/] {escape(one.case.message)}")
        on_one_line = " ".join(one.reply.text.split())
        console.print(f"    {escape(on_one_line[:240])}", style="cyan")
        marks = [
            f"[green]pass[/] {check.name}" if check.passed else f"[red]FAIL[/] {check.name}"
            for check in one.checks
        ]
        console.print("    " + "  ".join(marks))


def fine_tune(console: Console) -> Chatbot:
    """Train on the course's conversations with progress, and return the trained chatbot."""
    messages = hanoi.training_messages()[:CONVERSATIONS]
    chatbot = load(dtype=CONFIG.dtype)
    with bar(console) as progress:
        task = progress.add_task("Fine-tuning", total=None, note="")

        def on_step(step: training.Step) -> None:
            progress.update(
                task,
                total=step.steps,
                completed=step.step,
                note=f"loss {step.loss:.2f}, {step.tokens_per_second:.0f} tokens/s",
            )
            if not console.is_terminal and step.step % 25 == 0:  # a log has no moving bar
                console.print(
                    f"  step {step.step} of {step.steps}, loss {step.loss:.2f}, "
                    f"{step.seconds:.0f} seconds"
                )

        result = training.train(chatbot, messages, CONFIG, on_step=on_step, progress=False)
    if result.ended != "done":
        raise KeyboardInterrupt
    return merge(result.chatbot)


def grade(console: Console, assignment: str, folder: Path) -> rehearsal.Rehearsal:
    """Release the assignment, place the sample submissions, autograde, write feedback."""
    root = find_course(checkout())
    with bar(console) as progress:
        task = progress.add_task("Grading", total=None, note="")

        def say(step: int, total: int, text: str) -> None:
            progress.update(task, total=total, completed=step - 1, note=text)
            progress.console.print(f"  {step} of {total}: {escape(text)}")

        done = rehearsal.rehearse(root, assignment, folder, say)
        progress.update(task, completed=progress.tasks[0].total, note="done")
    return done


def gradebook(done: rehearsal.Rehearsal) -> Table:
    """The gradebook as a table: a row a student, a column a graded cell."""
    table = Table(title="Gradebook")
    table.add_column("student")
    ids = [one.grade_id for one in done.results[0].grades] if done.results else []
    for grade_id in ids:
        table.add_column(grade_id, justify="right")
    table.add_column("sum", justify="right")
    for row in done.results:
        points = {one.grade_id: one for one in row.grades}
        cells = [f"{points[i].points:g}/{points[i].maximum:g}" for i in ids]
        table.add_row(row.student, *cells, f"{row.points:g}/{row.maximum:g}")
    return table


def tell(console: Console, assignment: str, folder: Path) -> list[str]:
    """The story; returns what is not as it should be, one sentence each."""
    wrong = []
    console.rule("1. The chatbot as it comes")
    chatbot = load(dtype=CONFIG.dtype)
    console.print(f"{chatbot.name}, its weights as Q4_1 (see data/hanoi/README.md).")
    before = meet(console, chatbot, "Before")
    show(console, before)
    del chatbot

    console.rule("2. Fine-tuning")
    trained = fine_tune(console)

    console.rule("3. The same customers again")
    after = meet(console, trained, "After")
    show(console, after)
    del trained
    finished = meet(console, hanoi.load("finetuned"), "With the adapter that ships")
    passed = [sum(one.passed for one in judged) for judged in (before, after, finished)]
    console.print(
        f"\nOf {len(after)} held-out customers, {passed[0]} passed every check before, {passed[1]} "
        f"after training on {CONVERSATIONS} conversations, and {passed[2]} with the adapter that ships."
    )
    if passed[0] > AT_MOST_BEFORE:
        wrong.append(f"{passed[0]} customers passed before training, at most {AT_MOST_BEFORE}.")
    if passed[1] < AT_LEAST_AFTER:
        wrong.append(f"{passed[1]} customers passed after training, at least {AT_LEAST_AFTER}.")
    if passed[2] < AT_LEAST_FINISHED:
        wrong.append(
            f"{passed[2]} customers passed with our adapter, at least {AT_LEAST_FINISHED}."
        )

    console.rule("4. An assignment, released, handed in, graded")
    done = grade(console, assignment, folder)
    console.print(gradebook(done))
    feedback = [file for row in done.results for file in row.feedback]
    console.print(f"{len(feedback)} feedback pages were written for {len(done.results)} students.")
    return wrong + [f"Gradebook: {line}." for line in done.differences]


def main(argv: list[str] | None = None) -> int:
    """``python -m osai.tour [--keep FOLDER]``: 0, or 1 if something is not as expected."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    parser = argparse.ArgumentParser(prog="osai tour", description=__doc__.splitlines()[0])
    parser.add_argument("--assignment", default="a4-teach-the-chatbot")
    parser.add_argument("--keep", type=Path, help="a new folder in which the graded class stays")
    options = parser.parse_args(argv)
    console = Console(soft_wrap=True, highlight=False)
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
            folder = options.keep or Path(temporary) / "course"
            wrong = tell(console, options.assignment, folder)
    except (ModelError, GradingError, ConversationError, ShopError, PlaceError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. `make tour` starts it again.", file=sys.stderr)
        return 130
    for line in wrong:
        console.print(f"[red]Not as expected:[/] {escape(line)}")
    minutes = (time.monotonic() - start) / 60
    console.print(f"The tour took {minutes:.1f} minutes." + ("" if wrong else " All as expected."))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
