"""Take the fine-tuned model elsewhere: a merged folder for transformers, or one GGUF file for llama.cpp.

Both carry the new Vietnamese tokens: in ``tokenizer.json``, and as tokens and merges of the GGUF file.
The GGUF format is described at https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osai.chatbot import adapters
from osai.chatbot.model import (
    GGUF_SHA256,
    MODEL_NAME,
    WHEEL,
    WHEEL_VERSION,
    Chatbot,
    ModelError,
    quiet_libraries,
)

if TYPE_CHECKING:
    import numpy
    from gguf import GGUFWriter

KINDS = ("f32", "f16", "q8_0")
_PRE_TOKENIZER = "smollm"  # llama.cpp's name for: split off each digit, then GPT-2's pattern


def save_merged(chatbot: Chatbot, folder: Path) -> Path:
    """Write a merged chatbot as a folder that ``AutoModelForCausalLM.from_pretrained`` reads.

    Weights are safetensors in the precision they have. Raises ModelError where the folder exists and is
    not empty, or cannot be written; then nothing is changed.
    """
    _check_merged(chatbot)
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder} is there already. Next step: name a new folder.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=folder.name + ".", dir=folder.parent) as work:
            made = Path(work, "made")
            with quiet_libraries():
                chatbot.model.save_pretrained(made)
                chatbot.tokenizer.save_pretrained(made)
            config = made / "config.json"
            record = json.loads(config.read_text(encoding="utf-8"))
            record.pop("_name_or_path", None)  # a path of this machine
            config.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
            (made / "README.md").write_text(_card(chatbot), encoding="utf-8")
            for file in made.glob("*.safetensors"):
                file.chmod(0o644)  # safetensors keeps files to the one who wrote them
            if folder.is_dir():
                folder.rmdir()
            made.replace(folder)
    except OSError as error:
        raise _not_written(folder, error) from None
    return folder


def save_gguf(chatbot: Chatbot, file: Path, kind: str = "f32") -> Path:
    """Write a merged chatbot as one GGUF file: weights, tokens with their merges, chat template.

    ``kind``: ``f32`` (exact), ``f16``, or ``q8_0`` (blocks of 32 weights in eight bits each and a scale); norms
    stay float32. For models of the Llama architecture with byte-level byte-pair encoding. Raises ModelError.
    """
    _check_merged(chatbot)
    if kind not in KINDS:
        raise ModelError(
            f"'{kind}' is no kind of GGUF that we write. Next step: {', '.join(KINDS)}."
        )
    state = json.loads(chatbot.tokenizer.backend_tokenizer.to_str())
    if reason := why_not_gguf(chatbot.model.config.to_dict(), state):
        raise ModelError(
            f"This model is not written as GGUF here: {reason}. Next step: use `--engine torch` to run it; to "
            "take it elsewhere, export a merged folder, and convert that with llama.cpp's own script."
        )
    file = file.resolve()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=file.name + ".", dir=file.parent) as work:
            part = Path(work, file.name)
            _write(chatbot, part, kind)
            os.replace(part, file)
    except OSError as error:
        raise _not_written(file, error) from None
    return file


def why_not_gguf(config: dict[str, Any], tokenizer: dict[str, Any]) -> str | None:
    """Why `save_gguf` does not write such a model, by its ``config.json`` and ``tokenizer.json``; None: it does."""
    if config.get("model_type") != "llama":
        return f"its type is '{config.get('model_type')}', not Llama"
    turns = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if turns.get("rope_type", turns.get("type", "default")) != "default":
        return "its positions are scaled"
    if (tokenizer["model"]["type"], (tokenizer["decoder"] or {}).get("type")) != (
        "BPE",
        "ByteLevel",
    ):
        return "its tokenizer is not byte-level byte-pair encoding"
    return None


def _write(chatbot: Chatbot, file: Path, kind: str) -> None:
    import gguf

    types = {
        "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
        "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
        "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    }
    number, file_type = types[kind]
    writer = gguf.GGUFWriter(str(file), "llama")
    try:
        _describe(writer, chatbot, file_type)
        _add_tokenizer(writer, chatbot)
        names = gguf.get_tensor_name_map(
            gguf.MODEL_ARCH.LLAMA, chatbot.model.config.num_hidden_layers
        )
        tied = chatbot.model.config.tie_word_embeddings
        for name, weight in chatbot.model.state_dict().items():
            if tied and name == "lm_head.weight":
                continue
            called = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if called is None:
                raise ModelError(f"The weight {name} has no place in a Llama GGUF file.")
            values = _permuted(name, weight.detach().float().cpu().numpy(), chatbot)
            if values.ndim > 1 and kind != "f32":
                values = gguf.quants.quantize(values, number)
                writer.add_tensor(called, values, raw_dtype=number)
            else:
                writer.add_tensor(called, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _permuted(name: str, values: numpy.ndarray, chatbot: Chatbot) -> numpy.ndarray:
    """Rows of query and key in the order of llama.cpp, which turns neighbours instead of halves.

    A head's rows 0 … n/2-1 | n/2 … n-1 (transformers) become 0, n/2, 1, n/2+1, …
    """
    config = chatbot.model.config
    if ".q_proj." in name:
        heads = config.num_attention_heads
    elif ".k_proj." in name:
        heads = config.num_key_value_heads
    else:
        return values
    halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)


def _describe(writer: GGUFWriter, chatbot: Chatbot, file_type: int) -> None:
    config = chatbot.model.config
    writer.add_name(chatbot.name)
    writer.add_license("apache-2.0")
    writer.add_description(_about_base(chatbot))
    writer.add_file_type(file_type)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(chatbot.model.get_input_embeddings().num_embeddings)


def _add_tokenizer(writer: GGUFWriter, chatbot: Chatbot) -> None:
    import gguf

    tokenizer = chatbot.tokenizer
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    rows = chatbot.model.get_input_embeddings().num_embeddings
    tokens = [f"[unused{i}]" for i in range(rows)]
    types = [gguf.TokenType.UNUSED] * rows
    for token, i in state["model"]["vocab"].items():
        tokens[i], types[i] = token, gguf.TokenType.NORMAL
    for added in state["added_tokens"]:
        tokens[added["id"]], types[added["id"]] = added["content"], gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_PRE_TOKENIZER)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([" ".join(merge) for merge in state["model"]["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    if tokenizer.unk_token_id is not None:
        writer.add_unk_token_id(tokenizer.unk_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(tokenizer.chat_template)


def _check_merged(chatbot: Chatbot) -> None:
    if hasattr(chatbot.model, "merge_and_unload"):
        raise ModelError("The adapter is not merged yet. Next step: `model.merge(chatbot)`.")


def _not_written(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{path} could not be written: {error.strerror or error}. Next step: make room or name "
        "another place."
    )


def _about_base(chatbot: Chatbot) -> str:
    return (
        f"Made from {MODEL_NAME} (Apache-2.0) as Q4_1 in the Python package {WHEEL} {WHEEL_VERSION} "
        f"(SHA-256 {GGUF_SHA256}), dequantised, with the adapter merged in."
        if MODEL_NAME in chatbot.name
        else f"Made from {chatbot.name}."
    )


def _card(chatbot: Chatbot) -> str:
    own = MODEL_NAME in chatbot.name
    front = f"base_model: {adapters.HUB_BASE}\nlanguage: vi\nlicense: apache-2.0\n" if own else ""
    return f"""---
{front}library_name: transformers
---
# {chatbot.name}

{_about_base(chatbot)} On the weights that lie on a hub, which are not rounded, replies may differ.

Made for teaching, of invented shops, not read by a native speaker. It words a reply from facts that a
program has chosen; without that program, and without checks of the reply, it invents.
"""
