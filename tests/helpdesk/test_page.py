"""Both sides of the page at once, in a real browser: a customer writes, a person takes over."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from osai.chatbot import hanoi, systems
from osai.helpdesk import api, limits
from osai.helpdesk.desk import Desk
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "CI must install chromium"
        pytest.skip("no chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@pytest.fixture
def served(store) -> Iterator[str]:
    """The desk's address, on a real port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    desk = Desk(store, hanoi.shops()["bep-ho-guom"], lambda: systems.load("faq"))
    server = uvicorn.Server(
        uvicorn.Config(api.create(desk, limits.Limits(50)), port=port, log_level="warning")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


def opened(browser: Browser, address: str, faults: list[str], **options: object) -> Page:
    page = browser.new_context(**options).new_page()
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    return page


def test_a_customer_and_an_agent_at_once(browser, served, store, tmp_path):
    token = store.add_agent("Lan (sample)")
    faults: list[str] = []
    customer = opened(browser, f"{served}/", faults, viewport={"width": 390, "height": 800})
    agent = opened(browser, f"{served}/agent", faults, viewport={"width": 1280, "height": 800})
    log = customer.get_by_role("log")
    expect(log).to_contain_text("trợ lý")

    customer.keyboard.press("Tab")
    customer.get_by_label("Tin nhắn của bạn").fill("Đơn BH1042 của chị tới đâu rồi em?")
    customer.keyboard.press("Enter")
    expect(log).to_contain_text("24/11/2026")
    customer.get_by_label("Tin nhắn của bạn").fill("<b>Hàng hỏng</b> rồi, chị muốn gặp quản lý!")
    customer.get_by_role("button", name="Gửi").click()
    expect(customer.get_by_role("status")).to_contain_text("Đã chuyển cho nhân viên")
    assert log.locator("b").count() == 0

    agent.get_by_label("Mã truy cập của nhân viên").fill(token)
    agent.keyboard.press("Enter")
    agent.get_by_role("button", name="quản lý").click()
    expect(agent.get_by_role("log")).to_contain_text("BH1042")
    agent.get_by_role("button", name="Nhận xử lý").click()
    agent.get_by_label("Trả lời khách").fill("Chào chị, tôi là Lan, tôi gọi chị ngay.")
    agent.get_by_role("button", name="Gửi").click()
    expect(log).to_contain_text("tôi là Lan", timeout=10_000)
    expect(customer.get_by_role("status")).to_contain_text("Nhân viên đang hỗ trợ")
    customer.get_by_label("Tin nhắn của bạn").fill("Cảm ơn chị Lan")
    customer.keyboard.press("Enter")
    expect(agent.get_by_role("log")).to_contain_text("Cảm ơn chị Lan", timeout=10_000)
    agent.get_by_role("button", name="Đóng yêu cầu").click()
    expect(agent.get_by_text("Không có yêu cầu nào đang chờ.")).to_be_visible()

    agent.get_by_role("button", name="English").click()
    agent.get_by_role("button", name="Figures").click()
    expect(agent.locator(".figure .main-svg").first).to_be_visible(timeout=20_000)
    assert agent.locator(".figure").count() == 6
    for page in (customer, agent):
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, "the page is wider than its window"

    customer.on("dialog", lambda dialog: dialog.accept())
    customer.get_by_role("button", name="Xóa dữ liệu của tôi").click()
    expect(customer.get_by_role("status")).to_contain_text("Đã xóa 6 tin nhắn và 1 yêu cầu")
    assert store.records() == ([], [])
    assert faults == []


def test_every_control_has_a_name_and_is_reached_by_tab(browser, served, store):
    page = opened(browser, f"{served}/", [])
    expect(page.get_by_role("log")).to_contain_text("trợ lý")
    names = []
    for _ in range(6):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "(e => e.labels && e.labels[0] ? e.labels[0].textContent : e.textContent)"
                "(document.activeElement)"
            ).strip()
        )
    assert names[:5] == [
        "Đến ô nhập tin nhắn", "English", "Xóa dữ liệu của tôi", "Tin nhắn của bạn", "Gửi",
    ]  # fmt: skip


def test_what_could_not_be_sent_stays_in_the_box(browser, served):
    page = opened(browser, f"{served}/", [])
    expect(page.get_by_role("log")).to_contain_text("trợ lý")
    page.context.set_offline(True)
    box = page.get_by_label("Tin nhắn của bạn")
    box.fill("Còn nồi không?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Chưa gửi được")
    expect(box).to_have_value("Còn nồi không?")
    page.context.set_offline(False)
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Còn nồi không?")
    expect(box).to_have_value("")
