"""Talk to a running desk from a notebook, over HTTP as any customer does."""

from __future__ import annotations

import html
import secrets
from typing import TYPE_CHECKING

import httpx

from osai import controls
from osai.plain import PlainError

if TYPE_CHECKING:
    import ipywidgets


class DeskError(PlainError, RuntimeError):
    """The desk cannot be reached or has refused; the message says why and what to do next."""


class Customer:
    """A customer of a running desk: ``say`` sends a message, ``controls`` is a chat to touch."""

    def __init__(self, url: str = "http://127.0.0.1:8400", timeout: float = 60.0) -> None:
        self._client = httpx.Client(base_url=url.rstrip("/") + "/", timeout=timeout)
        opened = self._call("POST", "api/conversations")
        self.shop: str = opened["shop"]
        self.greeting: str = opened["greeting"]
        self._client.headers["X-Session"] = opened["session"]

    def say(self, text: str) -> str:
        """Send a message; returns the reply, or an empty text where a person is to answer."""
        heard = self._call("POST", "api/messages", {"text": text, "key": secrets.token_hex(16)})
        return heard["reply"]["text"] if heard["reply"] else ""

    def messages(self) -> list[dict[str, str]]:
        """The conversation so far: ``role`` (customer, shop or agent) and ``text``."""
        found = self._call("GET", "api/messages")["messages"]
        return [{"role": one["role"], "text": one["text"]} for one in found]

    def delete(self) -> dict[str, int]:
        """Delete the conversation at the desk; returns what was removed."""
        return self._call("DELETE", "api/conversation")

    def _call(self, method: str, path: str, body: dict | None = None) -> dict:
        try:
            response = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise DeskError(
                f"No desk answers at {self._client.base_url} ({type(error).__name__}). Next step: "
                "start it with `osai serve --shop FILE` in a terminal."
            ) from None
        if response.is_error:
            try:
                detail = response.json()["detail"]
            except (ValueError, KeyError, TypeError):
                detail = response.status_code
            raise DeskError(str(detail))
        return response.json()

    def as_html(self) -> str:
        """The conversation as HTML; what was typed is escaped."""
        names = {"customer": "Customer", "shop": self.shop, "agent": "A person"}
        lines = [
            f"<p><b>{html.escape(names[one['role']])}:</b> "
            f'<span lang="vi">{html.escape(one["text"])}</span></p>'
            for one in [{"role": "shop", "text": self.greeting}, *self.messages()]
        ]
        return f'<div role="log">{"".join(lines)}</div>'

    def controls(self) -> ipywidgets.VBox:
        """The chat: Enter or the button sends, a second button looks for a person's answer."""
        import ipywidgets

        log = ipywidgets.HTML(self.as_html())
        said = ipywidgets.HTML()
        box = ipywidgets.Text(
            description="Customer",
            placeholder="Viết tin nhắn bằng tiếng Việt",
            layout=ipywidgets.Layout(width="90%", max_width="40em"),
        )
        send = ipywidgets.Button(description="Send", tooltip="Send the message")
        look = ipywidgets.Button(description="Look", tooltip="Look for new messages")

        def refresh(_: object = None) -> None:
            try:
                log.value, said.value = self.as_html(), ""
            except DeskError as error:
                said.value = html.escape(str(error))

        def on_send(_: object) -> None:
            text = box.value
            if not text.strip():
                return
            send.disabled = True
            try:
                self.say(text)
                box.value = ""
                refresh()
            except DeskError as error:
                said.value = html.escape(str(error))
            finally:
                send.disabled = False

        send.on_click(on_send)
        look.on_click(refresh)
        box.on_submit(on_send)
        return controls.group(log, said, box, ipywidgets.HBox([send, look]))
