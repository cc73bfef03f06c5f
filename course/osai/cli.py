"""The command ``osai``: doctor, train, reply, evaluate, export, serve, tour."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

ENGINE = "llama (fast, on a processor), torch, or auto for the first where it fits."
SYSTEMS = "pipeline, finetuned, faq, prompt, base, or a folder or hub id of a model."

app = typer.Typer(
    help="A course on open-source AI, and a chatbot for a shop in Hanoi.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Machine-readable, for a report.")
    ] = False,
    deep: Annotated[bool, typer.Option(help="Also read every byte of the model.")] = False,
) -> None:
    """Is this machine ready? Which check failed, and what to do next."""
    from osai import doctor as checks

    raise typer.Exit(checks.main(json=as_json, deep=deep))


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder for the adapter.")],
    data: Annotated[
        Path | None, typer.Option(help="Conversations (JSON lines); default: the course's own.")
    ] = None,
    shops: Annotated[
        Path | None,
        typer.Option(help="Their shops: JSON lines or a folder; default: beside the data."),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Model to start from: folder or hub id; default: ours.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.0, help="Stop after so long.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 1,
    learning_rate: Annotated[float, typer.Option(min=0.0)] = 1e-3,
    rank: Annotated[int, typer.Option(min=1, help="LoRA's r; its alpha is twice that.")] = 16,
    new_tokens: Annotated[
        int, typer.Option(min=0, help="Vietnamese tokens to append; 0 for none.")
    ] = 800,
    batch_tokens: Annotated[
        int, typer.Option(min=1, help="Tokens a step; with several processes, 448 for each.")
    ] = 448,
    dtype: Annotated[
        str, typer.Option(help="'float32', 'bfloat16', or 'auto' for the faster one here.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Same seed, same adapter on the same machine.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the stopped run in the folder.")
    ] = False,
) -> None:
    """Fine-tune the chatbot; Ctrl-C leaves a usable adapter, and --resume goes on from there.

    Also under `accelerate launch`, with several processes or a GPU.
    """
    from osai.chatbot import adapters, hanoi, training
    from osai.chatbot.model import load

    config = training.TrainingConfig(
        epochs=epochs,
        learning_rate=learning_rate,
        rank=rank,
        alpha=2 * rank,
        new_tokens=new_tokens,
        batch_tokens=batch_tokens,
        minutes=minutes,
        seed=seed,
        dtype=dtype,
    )
    out = adapters.check_folder(out, resume)
    start = adapters.load_state(out) if resume else None
    messages = hanoi.training_messages(data, shops)
    result = training.train(
        load(base, dtype=config.dtype),
        messages,
        config,
        start=start,
        keep=lambda so_far: adapters.save_adapter(so_far, out, config, resumable=True),
    )
    if not training.is_first_process():
        return
    if not result.steps:
        typer.echo("Stopped before the first step; nothing was written.", err=True)
        raise typer.Exit(130)
    folder = adapters.save_adapter(result, out, config, resumable=True)
    last = result.steps[-1]
    why = {
        "done": "all epochs done",
        "time": "the minutes are used up; --resume goes on",
        "stopped": "stopped by Ctrl-C; --resume goes on",
    }[result.ended]
    typer.echo(
        f"{folder}: {last.step} of {last.steps} steps ({why}), loss {last.loss:.2f}, "
        f"{last.tokens_per_second:.0f} tokens/s."
    )


@app.command()
def reply(
    shops: Annotated[Path, typer.Option(help="Folder of shop files (*.json).")],
    messages: Annotated[
        Path, typer.Option(help='JSON lines: {"id", "shop", "message", "history"?}.')
    ],
    out: Annotated[Path, typer.Option(help="JSON lines, in the same order.")],
    model: Annotated[str, typer.Option(help=SYSTEMS)] = "pipeline",
    engine: Annotated[str, typer.Option(help=ENGINE)] = "auto",
) -> None:
    """Reply to a file of customers' messages; a bad line is named and the rest goes on."""
    from osai.chatbot import batch, systems
    from osai.chatbot.shops import load_shops

    known = load_shops(shops)
    requests, problems = batch.read_requests(messages, known)
    for problem in problems:
        typer.echo(problem, err=True)
    system = systems.load(model, engine)
    try:
        written = batch.write_replies(system, requests, out)
    except KeyboardInterrupt:
        kept = batch.lines(out)
        typer.echo(f"Stopped. {out} keeps the first {kept} of {len(requests)} replies.", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"{out}: {written} replies, {len(problems)} lines left out.")
    if problems:
        raise typer.Exit(1)


@app.command()
def evaluate(
    shops: Annotated[Path, typer.Option(help="Folder of shop files (*.json).")],
    cases: Annotated[
        Path, typer.Option(help="Customers with what a right reply needs (JSON lines).")
    ],
    model: Annotated[str, typer.Option(help=SYSTEMS)] = "pipeline",
    against: Annotated[
        str | None, typer.Option(help="A second model, compared case by case with the first.")
    ] = None,
    engine: Annotated[str, typer.Option(help=ENGINE)] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Judge a model's replies by check, intent and style, with intervals; or compare two."""
    from osai.chatbot import report

    models = [model] if against is None else [model, against]
    report.main(shops, cases, models, as_json, engine)


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="A new folder (merged), or a file (gguf).")],
    to: Annotated[str, typer.Option(help="merged (for transformers) or gguf (for llama.cpp).")],
    model: Annotated[
        str, typer.Option(help="finetuned, base, or the folder or hub id of a model or adapter.")
    ] = "finetuned",
    kind: Annotated[str, typer.Option(help="Weights of the GGUF file: f32, f16 or q8_0.")] = "f32",
) -> None:
    """Write the model with its adapter merged in, for use outside the course."""
    from osai.chatbot import export as exports
    from osai.chatbot import hanoi

    if to == "merged":
        typer.echo(exports.save_merged(hanoi.load(model, dtype="float32"), out))
    elif to == "gguf":
        typer.echo(exports.save_gguf(hanoi.load(model, dtype="float32"), out, kind))
    else:
        typer.echo(f"No export to '{to}'. Next step: give merged or gguf.", err=True)
        raise typer.Exit(2)


@app.command()
def serve(
    shop: Annotated[Path, typer.Option(help="The shop's file (JSON).")],
    database: Annotated[
        str | None,
        typer.Option(help="URL of a database; default: an SQLite file in your data folder."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8400,
    model: Annotated[str, typer.Option(help=SYSTEMS)] = "pipeline",
    engine: Annotated[str, typer.Option(help=ENGINE)] = "auto",
    new_token: Annotated[
        str | None, typer.Option(help="Only make a token for the agent of this name, and end.")
    ] = None,
    scale: Annotated[int, typer.Option(min=1, hidden=True, help="Widen limits, for tests.")] = 1,
) -> None:
    """Run the help desk of a shop: customers at /, people at /agent, programs at /v1."""
    from osai.helpdesk import serve as desk
    from osai.helpdesk.store import StoreError

    try:
        if new_token:
            typer.echo(desk.token(shop, database, new_token))
        else:
            desk.run(shop, database, host, port, model, engine, scale)
    except StoreError as error:
        typer.echo(f"{error} Next step: check --database, the rights and the free space.", err=True)
        raise typer.Exit(1) from None


@app.command()
def tour(
    assignment: Annotated[str, typer.Option(help="Whose grading round to show.")] = (
        "a4-teach-the-chatbot"
    ),
) -> None:
    """The whole story in one run: chatbot, training, assignment, grades."""
    from osai import tour as story

    raise typer.Exit(story.main(["--assignment", assignment]))


def main() -> None:
    """Run the command; what goes wrong ends in one line for the reader and exit code 1."""
    from osai.chatbot.conversations import ConversationError
    from osai.chatbot.model import ModelError
    from osai.chatbot.shops import ShopError
    from osai.places import PlaceError

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except (ModelError, ConversationError, ShopError, PlaceError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(
            f"{error.strerror or error}{where}. Next step: check the path, the rights and the "
            "free space, then run the command again.",
            file=sys.stderr,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
