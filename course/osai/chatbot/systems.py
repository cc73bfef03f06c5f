"""Five ways to answer the same customers, behind one interface.

``base``: the model as published, with our system turn. ``prompt``: the same model, with the best prompt
we could write and examples, but no training. ``faq``: no model at all: the topic of the most similar
known question chooses a template. ``finetuned``: the trained model, its reply as it falls. ``pipeline``: the
trained model, and no reply leaves unchecked.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from osai.chatbot import address, facts, hanoi, intents, llama, templates
from osai.chatbot.conversations import Message, system_turn
from osai.chatbot.generation import Generator, OnBatch, TorchGenerator
from osai.chatbot.model import ModelError
from osai.chatbot.reply import (
    Reply,
    Request,
    Understood,
    as_prompt,
    as_reply,
    clean,
    replies,
    understand,
)
from osai.chatbot.review import problems

NAMES = ("pipeline", "finetuned", "faq", "prompt", "base")
CANDIDATES = 4  # for the second try
ENGINES = ("auto", "llama", "torch")


class System(Protocol):
    """Anything that replies to requests."""

    def replies(self, requests: Sequence[Request], on_batch: OnBatch = None) -> list[Reply]:
        """A reply for each request, in order; ``on_batch`` hears how many more were done."""


def load(name: str, engine: str = "auto") -> System:
    """A system by name; any other name is a folder or hub id of a model. Raises ModelError.

    ``engine`` as in `generator`.
    """
    if name == "faq":
        return Faq()
    if name == "prompt":
        return PromptOnly(generator("base", engine))
    if name == "pipeline":
        return Pipeline(generator("finetuned", engine))
    return Model(generator(name, engine))


def generator(name: str, engine: str = "auto") -> Generator:
    """What writes for a name that ``hanoi.source`` knows. Raises ModelError.

    ``engine``: ``llama`` (fast, on a processor), ``torch`` (as published, or on a GPU), or ``auto`` for the
    first where it fits.
    """
    if engine not in ENGINES:
        raise ModelError(f"No engine '{engine}'. Next step: name one of {', '.join(ENGINES)}.")
    source = hanoi.source(name)
    if engine == "llama" or (engine == "auto" and llama.fits(source)):
        return llama.load(source, name)
    return TorchGenerator(hanoi.load(name))


@dataclass(frozen=True)
class Model:
    """A model with our system turn; its reply is sent as it falls."""

    writer: Generator

    def replies(self, requests: Sequence[Request], on_batch: OnBatch = None) -> list[Reply]:
        """See `System`."""
        return replies(self.writer, requests, on_batch=on_batch)


RULES = """Bạn là nhân viên chăm sóc khách hàng của một cửa hàng ở Hà Nội. Quy tắc:
1. Luôn trả lời bằng tiếng Việt có dấu, một hoặc hai câu ngắn, mở đầu bằng "Dạ", kết thúc bằng "ạ".
2. Gọi khách và xưng hô đúng như dòng "Gọi khách" và "Xưng" đã cho.
3. Chỉ dùng thông tin đã cho. Không tự nghĩ ra số tiền, ngày tháng hay mã đơn.
4. Nếu dòng "Việc" có ghi "chuyển nhân viên" thì nói sẽ chuyển nhân viên liên hệ ngay."""
EXAMPLES = (
    ("Gia dụng Sao Mai. Gọi khách: chị. Xưng: em.\nViệc: xem đơn.\nĐơn SM1204: đang giao, dự kiến 03/02/2026",
     "Em ơi đơn SM1204 của chị đi đến đâu rồi?",
     "Dạ đơn SM1204 của chị đang giao, dự kiến 03/02/2026 ạ."),
    ("Gia dụng Sao Mai. Gọi khách: bác. Xưng: cháu.\nViệc: phàn nàn, chuyển nhân viên.",
     "Bác mua cái quạt về cắm điện không chạy, bán hàng kiểu gì thế cháu?",
     "Dạ cháu xin lỗi bác vì việc này ạ. Cháu chuyển nhân viên xử lý và liên hệ bác ngay ạ."),
    ("Gia dụng Sao Mai. Gọi khách: anh/chị. Xưng: em.\nViệc: hỏi giá.\nẤm đun Gió: giá 320.000 ₫, còn 9",
     "ấm đun bao nhiêu", "Dạ Ấm đun Gió giá 320.000 ₫, shop còn 9 sản phẩm ạ."),
)  # fmt: skip


@dataclass(frozen=True)
class PromptOnly:
    """A model that was not trained for the job, told the rules and shown three examples."""

    writer: Generator

    def replies(self, requests: Sequence[Request], on_batch: OnBatch = None) -> list[Reply]:
        """See `System`."""
        prompts = [self.prompt(request) for request in requests]
        written = self.writer.generate(prompts, on_batch=on_batch)
        return [
            as_reply(text, understand(request))
            for text, request in zip(written, requests, strict=True)
        ]

    def prompt(self, request: Request) -> list[Message]:
        """Rules, examples, then the facts and the customer's words of this request."""
        shop, turns = request
        words = [clean(turn.content) for turn in turns if turn.role == "user"]
        told = system_turn(shop, words[-1], words[:-1]).content
        shown = [
            Message(role, text)
            for given, question, answer in EXAMPLES
            for role, text in (("user", f"{given}\nKhách: {question}"), ("assistant", answer))
        ]
        return [Message("system", RULES), *shown, Message("user", f"{told}\nKhách: {words[-1]}")]


class Faq:
    """No model: the most similar known question (TF-IDF, cosine) chooses a template.

    It gets the same facts and address terms as the others, so that only the reading of the
    question and the writing of the reply differ.
    """

    def replies(self, requests: Sequence[Request], on_batch: OnBatch = None) -> list[Reply]:
        """See `System`."""
        found = [self._reply(request) for request in requests]
        if on_batch is not None:
            on_batch(len(found))
        return found

    def _reply(self, request: Request) -> Reply:
        shop, turns = request
        words = tuple(clean(turn.content) for turn in turns if turn.role == "user")
        topic = nearest_topic(words[-1])
        found = facts.find(shop, words[-1], words[:-1], topic)
        understood = Understood(shop, found, address.of(words[-1], words[:-1]), words)
        return as_reply(
            templates.answer(shop, found, understood.terms), understood, source="template"
        )


@functools.cache
def _questions() -> tuple[object, object, list[str]]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    from osai.chatbot.vietnamese import unmark

    asks = [ask for ask in intents.asks() if ask["topic"] != intents.ANSWER]
    texts = [intents.as_message(ask["text"], number) for number, ask in enumerate(asks)]
    vectors = TfidfVectorizer(preprocessor=unmark, token_pattern=r"\w+", sublinear_tf=True)
    return vectors, vectors.fit_transform(texts), [ask["topic"] for ask in asks]


def nearest_topic(message: str) -> str:
    """The topic of the known question most similar to a message by TF-IDF and cosine."""
    vectors, known, topics = _questions()
    similar = (known @ vectors.transform([intents.mask(message)]).T).toarray()[:, 0]
    return topics[int(similar.argmax())]


@dataclass(frozen=True)
class Pipeline:
    """The trained model, and a review of every reply before it leaves.

    For one that fails, other texts are written, and the likeliest that passes is sent; where none does, the template for
    its case, which hands over where a person is due.
    """

    writer: Generator

    def replies(self, requests: Sequence[Request], on_batch: OnBatch = None) -> list[Reply]:
        """See `System`."""
        understood = [understand(request) for request in requests]
        prompts = [as_prompt(request) for request in requests]
        written = self.writer.generate(prompts, on_batch=on_batch)
        faults = [problems(text, one) for text, one in zip(written, understood, strict=True)]
        again = [i for i, fault in enumerate(faults) if fault]
        second = self.writer.candidates([prompts[i] for i in again], CANDIDATES)
        tries = dict(zip(again, second, strict=True))
        return [
            _checked(text, one, fault, tries.get(i, ()))
            for i, (text, one, fault) in enumerate(zip(written, understood, faults, strict=True))
        ]


def _checked(
    text: str, understood: Understood, fault: tuple[str, ...], tries: Sequence[str]
) -> Reply:
    if not fault:
        return as_reply(text, understood)
    for other in tries:
        if not problems(other, understood):
            return as_reply(other, understood, source="second try", problems=fault)
    safe = templates.answer(understood.shop, understood.found, understood.terms)
    return as_reply(safe, understood, source="template", problems=fault)
