"""The controls of lesson 11, used without a browser."""

from osai.chatbot import hanoi, model
from osai.chatbot.training import Step
from osai.chatbot.widgets import Chat, LossCurve


def test_a_chat_keeps_the_conversation_and_escapes_what_was_typed(small_llama):
    chat = Chat(model.load(small_llama), hanoi.shops()["lua-ha"])
    assert chat.say("  ") == "" and chat.turns == []
    chat.say("<b>Còn hàng không?</b>")
    assert [turn.role for turn in chat.turns] == ["user", "assistant"]
    assert "&lt;b&gt;Còn" in chat.as_html() and 'lang="vi"' in chat.as_html()


def test_the_button_and_enter_send_and_start_anew_forgets(small_llama):
    import ipywidgets

    chat = Chat(model.load(small_llama), hanoi.shops()["lua-ha"])
    found = list(_inside(chat.controls()))
    (box,) = [one for one in found if isinstance(one, ipywidgets.Text)]
    buttons = {one.description: one for one in found if isinstance(one, ipywidgets.Button)}
    box.value = "Chào shop"
    assert chat.turns == []  # typing alone sends nothing
    buttons["Send"].click()
    assert len(chat.turns) == 2 and box.value == ""
    buttons["Start anew"].click()
    assert chat.turns == []
    assert box.description and all(one.tooltip for one in buttons.values())


def _inside(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _inside(child)


def test_a_loss_curve_is_a_figure_that_everyone_can_read():
    from osai import figures

    curve = LossCurve()
    for n in range(1, 31):
        curve(Step(n, 30, 3 / n, 1e-3, 100 * n, 1.0 * n))
    figures.check(
        curve.figure("The loss falls from 3.0 to 0.1"),
        alt="A falling curve from 3 nats at the first step to 0.1 at the last one",
        source="Measured in a test, 2026",
    )
