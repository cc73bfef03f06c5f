"""Run a desk: one shop, one database, one web server."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from osai.chatbot import shops
from osai.chatbot.conversations import Message
from osai.chatbot.shops import Shop
from osai.helpdesk import logs
from osai.helpdesk.desk import Desk
from osai.helpdesk.store import Store

if TYPE_CHECKING:
    from osai.chatbot.systems import System

FIRST_AGENT = "agent"


def data_dir() -> Path:
    """Where desks keep their databases: ``OSAI_DESKS`` if set, else the user's data folder."""
    if folder := os.environ.get("OSAI_DESKS"):
        return Path(folder)
    from platformdirs import user_data_path

    return user_data_path("osai", appauthor=False) / "desks"


def default_url(shop_file: Path) -> str:
    """The SQLite database of a shop, named after its file."""
    folder = data_dir()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"sqlite:///{folder / shop_file.stem}.sqlite"


def load_system(name: str, engine: str, shop: Shop) -> Callable[[], System]:
    """What makes the system, in the desk's own thread.

    It greets once before it is ready, so that the first customer does not wait for what is read at first use.
    """

    def load() -> System:
        from osai.chatbot import systems

        system = systems.load(name, engine)
        system.replies([(shop, [Message("user", "Chào shop")])])
        return system

    return load


def token(shop_file: Path, url: str | None, name: str) -> str:
    """A new token for an agent; an older one of theirs stops working at once. Raises StoreError."""
    shops.load_shop(shop_file)
    store = Store(url or default_url(shop_file))
    try:
        return store.add_agent(name)
    finally:
        store.dispose()


def run(
    shop_file: Path,
    url: str | None,
    host: str,
    port: int,
    model: str = "pipeline",
    engine: str = "auto",
    scale: int = 1,
) -> None:
    """Serve until stopped (Ctrl-C or SIGTERM); what has been taken is answered first.

    Raises ShopError for a bad shop file, StoreError for a database that cannot be used.
    """
    import uvicorn

    from osai.helpdesk import api, limits

    logs.set_up()
    shop = shops.load_shop(shop_file)
    store = Store(url or default_url(shop_file))
    try:
        if not store.has_agents():
            print(f"Token of {FIRST_AGENT}, shown this once: {store.add_agent(FIRST_AGENT)}")
        app = api.create(Desk(store, shop, load_system(model, engine, shop)), limits.Limits(scale))
        print(
            f"Customers: http://{host}:{port}/   People: http://{host}:{port}/agent   Stop: Ctrl-C",
            flush=True,
        )
        # uvicorn stops cleanly and then raises the signal once more: that is the end, and no error.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # any visitor could write them, and so pass for another
            timeout_graceful_shutdown=30,
        )
    finally:
        store.dispose()
        sys.stdout.flush()
