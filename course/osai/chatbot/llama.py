"""Fast replies on a processor: the merged model with weights of eight bits, run by llama.cpp.

An adapter is merged into its base and written once as a GGUF file (Q8_0) into the cache; that takes about
20 seconds, and set-up does it for the adapter that ships. One server of llama.cpp in this process writes
eight texts at once. The rounding changes a reply now and then; how often, and how fast this is beside
CTranslate2 and PyTorch, is measured in ``tests/bench/results/speed.json``.

The server of ``xllamacpp`` also opens a port of 127.0.0.1 that is of no use here. It is locked with a key
that nobody knows, so that no page in a student's browser can read what customers write.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import json
import os
import platform
import queue
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osai.chatbot import export, model
from osai.chatbot.conversations import Message, render
from osai.chatbot.generation import LONGEST_REPLY, OnBatch
from osai.chatbot.model import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase
    from xllamacpp import Server

PACKAGE = "xllamacpp"
KEPT = 3  # converted models of students' own adapters that stay in the cache, 150 MB each
SLOTS = 8  # texts that are written at once
CONTEXT = 1024  # tokens of a prompt and its text; our longest prompts have 140, nine long turns 560
FILE, PROOF = "model.gguf", "model.sha256"
_AGAIN = "delete this folder; it is made again"


@dataclass(frozen=True)
class Token:
    """A token that was written, its log probability, and the same of the one that came next to it."""

    id: int
    likely: float
    second: int
    second_likely: float


@dataclass(frozen=True)
class Written:
    """A text, and its tokens where they were asked for."""

    text: str
    tokens: tuple[Token, ...] = ()


class LlamaGenerator:
    """See ``generation.Generator``; llama.cpp writes. ``folder`` is what `convert` made.

    May be used from several threads. Of a prompt that is too long for the context the oldest turns are left
    out, then the end of the last one.
    """

    def __init__(self, folder: Path, name: str) -> None:
        from transformers import AutoTokenizer

        self.name = name
        try:
            _check(folder)
            self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
            server = _server(folder / FILE)
        except (RuntimeError, OSError, ValueError, ImportError) as error:
            raise ModelError(
                f"The converted model in {folder} cannot be used: {str(error).strip().splitlines()[0]} "
                f"Next step: {_AGAIN}, or use `--engine torch`."
            ) from error
        self._process = os.getpid()
        self._server = [server]
        weakref.finalize(self, _stop, self._server, self._process)

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        longest: int = LONGEST_REPLY,
        on_batch: OnBatch = None,
    ) -> list[str]:
        """See ``generation.Generator``."""
        asked = [self._question(prompt, longest) for prompt in prompts]
        return [one.text for one in self._all(asked, on_batch)]

    def candidates(
        self, prompts: Sequence[Sequence[Message]], number: int, longest: int = LONGEST_REPLY
    ) -> list[list[str]]:
        """See ``generation.Generator``; the greedy text, turned elsewhere where the model was least sure.

        At each of the ``number`` tokens whose runner-up came closest, the runner-up is written instead, and greedily
        on from there. Unlike drawing, this hardly depends on the last digits of a number, so that it gives the same
        beside other texts.
        """
        asked = [self._question(prompt, longest) | _WITH_TOKENS for prompt in prompts]
        branches = [
            (i, [token.id for token in one.tokens[:place]], one.tokens[:place], one.tokens[place])
            for i, one in enumerate(self._all(asked))
            for place in _least_sure(one.tokens, number)
        ]
        more = self._all(
            [
                asked[i]
                | {
                    "prompt": [*asked[i]["prompt"], *ids, turn.second],
                    "n_predict": max(1, longest - len(ids) - 1),
                }
                for i, ids, _, turn in branches
            ]
        )
        found: list[list[tuple[float, str]]] = [[] for _ in prompts]
        for (i, ids, before, turn), after in zip(branches, more, strict=True):
            whole = [*ids, turn.second, *(token.id for token in after.tokens)]
            text = self.tokenizer.decode(whole, skip_special_tokens=True).strip()
            likely = turn.second_likely + sum(token.likely for token in (*before, *after.tokens))
            found[i].append((likely / len(whole), text))
        return [
            list(dict.fromkeys(text for _, text in sorted(texts, reverse=True))) for texts in found
        ]

    def stream(self, prompt: Sequence[Message], longest: int = LONGEST_REPLY) -> Iterator[str]:
        """See ``generation.Generator``. The server holds back half a letter until it is whole."""
        question = self._question(prompt, longest)
        pieces: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
        stop = threading.Event()

        def write() -> None:
            try:
                self._write(question, stop, pieces.put)
            except BaseException as error:
                pieces.put(error)
            finally:
                pieces.put(None)

        worker = threading.Thread(target=write, name="llama")
        worker.start()
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:  # also where the reader goes away in the middle
            stop.set()
            worker.join()

    def _all(self, asked: Sequence[dict[str, Any]], on_batch: OnBatch = None) -> list[Written]:
        """Write them all, as many at once as there are slots; Ctrl-C stops within a token."""
        stop = threading.Event()
        with ThreadPoolExecutor(SLOTS, thread_name_prefix="llama") as workers:
            try:
                futures = [workers.submit(self._write, one, stop) for one in asked]
                for future in as_completed(futures):
                    future.result()
                    if on_batch is not None:
                        on_batch(1)
            except BaseException:
                stop.set()
                workers.shutdown(wait=False, cancel_futures=True)
                raise
        return [future.result() for future in futures]

    def _write(
        self,
        question: dict[str, Any],
        stop: threading.Event,
        hear: Callable[[str], object] = lambda _: None,
    ) -> Written:
        if os.getpid() != self._process:
            raise ModelError(
                "The model was loaded before this process was forked. Next step: load it here again."
            )
        pieces: list[str] = []
        tokens: list[Token] = []
        faults: list[str] = []

        def heard(chunk: dict[str, Any]) -> bool:
            if stop.is_set():
                return True
            if "choices" not in chunk:
                faults.append(str(chunk.get("error", chunk)))
                return True
            choice = chunk["choices"][0]
            if choice["text"]:
                pieces.append(choice["text"])
                hear(choice["text"])
            for token in (choice["logprobs"] or {}).get("content", ()):
                _, second = token["top_logprobs"][:2]
                tokens.append(Token(token["id"], token["logprob"], second["id"], second["logprob"]))
            return False

        try:
            self._server[0].handle_completions(question, heard)
        except RuntimeError as error:
            faults.append(str(error))
        if faults:
            raise ModelError(
                f"llama.cpp could not write: {faults[0][:200]}. Next step: use `--engine torch`."
            )
        return Written("".join(pieces).strip(), tuple(tokens))

    def _question(self, prompt: Sequence[Message], longest: int) -> dict[str, Any]:
        ids = self._ids(prompt, CONTEXT - min(longest, CONTEXT // 2))
        return {
            "prompt": ids, "n_predict": longest, "temperature": 0, "top_k": 1,
            "stream": True, "cache_prompt": False,
        }  # fmt: skip

    def _ids(self, prompt: Sequence[Message], room: int) -> list[int]:
        """Token ids of a prompt, shortened until they have room."""
        turns = list(prompt)
        while True:
            text = render(self.tokenizer, turns, generation=True)
            ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
            if len(ids) <= room:
                return ids
            first = 1 if turns[0].role == "system" else 0
            last = turns[-1]
            if len(turns) > first + 1:
                del turns[first]
            elif len(last.content) > 1:
                kept = min(len(last.content) - 1, len(last.content) * room // len(ids))
                turns[-1] = Message(last.role, last.content[: max(1, kept)])
            else:
                raise ModelError(
                    f"The system turn alone has more than {room} tokens. Next step: shorten the facts, or use "
                    "`--engine torch`."
                )


_WITH_TOKENS = {"n_probs": 2}


def _least_sure(tokens: Sequence[Token], number: int) -> list[int]:
    """The places of the tokens whose runner-up came closest."""
    return sorted(range(len(tokens)), key=lambda i: tokens[i].likely - tokens[i].second_likely)[
        :number
    ]


def _server(file: Path) -> Server:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.verbosity = -1
    params.n_ctx, params.n_parallel = SLOTS * CONTEXT, SLOTS
    params.cpuparams.n_threads, params.cpuparams.poll = threads(), 0
    # Nothing is kept of earlier prompts: a reply must not depend on whom it follows.
    params.cache_prompt = params.cache_idle_slots = False
    params.cache_ram_mib = params.n_ctx_checkpoints = 0
    params.fit_params = False
    params.api_keys = [secrets.token_hex()]
    params.cors_origins = "http://127.0.0.1"
    params.endpoint_slots = params.ui = False
    params.n_threads_http = 1
    server = xllamacpp.Server(params)
    # One token before anything else. A server that is told to end before its loop has begun never ends, and the
    # process hangs; once it has answered, the loop runs.
    server.handle_completions({"prompt": [0], "n_predict": 1, "cache_prompt": False})
    return server


def _stop(server: list[Server], process: int) -> None:
    """End the server's threads, before Python ends; in a forked process, where they are not, leave it alone."""
    if os.getpid() == process:
        server.clear()
    else:
        for one in server:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))


def threads() -> int:
    """How many threads may compute: ``OMP_NUM_THREADS``, else the processors that this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def fits(source: str | Path | None) -> bool:
    """Whether a model can be run so: llama.cpp runs here, no GPU is there, and the model is a Llama in a folder."""
    if _why_not_here() is not None or not _is_llama(source):
        return False
    import torch

    return not torch.cuda.is_available()


def _why_not_here() -> str | None:
    """Why llama.cpp does not run on this machine, or None where it does."""
    try:
        importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return f"the package {PACKAGE} is not installed (it exists for Linux and Windows on x86-64 and for Macs)"
    # Its threads wait for each other hundreds of times a token. GNU OpenMP lets them do so busily, and then eight replies
    # beside another program took five times as long. The first library that brings OpenMP reads this: here PyTorch.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    if platform.machine().lower() in ("x86_64", "amd64"):
        import torch

        # Its wheels are compiled for AVX2, FMA, F16C and BMI2; without them the process would be killed.
        if not torch.backends.cpu.get_cpu_capability().startswith("AVX"):
            return "this processor has no AVX2"
    try:
        import xllamacpp  # noqa: F401
    except ImportError as error:  # Linux without libgomp
        return f"the package {PACKAGE} cannot be loaded ({error})"
    return None


def _is_llama(source: str | Path | None) -> bool:
    if source is None:
        return True
    folder = Path(source)
    try:
        if (folder / "adapter_config.json").is_file():
            base = model.base_of_adapter(folder)
            return model.is_base_name(base) or (Path(base).is_dir() and _is_llama(base))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        return export.why_not_gguf(config, tokenizer) is None
    except (OSError, ValueError, AttributeError, ModelError):
        return False


def load(source: str | Path | None, name: str) -> LlamaGenerator:
    """The generator for a model or adapter in a folder (None: the base); converts it the first time.

    Raises ModelError.
    """
    if reason := _why_not_here():
        raise ModelError(
            f"llama.cpp does not run here: {reason}. Next step: run the set-up again, or use `--engine torch`."
        )
    if source is not None and not Path(source).is_dir():
        raise ModelError(
            f"{source} is no folder, and llama.cpp runs only models in folders here. Next step: use "
            "`--engine torch`."
        )
    folder = cache() / key(source)
    if not is_made(source):
        convert(source, folder)
    folder.touch()
    return LlamaGenerator(folder, name)


def is_made(source: str | Path | None) -> bool:
    """Whether a model has been converted; quick."""
    return (cache() / key(source) / FILE).is_file()


def cache() -> Path:
    """Where converted models lie, a folder each."""
    return model.cache_dir() / "llama"


def key(source: str | Path | None) -> str:
    """A name for a converted model: of what it is made, and by which version of the package that writes GGUF."""
    parts = [importlib.metadata.version("gguf"), model.GGUF_SHA256]
    if source is not None:
        files = sorted(Path(source).glob("*.safetensors")) + sorted(Path(source).glob("*.json"))
        parts += [model.sha256(file) for file in files if file.name != "training.json"]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]


def convert(source: str | Path | None, folder: Path) -> Path:
    """Merge an adapter into its base, round to eight bits, write the folder; whole or not at all.

    Needs about 1.2 GB of memory. Raises ModelError for what cannot be read, converted or written.
    """
    chatbot = model.merge(model.load(source))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=folder.name + ".", dir=folder.parent) as work:
            made = Path(work, "made")
            export.save_gguf(chatbot, made / FILE, "q8_0")
            chatbot.tokenizer.save_pretrained(made)
            (made / PROOF).write_text(model.sha256(made / FILE) + "\n", encoding="ascii")
            if not (folder / FILE).is_file():
                shutil.rmtree(folder, ignore_errors=True)
                made.replace(folder)
    except OSError as error:
        raise ModelError(
            f"The model could not be converted into {folder}: {error.strerror or error}. Next step: make "
            "room, or set OSAI_CACHE to another folder."
        ) from None
    _forget_oldest(folder.parent, folder)
    return folder


def _check(folder: Path) -> None:
    """Raise ValueError where the file is not the one that was written: changed weights would write nonsense."""
    proof = (folder / PROOF).read_text(encoding="ascii").strip()
    if model.sha256(folder / FILE) != proof:
        raise ValueError(f"{FILE} is damaged (its SHA-256 is another).")


def _forget_oldest(cache: Path, keep: Path) -> None:
    made = sorted(
        (one for one in cache.iterdir() if (one / FILE).is_file() and one != keep),
        key=lambda one: one.stat().st_mtime,
    )
    for old in made[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
