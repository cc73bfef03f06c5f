"""Controls for notebooks: talk to a chatbot, watch the loss while it trains.

Everything a control shows can also be had as plain values (`Chat.say`, `LossCurve.steps`), so that
a test needs no browser and the page says something without a kernel.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from osai import controls
from osai.chatbot.conversations import Message
from osai.chatbot.model import Chatbot
from osai.chatbot.reply import reply
from osai.chatbot.shops import Shop
from osai.chatbot.training import Step

if TYPE_CHECKING:
    import ipywidgets
    import plotly.graph_objects as go


class Chat:
    """A chat with one shop: a text box, a button, and the conversation so far.

    ``controls()`` is the widget; ``say(text)`` does what the button does and returns the reply.
    """

    def __init__(self, chatbot: Chatbot, shop: Shop) -> None:
        self.chatbot = chatbot
        self.shop = shop
        self.turns: list[Message] = []

    def say(self, text: str) -> str:
        """Send a customer's message and return the shop's reply; an empty one is passed over."""
        if not text.strip():
            return ""
        answer = reply(self.chatbot, self.shop, text, self.turns).text
        self.turns += [Message("user", text), Message("assistant", answer)]
        return answer

    def as_html(self) -> str:
        """The conversation as HTML; what was typed is escaped."""
        names = {"user": "Customer", "assistant": self.shop.name}
        lines = [
            f"<p><b>{html.escape(names[turn.role])}:</b> "
            f'<span lang="vi">{html.escape(turn.content)}</span></p>'
            for turn in self.turns
        ]
        return f'<div role="log">{"".join(lines)}</div>'

    def controls(self) -> ipywidgets.VBox:
        """The widget: Enter or the button sends; a second button starts anew."""
        import ipywidgets

        log = ipywidgets.HTML(self.as_html())
        box = ipywidgets.Text(
            description="Customer",
            placeholder="Viết tin nhắn bằng tiếng Việt",
            layout=ipywidgets.Layout(width="90%", max_width="40em"),
        )
        send = ipywidgets.Button(description="Send", tooltip="Send the message")
        anew = ipywidgets.Button(description="Start anew", tooltip="Forget this conversation")

        def on_send(_: object) -> None:
            text, box.value = box.value, ""
            send.disabled = True
            try:
                self.say(text)
            finally:
                send.disabled = False
            log.value = self.as_html()

        def on_anew(_: object) -> None:
            self.turns.clear()
            log.value = self.as_html()

        send.on_click(on_send)
        anew.on_click(on_anew)
        box.on_submit(on_send)  # Enter; a change of focus must not send half a message
        return controls.group(log, box, ipywidgets.HBox([send, anew]))


class LossCurve:
    """The loss while a model trains: pass it to ``train`` as ``on_step``.

    Takes note of every step; ``figure()`` draws them.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, step: Step) -> None:
        """Take note of a step."""
        self.steps.append(step)

    def figure(self, title: str) -> go.Figure:
        """Loss against step, with a mean over ten steps laid over it."""
        import pandas as pd
        import plotly.graph_objects as go

        loss = pd.Series([step.loss for step in self.steps], [s.step for s in self.steps])
        mean = loss.rolling(10, min_periods=1).mean()
        fig = go.Figure()
        fig.add_scatter(x=loss.index, y=loss.round(3), name="each step", mode="markers")
        fig.add_scatter(x=mean.index, y=mean.round(3), name="mean of ten steps", mode="lines")
        fig.update_layout(title=title)
        fig.update_xaxes(title="Training so far (steps)")
        fig.update_yaxes(title="Loss (nats per label token)", rangemode="tozero")
        return fig
