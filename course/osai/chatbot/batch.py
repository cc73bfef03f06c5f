"""Replies to a file of messages: bad lines are named, the rest goes on, results are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osai.chatbot.conversations import Message
from osai.chatbot.reply import MOST_LETTERS, Reply
from osai.chatbot.shops import Shop
from osai.chatbot.systems import System


@dataclass(frozen=True)
class Request:
    """A line of the message file: its id, the shop, and the turns so far (the last a customer's)."""

    id: str
    shop: Shop
    turns: tuple[Message, ...]


def read_requests(path: Path, shops: dict[str, Shop]) -> tuple[list[Request], list[str]]:
    """The requests of a JSON-lines file, and a sentence for each line that is none.

    A line is ``{"id", "shop", "message", "history"?}``; ``history`` is a list of turns with
    ``role`` and ``content``; other keys are ignored. Raises OSError if the file cannot be read.
    """
    requests, problems = [], []
    for number, raw in enumerate(path.read_bytes().split(b"\n"), 1):
        if not raw.strip():
            continue
        try:
            requests.append(_request(json.loads(raw.decode("utf-8-sig")), shops))
        except UnicodeDecodeError:
            problems.append(f"{path}, line {number}: not UTF-8.")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            what = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
            problems.append(f"{path}, line {number}: {what}.")
    return requests, problems


def _request(record: dict, shops: dict[str, Shop]) -> Request:
    if not isinstance(record, dict):
        raise ValueError("an object {…} is expected")
    shop, message = record["shop"], record["message"]
    if shop not in shops:
        raise ValueError(f"no shop file '{shop}.json'; there are {', '.join(sorted(shops))}")
    if not isinstance(message, str) or not message.strip():
        raise ValueError("`message` must be a text that is not empty")
    if len(message) > MOST_LETTERS:
        raise ValueError(f"`message` has {len(message)} letters, more than {MOST_LETTERS}")
    turns = []
    for turn in record.get("history") or []:
        if turn["role"] not in ("user", "assistant") or not isinstance(turn["content"], str):
            raise ValueError("a turn of `history` needs role user or assistant, and content")
        turns.append(Message(turn["role"], turn["content"]))
    return Request(str(record["id"]), shops[shop], (*turns, Message("user", message)))


def write_replies(
    system: System,
    requests: Sequence[Request],
    out: Path,
    batch_size: int = 8,
    progress: bool = True,
) -> int:
    """Write a line a request, in order, and return how many.

    Lines are written batch by batch: what was done before an interruption stays.
    """
    from tqdm.auto import tqdm

    written = 0
    with (
        out.open("w", encoding="utf-8", newline="\n") as file,
        tqdm(total=len(requests), desc="Replying", disable=not progress) as bar,
    ):
        for start in range(0, len(requests), batch_size):
            chosen = requests[start : start + batch_size]
            answers = system.replies([(request.shop, request.turns) for request in chosen])
            for request, answer in zip(chosen, answers, strict=True):
                file.write(json.dumps(_record(request, answer), ensure_ascii=False) + "\n")
            file.flush()
            written += len(chosen)
            bar.update(len(chosen))
    return written


def lines(out: Path) -> int:
    """How many replies a file holds; 0 where there is none."""
    return out.read_bytes().count(b"\n") if out.is_file() else 0


def _record(request: Request, answer: Reply) -> dict[str, object]:
    return {
        "id": request.id,
        "reply": answer.text,
        "handoff": answer.handoff,
        "intent": answer.intent,
        "address": answer.address,
        "facts": list(answer.facts),
    }
