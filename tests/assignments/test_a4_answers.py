"""Assignment 4's tests judge right and wrong answers as they should; no notebook is run."""

from copy import deepcopy
from types import SimpleNamespace

import pytest
from osai.check import Report

from .bank_a4 import RIGHT, WRONG
from .conftest import A4, nbgrader, read

TASKS = {
    "render_conversation": 15,
    "mask_prompt": 25,
    "tokens_per_syllable": 15,
    "reply_loss": 10,
    "train_tiny": 15,
}


@pytest.fixture(scope="module")
def cells() -> dict[str, str]:
    """The source notebook's cells by grade id."""
    (notebook,) = read("source", A4).values()
    return {nbgrader(cell)["grade_id"]: cell.source for cell in notebook.cells if nbgrader(cell)}


# The first of these has another loss with its prompt, and another one with its labels shifted.
TALKS = [
    ("ok", "Cảm ơn em nhé!"),
    ("Shop còn nồi cơm điện 1,8 lít không ạ?", "Within 7 days, unused and with the invoice."),
    ("What is the assistant's return policy?", "Dạ, bếp từ được bảo hành 18 tháng ạ."),
    ("ok", "Dạ còn, bên em còn 14 cái ạ."),
]


@pytest.fixture(scope="module")
def prepared(cells) -> dict:
    """The namespace before any answer, with fixed examples and a quick model.

    The model is the real one with 4 of its 30 layers: it knows nothing any more, but adapters
    learn on it as they do on the whole one, in a fifth of the time.
    """
    import torch

    space: dict = {}
    threads = torch.get_num_threads()
    run(cells["setup"], space, "setup")
    tokenizer, encode = space["tokenizer"], space["conversations"].encode
    message = space["conversations"].Message
    space["examples"] = [
        encode(tokenizer, [message("user", asked), message("assistant", reply)])
        for asked, reply in TALKS
    ]
    whole = space["load"]().model
    whole.model.layers = torch.nn.ModuleList(whole.model.layers[i] for i in (0, 1, 28, 29))
    whole.config.num_hidden_layers = 4
    for place, layer in enumerate(whole.model.layers):
        layer.self_attn.layer_idx = place
    space["load"] = lambda: SimpleNamespace(model=deepcopy(whole), tokenizer=tokenizer)
    space["right_train_tiny"] = right_training(cells, space)
    yield space
    torch.set_num_threads(threads)


def right_training(cells, space):
    own = dict(space)
    run(cells["train_tiny_answer"], own, "train_tiny_answer")
    return own["train_tiny"]


def run(source: str, space: dict, name: str) -> None:
    exec(compile(source, f"<cell {name}>", "exec"), space)


def judged(cells: dict[str, str], prepared: dict, task: str, answer: str) -> Report:
    """The report of the task's tests, hidden ones included, on an answer."""
    space = dict(prepared)
    run(answer, space, f"{task}_answer")
    tests, _, last = cells[task].rstrip().rpartition("\n")
    assert last == "task.check()"
    run(tests, space, task)
    return space["task"].run()


@pytest.mark.parametrize("task", TASKS)
def test_the_source_answer_gets_every_point(cells, prepared, task):
    report = judged(cells, prepared, task, cells[f"{task}_answer"])
    assert report.passed, report.text()
    assert report.earned == report.declared == TASKS[task]


@pytest.mark.parametrize("right", RIGHT, ids=lambda one: f"{one.task}-{one.name}")
def test_another_right_answer_gets_every_point(cells, prepared, right):
    report = judged(cells, prepared, right.task, right.source)
    assert report.passed, report.text()


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: f"{one.task}-{one.name}")
def test_a_wrong_answer_hears_of_its_misconception(cells, prepared, wrong):
    report = judged(cells, prepared, wrong.task, wrong.source)
    assert wrong.message in report.text(), report.text()
    assert report.earned <= wrong.at_most, report.text()
    failed = [part for part in report.parts if part.earned < part.points]
    assert all(part.reread.startswith("lesson 11, “") for part in failed)


@pytest.mark.parametrize("task", TASKS)
def test_an_empty_answer_gets_no_point(cells, prepared, task):
    signature = cells[f"{task}_answer"].split("### BEGIN SOLUTION")[0]
    report = judged(cells, prepared, task, signature + "raise NotImplementedError()")
    assert report.earned == 0
    assert all("Not answered yet" in part.why for part in report.parts)


@pytest.mark.parametrize("task", TASKS)
def test_a_cell_that_was_not_run_is_named(cells, prepared, task):
    report = judged(cells, prepared, task, "pass")
    assert report.earned == 0
    assert f"`{task}` is not defined: run the cell with your answer first." in report.text()


@pytest.mark.parametrize("task", TASKS)
def test_the_bank_has_at_least_three_wrong_answers_and_one_right_alternative(task):
    assert len({one.name for one in WRONG if one.task == task}) >= 3
    assert any(one.task == task for one in RIGHT)


def test_the_default_system_turn_is_the_templates(prepared):
    text = prepared["tokenizer"].apply_chat_template(
        [{"role": "user", "content": "x"}], tokenize=False
    )
    assert text.startswith(f"<|im_start|>system\n{prepared['DEFAULT_SYSTEM']}<|im_end|>\n")
