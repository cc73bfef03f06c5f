"""Fast replies on a processor: the merged model with weights of eight bits, run by CTranslate2.

An adapter is merged into its base and converted once, into the cache; that takes about 20 seconds, and
set-up does it for the adapter that ships. The rounding to eight bits (*int8*) changes a reply now and then;
how often is measured in ``tests/bench/results/speed.json``.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from osai.chatbot import model
from osai.chatbot.conversations import Message, render
from osai.chatbot.generation import LONGEST_REPLY, OnBatch, whole_letters
from osai.chatbot.model import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

KEPT = 3  # converted models of students' own adapters that stay in the cache, 140 MB each


class Int8Generator:
    """See ``generation.Generator``; CTranslate2 writes. ``folder`` is what `convert` made."""

    def __init__(self, folder: Path, name: str, batch_size: int = 8) -> None:
        import ctranslate2
        from transformers import AutoTokenizer

        self.name = name
        self.batch_size = batch_size
        try:
            self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
            self._model = ctranslate2.Generator(str(folder), device="cpu", compute_type="int8")
        except (RuntimeError, OSError, ValueError) as error:
            raise ModelError(
                f"The converted model in {folder} cannot be read: {str(error).splitlines()[0]}. Next step: "
                "delete this folder; it is made again."
            ) from error

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        longest: int = LONGEST_REPLY,
        beams: int = 1,
        on_batch: OnBatch = None,
    ) -> list[str]:
        """See ``generation.Generator``."""
        starts = [self._tokens(prompt) for prompt in prompts]
        order = sorted(range(len(starts)), key=lambda i: len(starts[i]))
        found: dict[int, str] = {}
        for first in range(0, len(order), self.batch_size):
            chosen = order[first : first + self.batch_size]
            results = self._model.generate_batch(
                [starts[i] for i in chosen],
                max_length=longest,
                include_prompt_in_result=False,
                end_token=[self.tokenizer.eos_token_id],
                beam_size=beams,
            )
            for i, result in zip(chosen, results, strict=True):
                text = self.tokenizer.decode(result.sequences_ids[0], skip_special_tokens=True)
                found[i] = text.strip()
            if on_batch is not None:
                on_batch(len(chosen))
        return [found[i] for i in range(len(starts))]

    def stream(self, prompt: Sequence[Message], longest: int = LONGEST_REPLY) -> Iterator[str]:
        """See ``generation.Generator``."""
        end = self.tokenizer.eos_token_id
        steps = self._model.generate_tokens(
            self._tokens(prompt), max_length=longest, sampling_topk=1, end_token=[end]
        )
        yield from whole_letters(self.tokenizer, (step.token_id for step in steps), end)

    def _tokens(self, prompt: Sequence[Message]) -> list[str]:
        text = render(self.tokenizer, prompt, generation=True)
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self.tokenizer.convert_ids_to_tokens(ids)


def fits(source: str | Path | None) -> bool:
    """Whether a model can be run so: CTranslate2 is there, no GPU is, and the model lies in a folder."""
    if _version() is None or not (source is None or Path(source).is_dir()):
        return False
    import torch

    return not torch.cuda.is_available()


def load(source: str | Path | None, name: str) -> Int8Generator:
    """The generator for a model or adapter in a folder (None: the base); converts it the first time.

    Raises ModelError.
    """
    if _version() is None:
        raise ModelError(
            "The package ctranslate2 is not installed. Next step: run the set-up again, or use "
            "`--engine torch`."
        )
    folder = cache() / key(source)
    if not is_made(source):
        convert(source, folder)
    folder.touch()
    return Int8Generator(folder, name)


def is_made(source: str | Path | None) -> bool:
    """Whether a model has been converted; quick, and false without CTranslate2."""
    return _version() is not None and (cache() / key(source) / "model.bin").is_file()


def cache() -> Path:
    """Where converted models lie, a folder each."""
    return model.cache_dir() / "int8"


def key(source: str | Path | None) -> str:
    """A name for a converted model: of what it is made, and by which version of CTranslate2."""
    parts = [str(_version()), model.GGUF_SHA256]
    if source is not None:
        files = sorted(Path(source).glob("*.safetensors")) + sorted(Path(source).glob("*.json"))
        parts += [model.sha256(file) for file in files if file.name != "training.json"]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]


def _version() -> str | None:
    try:
        return importlib.metadata.version("ctranslate2")
    except importlib.metadata.PackageNotFoundError:
        return None


def convert(source: str | Path | None, folder: Path) -> Path:
    """Merge an adapter into its base, round to eight bits, write the folder; whole or not at all.

    Needs about 1.2 GB of memory. Raises ModelError for what cannot be read, converted or written.
    """
    from ctranslate2.converters import TransformersConverter

    chatbot = model.merge(model.load(source))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=folder.name + ".", dir=folder.parent) as work:
        merged, made = Path(work, "merged"), Path(work, "made")
        try:
            with model.quiet_libraries():
                chatbot.model.save_pretrained(merged)
                chatbot.tokenizer.save_pretrained(merged)
                del chatbot
                TransformersConverter(str(merged)).convert(str(made), quantization="int8")
            for file in merged.glob("*token*"):
                shutil.copy(file, made)
            for file in merged.glob("*.jinja"):
                shutil.copy(file, made)
            if not (folder / "model.bin").is_file():
                shutil.rmtree(folder, ignore_errors=True)
                made.replace(folder)
        except OSError as error:
            raise ModelError(
                f"The model could not be converted into {folder}: {error.strerror or error}. Next step: make "
                "room, or set OSAI_CACHE to another folder."
            ) from None
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"This kind of model cannot be converted: {str(error).splitlines()[0]}. Next step: run it "
                "with `--engine torch`."
            ) from None
    _forget_oldest(folder.parent, folder)
    return folder


def _forget_oldest(cache: Path, keep: Path) -> None:
    made = sorted(
        (one for one in cache.iterdir() if (one / "model.bin").is_file() and one != keep),
        key=lambda one: one.stat().st_mtime,
    )
    for old in made[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
