"""Stored once, kept, removed whole; from one thread or many."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from osai.helpdesk.schema import metadata
from osai.helpdesk.store import Answer, Removed, Store, StoreError

REPLY = Answer("Dạ.", "price", "chị", ["products.0"], False, "model", [], 0.5)
HANDED = Answer("Dạ em chuyển nhân viên.", "complaint", "chị", [], True, "model", [], 0.5)


def test_the_migrations_make_the_tables_of_the_schema(store: Store):
    made = sa.inspect(store.engine)
    for table in metadata.sorted_tables:
        assert {c["name"] for c in made.get_columns(table.name)} == set(table.c.keys())
        assert {i["name"] for i in made.get_indexes(table.name)} == {i.name for i in table.indexes}
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_second_start_keeps_what_is_there(store: Store, url: str):
    conversation, session = store.open("shop")
    store.say(conversation, "Còn hàng không?")
    again = Store(url)
    assert again.conversation(session) == conversation
    assert [turn.text for turn in again.turns(conversation)] == ["Còn hàng không?"]
    again.dispose()


def test_session_and_token_are_stored_as_hashes_only(store: Store, tmp_path: Path):
    _, session = store.open("shop")
    token = store.add_agent("Lan")
    store.engine.dispose()
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert session.encode() not in raw and token.encode() not in raw
    assert len(session) >= 40 and store.agent(token) == "Lan"
    assert store.agent("") is None and store.conversation("") is None


def test_a_new_token_ends_the_old_one(store: Store):
    old = store.add_agent("Lan")
    new = store.add_agent("Lan")
    assert store.agent(old) is None and store.agent(new) == "Lan"


def test_the_same_key_is_stored_once(store: Store):
    conversation, _ = store.open("shop")
    other, _ = store.open("shop")
    first = store.say(conversation, "Chào", "k1")
    assert store.say(conversation, "Chào", "k1") == first
    assert store.say(other, "Chào", "k1").id != first.id
    assert len(store.turns(conversation)) == 1


def test_many_threads_with_one_key_store_one_message(store: Store):
    conversation, _ = store.open("shop")
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(store.say(conversation, "Chào", "k").id))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12 and len(set(found)) == 1


def test_a_message_is_answered_once(store: Store):
    conversation, _ = store.open("shop")
    message = store.say(conversation, "Giá bao nhiêu?")
    assert [one.id for one in store.waiting()] == [message.id]
    first = store.answer(message.id, REPLY)
    second = store.answer(message.id, Answer("Khác", "price", "chị", [], False, "model", [], 1.0))
    assert first == second and store.waiting() == []
    assert [turn.text for turn in store.turns(conversation)] == ["Giá bao nhiêu?", "Dạ."]


def test_a_hand_off_makes_one_ticket_that_one_agent_gets(store: Store):
    conversation, _ = store.open("shop")
    for text in ("Hàng hỏng!", "Sao chưa ai gọi?"):
        store.answer(store.say(conversation, text).id, HANDED)
    (ticket,) = store.tickets()
    assert (ticket.reason, ticket.state) == ("complaint", "open")
    assert store.take(ticket.id, "Lan") and not store.take(ticket.id, "Minh")
    assert store.answer_as(ticket.id, "Minh", "Chào") is None
    assert not store.close(ticket.id, "Minh")
    later = store.say(conversation, "Alo?")
    assert store.waiting() == []  # a person has it
    answer = store.answer_as(ticket.id, "Lan", "Chào chị, tôi là Lan.", "k")
    assert store.answer_as(ticket.id, "Lan", "Chào chị, tôi là Lan.", "k") == answer
    assert store.answer(later.id, REPLY) is None  # answered by the person
    assert store.close(ticket.id, "Lan") and store.tickets() == []
    assert [one.id for one in store.waiting()] == []


def test_deleting_removes_all_of_one_customer_and_nothing_of_another(store: Store, tmp_path: Path):
    mine, session = store.open("shop")
    other, _ = store.open("shop")
    store.answer(store.say(mine, "Địa chỉ tôi: 8 Bí Mật").id, HANDED)
    store.say(other, "Còn hàng không?")
    assert store.delete(mine) == Removed(1, 2, 1)
    assert store.conversation(session) is None and store.turns(mine) == []
    assert store.tickets() == [] and len(store.turns(other)) == 1
    store.dispose()
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert "8 Bí Mật".encode() not in raw


def test_an_answer_to_a_deleted_message_is_dropped(store: Store):
    conversation, _ = store.open("shop")
    message = store.say(conversation, "Xóa đi")
    store.delete(conversation)
    assert store.answer(message.id, REPLY) is None


def test_a_locked_database_says_so_and_stores_nothing(url: str, monkeypatch):
    monkeypatch.setattr("osai.helpdesk.store.BUSY_MS", 100)
    store = Store(url)
    conversation, _ = store.open("shop")
    holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.say(conversation, "Chào")
    holder.execute("ROLLBACK")
    assert store.turns(conversation) == []
    assert store.say(conversation, "Chào").waiting


def test_a_full_disk_says_so_and_stores_nothing(store: Store):
    conversation, _ = store.open("shop")

    @sa.event.listens_for(store.engine, "begin")
    def no_more_pages(connection: sa.Connection) -> None:  # SQLite's own "database or disk is full"
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreError, match="full"):
        for _ in range(40):
            store.say(conversation, "Chào shop " * 300)
    sa.event.remove(store.engine, "begin", no_more_pages)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    stored = len(store.turns(conversation))
    assert store.say(conversation, "Chào").waiting
    assert len(store.turns(conversation)) == stored + 1


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path):
    with pytest.raises(StoreError, match="cannot be used"):
        Store(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite'}")
    other = tmp_path / "text.sqlite"
    other.write_text("this is no database, but a text that somebody keeps here" * 20)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(f"sqlite:///{other}")


def test_the_check_leaves_nothing_behind(store: Store):
    store.check()
    assert not store.has_agents()
