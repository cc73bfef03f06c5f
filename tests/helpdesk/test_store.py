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


def test_the_migrations_make_the_tables_of_the_schema(anywhere: Store):
    made = sa.inspect(anywhere.engine)
    for table in metadata.sorted_tables:
        assert {c["name"] for c in made.get_columns(table.name)} == set(table.c.keys())
        indexes = [i for i in made.get_indexes(table.name) if "duplicates_constraint" not in i]
        assert {i["name"] for i in indexes} == {i.name for i in table.indexes}
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with anywhere.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_second_start_keeps_what_is_there(anywhere: Store):
    conversation, session = anywhere.open("shop")
    anywhere.say(conversation, "Còn hàng không?")
    again = Store(anywhere.url)
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


def test_a_new_token_ends_the_old_one(anywhere: Store):
    old = anywhere.add_agent("Lan")
    new = anywhere.add_agent("Lan")
    assert anywhere.agent(old) is None and anywhere.agent(new) == "Lan"


def test_the_same_key_is_stored_once(anywhere: Store):
    conversation, _ = anywhere.open("shop")
    other, _ = anywhere.open("shop")
    first = anywhere.say(conversation, "Chào", "k1")
    assert anywhere.say(conversation, "Chào", "k1") == first
    assert anywhere.say(other, "Chào", "k1").id != first.id
    assert len(anywhere.turns(conversation)) == 1


def test_many_threads_with_one_key_store_one_message(anywhere: Store):
    conversation, _ = anywhere.open("shop")
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(anywhere.say(conversation, "Chào", "k").id))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12 and len(set(found)) == 1


def test_a_message_is_answered_once(anywhere: Store):
    conversation, _ = anywhere.open("shop")
    message = anywhere.say(conversation, "Giá bao nhiêu?")
    assert [one.id for one in anywhere.waiting()] == [message.id]
    first = anywhere.answer(message.id, REPLY)
    second = anywhere.answer(
        message.id, Answer("Khác", "price", "chị", [], False, "model", [], 1.0)
    )
    assert first == second and anywhere.waiting() == []
    assert [turn.text for turn in anywhere.turns(conversation)] == ["Giá bao nhiêu?", "Dạ."]


def test_a_hand_off_makes_one_ticket_that_one_agent_gets(anywhere: Store):
    conversation, _ = anywhere.open("shop")
    for text in ("Hàng hỏng!", "Sao chưa ai gọi?"):
        anywhere.answer(anywhere.say(conversation, text).id, HANDED)
    (ticket,) = anywhere.tickets()
    assert (ticket.reason, ticket.state) == ("complaint", "open")
    assert anywhere.take(ticket.id, "Lan") and not anywhere.take(ticket.id, "Minh")
    assert anywhere.answer_as(ticket.id, "Minh", "Chào") is None
    assert not anywhere.close(ticket.id, "Minh", 99)
    later = anywhere.say(conversation, "Alo?")
    assert anywhere.waiting() == []  # a person has it
    answer = anywhere.answer_as(ticket.id, "Lan", "Chào chị, tôi là Lan.", "k")
    assert anywhere.answer_as(ticket.id, "Lan", "Chào chị, tôi là Lan.", "k") == answer
    assert anywhere.answer(later.id, REPLY) is None  # answered by the person
    assert anywhere.close(ticket.id, "Lan", answer.id) and anywhere.tickets() == []
    assert [one.id for one in anywhere.waiting()] == []


def test_deleting_removes_all_of_one_customer_and_nothing_of_another(anywhere: Store):
    mine, session = anywhere.open("shop")
    other, _ = anywhere.open("shop")
    anywhere.answer(anywhere.say(mine, "Hàng hỏng rồi").id, HANDED)
    anywhere.say(other, "Còn hàng không?")
    assert anywhere.delete(mine) == Removed(1, 2, 1)
    assert anywhere.conversation(session) is None and anywhere.turns(mine) == []
    assert anywhere.tickets() == [] and len(anywhere.turns(other)) == 1


def test_nothing_of_a_deleted_message_stays_in_sqlites_files(store: Store, tmp_path: Path):
    conversation, _ = store.open("shop")
    store.answer(store.say(conversation, "Địa chỉ tôi: 8 Bí Mật").id, HANDED)
    store.delete(conversation)
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert "8 Bí Mật".encode() not in raw


def test_a_deleted_number_is_never_given_again(anywhere: Store):
    first, _ = anywhere.open("shop")
    message = anywhere.say(first, "Hàng hỏng")
    anywhere.answer(message.id, HANDED)
    (ticket,) = anywhere.tickets()
    anywhere.delete(first)
    second, _ = anywhere.open("shop")
    again = anywhere.say(second, "Hàng hỏng")
    anywhere.answer(again.id, HANDED)
    assert second > first and again.id > message.id + 1
    assert anywhere.tickets()[0].id > ticket.id


def test_what_the_agent_has_not_seen_waits_for_the_chatbot_after_closing(anywhere: Store):
    conversation, _ = anywhere.open("shop")
    anywhere.answer(anywhere.say(conversation, "Hàng hỏng").id, HANDED)
    (ticket,) = anywhere.tickets()
    anywhere.take(ticket.id, "Lan")
    seen = anywhere.say(conversation, "Chị ơi")
    unseen = anywhere.say(conversation, "Bếp từ giá bao nhiêu?")
    assert anywhere.close(ticket.id, "Lan", seen.id)
    assert [one.id for one in anywhere.waiting()] == [unseen.id]


def test_the_chatbot_is_silent_once_a_person_has_taken_over(anywhere: Store):
    conversation, _ = anywhere.open("shop")
    anywhere.answer(anywhere.say(conversation, "Hàng hỏng").id, HANDED)
    writing = anywhere.say(conversation, "Giá bếp từ?")
    anywhere.take(anywhere.tickets()[0].id, "Lan")
    assert anywhere.answer(writing.id, REPLY) is None
    assert anywhere.turns(conversation)[-1].role == "customer"


def test_an_answer_to_a_deleted_message_is_dropped(anywhere: Store):
    conversation, _ = anywhere.open("shop")
    message = anywhere.say(conversation, "Xóa đi")
    anywhere.delete(conversation)
    assert anywhere.answer(message.id, REPLY) is None


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
    for url in ("foo", "nosuch://x", "postgresql+psycopg://nobody@127.0.0.1:9/none"):
        with pytest.raises(StoreError, match="cannot be used"):
            Store(url)


def test_the_check_leaves_nothing_behind(anywhere: Store):
    anywhere.check()
    assert not anywhere.has_agents()
