"""A model writes: from prompts to texts, whole or token by token, behind one small interface.

`TorchGenerator` lets PyTorch do it, for any chat model and on a GPU too; ``llama.LlamaGenerator`` is the
same on a processor with weights of eight bits, several times faster.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from osai.chatbot.conversations import Message, render
from osai.chatbot.model import Chatbot

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LONGEST_REPLY = 128  # new tokens; the longest training reply has 110
OnBatch = Callable[[int], None] | None


class Generator(Protocol):
    """Writes the assistant's turn behind a prompt, a list of messages whose last is a customer's."""

    name: str

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        longest: int = LONGEST_REPLY,
        on_batch: OnBatch = None,
    ) -> list[str]:
        """A text for each prompt, in order, by greedy decoding: always the most probable token.

        ``longest`` is the most new tokens a text may have; ``on_batch`` hears how many more were done.
        """

    def candidates(
        self, prompts: Sequence[Sequence[Message]], number: int, longest: int = LONGEST_REPLY
    ) -> list[list[str]]:
        """For each prompt at most ``number`` texts that differ, the likeliest first.

        The same again for the same prompts. How they are found is the engine's own affair.
        """

    def stream(self, prompt: Sequence[Message], longest: int = LONGEST_REPLY) -> Iterator[str]:
        """The text behind one prompt, greedily, in pieces as they are written; joined it is whole."""


def as_generator(writer: Generator | Chatbot) -> Generator:
    """A chatbot as a generator with PyTorch; a generator as it is."""
    return TorchGenerator(writer) if isinstance(writer, Chatbot) else writer


class TorchGenerator:
    """See `Generator`; PyTorch and transformers write."""

    def __init__(self, chatbot: Chatbot, batch_size: int = 8) -> None:
        self.chatbot = chatbot
        self.batch_size = batch_size
        self.name = chatbot.name

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        longest: int = LONGEST_REPLY,
        on_batch: OnBatch = None,
    ) -> list[str]:
        """See `Generator`."""
        return [texts[0] for texts in self._search(prompts, longest, 1, on_batch)]

    def candidates(
        self, prompts: Sequence[Sequence[Message]], number: int, longest: int = LONGEST_REPLY
    ) -> list[list[str]]:
        """See `Generator`; beam search with so many beams."""
        return self._search(prompts, longest, number)

    def _search(
        self,
        prompts: Sequence[Sequence[Message]],
        longest: int,
        beams: int,
        on_batch: OnBatch = None,
    ) -> list[list[str]]:
        import torch

        tokenizer = self.chatbot.tokenizer
        texts = [render(tokenizer, messages, generation=True) for messages in prompts]
        # Like lengths together: less padding. The order of the answers is restored below.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        found: dict[int, list[str]] = {}
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            batch = self._encode([texts[i] for i in chosen])
            with torch.inference_mode():
                output = self.chatbot.model.generate(
                    **batch,
                    max_new_tokens=longest,
                    pad_token_id=tokenizer.pad_token_id,
                    do_sample=False,
                    num_beams=beams,
                    num_return_sequences=beams,
                )
            new = output[:, batch["input_ids"].shape[1] :]
            written = [
                text.strip() for text in tokenizer.batch_decode(new, skip_special_tokens=True)
            ]
            for place, i in enumerate(chosen):
                found[i] = list(dict.fromkeys(written[place * beams : (place + 1) * beams]))
            if on_batch is not None:
                on_batch(len(chosen))
        return [found[i] for i in range(len(texts))]

    def stream(self, prompt: Sequence[Message], longest: int = LONGEST_REPLY) -> Iterator[str]:
        """See `Generator`."""
        from transformers import TextIteratorStreamer

        tokenizer = self.chatbot.tokenizer
        pieces = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
        batch = self._encode([render(tokenizer, prompt, generation=True)])

        def write() -> None:
            import torch

            try:
                with torch.inference_mode():
                    self.chatbot.model.generate(
                        **batch,
                        max_new_tokens=longest,
                        do_sample=False,
                        pad_token_id=tokenizer.pad_token_id,
                        streamer=pieces,
                    )
            finally:
                pieces.end()

        worker = threading.Thread(target=write, daemon=True)
        worker.start()
        yield from filter(None, pieces)
        worker.join()

    def _encode(self, texts: list[str]) -> dict[str, object]:
        batch = self.chatbot.tokenizer(
            texts,
            add_special_tokens=False,
            padding=True,
            padding_side="left",
            return_tensors="pt",
        ).to(self.chatbot.device)
        return {name: batch[name] for name in ("input_ids", "attention_mask")}


def whole_letters(
    tokenizer: PreTrainedTokenizerBase, ids: Iterator[int], end: int | None
) -> Iterator[str]:
    """The text of token ids as they come, never half a letter: bytes wait until theirs is complete."""
    waiting: list[int] = []
    for token in ids:
        if token == end:
            break
        waiting.append(token)
        text = tokenizer.decode(waiting, skip_special_tokens=True)
        if text and not text.endswith("\ufffd"):
            waiting.clear()
            yield text
    if waiting and (text := tokenizer.decode(waiting, skip_special_tokens=True)):
        yield text
