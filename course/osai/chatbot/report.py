"""The report of an evaluation, for ``osai evaluate``: tables for a reader, JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from osai.chatbot import systems
from osai.chatbot.cases import Case, load_cases
from osai.chatbot.evaluation import Judged, evaluate
from osai.chatbot.model import ModelError
from osai.chatbot.scores import Difference, Share, difference, shares
from osai.chatbot.shops import Shop, load_shops


def main(
    shops: Path, cases: Path, models: Sequence[str], as_json: bool, engine: str = "auto"
) -> None:
    """Evaluate one model, or two on the same cases, and print the report.

    ``models`` and ``engine`` are names as ``systems.load`` knows them. Raises ModelError, ShopError, ConversationError.
    """
    if len(set(models)) < len(models):
        raise ModelError(f"{models[0]} cannot be compared with itself. Next step: name two models.")
    known, asked = load_shops(shops), load_cases(cases)
    systems: dict[str, list[Judged]] = {}
    for name in models:
        systems[name] = _judge(name, engine, known, asked)
    compared = None
    if len(systems) == 2:
        first, second = systems.values()
        compared = difference(first, second)
    if as_json:
        print(json.dumps(as_record(systems, compared), ensure_ascii=False, indent=1))
    else:
        show(systems, compared)


def _judge(name: str, engine: str, shops: dict[str, Shop], cases: list[Case]) -> list[Judged]:
    from tqdm.auto import tqdm

    system = systems.load(name, engine)
    with tqdm(total=len(cases), desc=f"Customers of {name}") as bar:

        def on_batch(done: int) -> None:
            bar.update(done)

        return evaluate(system, shops, cases, on_batch=on_batch)


def as_record(systems: dict[str, list[Judged]], compared: Difference | None) -> dict[str, Any]:
    """The whole evaluation as plain data: shares, every reply with its checks, the difference."""
    return {
        "systems": {
            name: {
                "shares": [asdict(share) for share in shares(judged)],
                "cases": [
                    {
                        "id": one.case.id,
                        "passed": one.passed,
                        "reply": one.reply.text,
                        "failed": {c.name: c.detail for c in one.checks if not c.passed},
                    }
                    for one in judged
                ],
            }
            for name, judged in systems.items()
        },
        "difference": asdict(compared) if compared else None,
    }


def show(systems: dict[str, list[Judged]], compared: Difference | None) -> None:
    """Print a table for each system, its failures, and the difference of two."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(soft_wrap=True, highlight=False)
    for name, judged in systems.items():
        table = Table(title=escape(name))
        for column, side in (("", "left"), ("", "left"), ("passed", "right"), ("share", "right"),
                             ("95 % interval", "right")):  # fmt: skip
            table.add_column(column, justify=side)
        for share in shares(judged):
            table.add_row(*_cells(share))
        console.print(table)
        for one in judged:
            failed = ", ".join(check.name for check in one.checks if not check.passed)
            if failed:
                reply = " ".join(one.reply.text.split())[:200]
                console.print(f"{escape(one.case.id)} [red]{failed}[/]: {escape(reply)}")
    if compared:
        first, second = systems
        console.print(
            f"\nFrom {escape(first)} to {escape(second)}, the share of {compared.total} cases that "
            f"pass changes by {100 * compared.gap:+.0f} percentage points (95 % interval "
            f"{100 * compared.low:+.0f} to {100 * compared.high:+.0f}). {compared.only_first} cases "
            f"pass with the first only, {compared.only_second} with the second only; McNemar's "
            f"exact test: p = {compared.p_value:.2g}."
        )


def _cells(share: Share) -> tuple[str, ...]:
    return (
        share.group,
        share.name,
        f"{share.passed}/{share.total}",
        f"{share.value:.0%}",
        f"{share.low:.0%} to {share.high:.0%}",
    )
