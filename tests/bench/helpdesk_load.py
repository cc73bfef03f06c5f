"""Fifty customers at once for two minutes, and the desk is killed in the middle.

The real model, the real database, the server in a process of its own. Each customer writes, waits for the
reply, thinks for a moment, writes again; what is refused or cut off is sent again with the same key, as
the page does. After one minute the server is killed with SIGKILL and started again. At the end the
database must hold every message once, and one reply for each.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from osai.authoring import results
from osai.chatbot import hanoi

CUSTOMERS = 50
SECONDS = 120
KILL_AFTER = 60
THINKS = (5.0, 15.0)  # seconds between a reply and the customer's next message
SHOP = hanoi.folder() / "shops" / "bep-ho-guom.json"
INPUTS = [
    "course/osai/chatbot/llama.py",
    "course/osai/helpdesk/api.py",
    "course/osai/helpdesk/desk.py",
    "course/osai/helpdesk/limits.py",
    "course/osai/helpdesk/schema.py",
    "course/osai/helpdesk/store.py",
    "tests/bench/helpdesk_load.py",
]


@dataclass
class Seen:
    """What the customers saw."""

    keys: set[str] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    cut_off: int = 0
    unclear: int = 0  # refused without a status that says why, or without a time to come back


class Server:
    """`osai serve` with the real model; limits a visitor apart, since all come from one address."""

    def __init__(self, database: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.database = database
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "osai.cli", "serve", "--shop", str(SHOP), "--port", str(self.port),
                "--database", f"sqlite:///{self.database}", "--scale", "10",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ,
        )  # fmt: skip

    async def answers(self, client: httpx.AsyncClient) -> None:
        for _ in range(600):
            try:
                if (await client.get("/healthz")).json()["model"] == "ready":
                    return
            except (httpx.HTTPError, ValueError):
                pass
            await asyncio.sleep(0.1)
        raise SystemExit("The desk does not start.")


async def customer(number: int, client: httpx.AsyncClient, until: float, seen: Seen) -> None:
    """One customer, until the time is up."""
    chance = random.Random(number)
    texts = [case.message for case in hanoi.customers("customers_dev4")]
    opened = await client.post("/api/conversations")
    session = {"X-Session": opened.json()["session"]}
    await asyncio.sleep(chance.uniform(0, THINKS[1]))
    turn = 0
    while time.monotonic() < until:
        key, text = f"{number}-{turn}", f"{chance.choice(texts)} ({number}.{turn})"
        seen.keys.add(key)
        await send(client, session, text, key, seen)
        turn += 1
        await asyncio.sleep(chance.uniform(*THINKS))


async def send(
    client: httpx.AsyncClient, session: dict[str, str], text: str, key: str, seen: Seen
) -> None:
    """Send until it is answered."""
    started = time.monotonic()
    while True:
        try:
            done = await client.post(
                "/api/messages", headers=session, json={"text": text, "key": key}
            )
        except httpx.HTTPError:
            seen.cut_off += 1
            await asyncio.sleep(0.5)
            continue
        if done.status_code == 200:
            heard = done.json()
            if heard["reply"] or heard["with_person"]:
                seen.seconds.append(time.monotonic() - started)
                return
            await asyncio.sleep(0.5)
            continue
        if done.status_code in (429, 503) and "Retry-After" in done.headers:
            seen.refused[str(done.status_code)] += 1
            await asyncio.sleep(int(done.headers["Retry-After"]))
        else:
            seen.unclear += 1
            return


async def load(database: Path) -> tuple[Seen, float]:
    """Run it; returns what was seen, and how long the second start took."""
    server, seen = Server(database), Seen()
    limits = httpx.Limits(max_connections=CUSTOMERS * 2)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.port}", timeout=60, limits=limits
    ) as client:
        await server.answers(client)
        until = time.monotonic() + SECONDS
        tasks = [asyncio.create_task(customer(i, client, until, seen)) for i in range(CUSTOMERS)]
        await asyncio.sleep(KILL_AFTER)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        again = time.monotonic()
        server.start()
        await server.answers(client)
        restarted = time.monotonic() - again
        await asyncio.gather(*tasks)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(60)
    return seen, restarted


def stored(database: Path) -> dict[str, int]:
    """What the database holds, read without our own code."""
    with sqlite3.connect(database) as connection:

        def one(query: str) -> int:
            return connection.execute(query).fetchone()[0]

        return {
            "messages": one("SELECT count(*) FROM messages WHERE role = 'customer'"),
            "different_keys": one(
                "SELECT count(DISTINCT key) FROM messages WHERE role = 'customer'"
            ),
            "without_reply": one(
                "SELECT count(*) FROM messages m WHERE role = 'customer' AND NOT EXISTS "
                "(SELECT 1 FROM messages r WHERE r.reply_to = m.id)"
            ),
            "replies": one("SELECT count(*) FROM messages WHERE role = 'shop'"),
        }


def main() -> None:
    """Measure and store."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "desk.sqlite")
        seen, restarted = asyncio.run(load(database))
        found = stored(database)
    cuts = statistics.quantiles(seen.seconds, n=100)
    path = results.write(
        "helpdesk_load",
        "make proof ARGS=helpdesk_load",
        INPUTS,
        {
            "customers": CUSTOMERS,
            "seconds": SECONDS,
            "thinking_seconds": THINKS,
            "sent": len(seen.keys),
            "answered": len(seen.seconds),
            "refused": dict(seen.refused),
            "cut_off_by_the_kill": seen.cut_off,
            "unclear": seen.unclear,
            "reply_seconds": {
                name: round(cuts[i - 1], 2)
                for name, i in (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99))
            },
            "seconds_until_ready_again": round(restarted, 1),
            "lost": len(seen.keys) - found["different_keys"],
            "doubled": found["messages"] - found["different_keys"],
            "stored": found,
        },
    )
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
