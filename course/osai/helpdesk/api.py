"""The desk over HTTP: for customers, for agents, and for programs that speak OpenAI's form.

All addresses are relative, so it works behind any path prefix. Customers show a secret session id
(``X-Session``), agents and programs a token (``Authorization: Bearer``).
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import plotly
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from osai import __version__
from osai.chatbot import address, templates
from osai.chatbot.facts import Found
from osai.helpdesk import forms, limits
from osai.helpdesk.dashboard import draw, export_lines
from osai.helpdesk.desk import Busy, Desk
from osai.helpdesk.metrics import CONTENT_TYPE, Metrics
from osai.helpdesk.store import CUSTOMER, Stored, StoreError, Ticket

log = logging.getLogger("osai.helpdesk")
MOST_BYTES = 64_000  # of a request
MOST_BYTES_API = 1_000_000  # of a program's request, which brings its history along
PATIENCE = 20.0  # seconds that a request waits for the reply before it says "not yet"
# plotly.js writes style attributes; scripts come from this server only.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
PAGE = Path(__file__).parent / "page"
Number = Annotated[int, InPath(ge=1, le=2**31 - 1)]


class Refused(Exception):
    """A request that is not served: status, what is wrong, and seconds until it may be tried again."""

    def __init__(self, status: int, detail: str, seconds: int = 0) -> None:
        super().__init__(detail)
        self.status, self.detail, self.seconds = status, detail, seconds


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for its description."""
    says = {
        401: "No valid session or token",
        404: "Not there, or not yours",
        409: "Somebody else has it",
        413: "Too large",
        429: "Too many requests; Retry-After says when",
        503: "The database cannot be used, or the desk closes; nothing was stored",
    }
    return {status: {"model": forms.Problem, "description": says[status]} for status in statuses}


class LimitBody:
    """Refuses a request whose body is too large, before it is read whole."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = MOST_BYTES_API if scope["path"].startswith("/v1/") else MOST_BYTES
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and int(told) > most:
            await self._refuse(most)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413, f"A request may have {most} bytes at most.")
            return message

        await self.app(scope, counted, send)

    def _refuse(self, most: int) -> JSONResponse:
        return JSONResponse({"detail": f"A request may have {most} bytes at most."}, 413)


class Pulse:
    """Whether the database can be written; asked at most every few seconds, whoever wants to know."""

    def __init__(self, desk: Desk, seconds: float = 3.0) -> None:
        self._desk, self._seconds = desk, seconds
        self._lock = threading.Lock()
        self._at, self._ok = 0.0, True

    def ok(self) -> bool:
        """True if a row could be written."""
        with self._lock:
            if time.monotonic() - self._at > self._seconds:
                try:
                    self._desk.store.check()
                    self._ok = True
                except StoreError as error:
                    log.error("the database cannot be written", extra={"reason": str(error)})
                    self._ok = False
                self._at = time.monotonic()
            return self._ok


def create(desk: Desk, limit: limits.Limits | None = None) -> FastAPI:
    """The application for a desk; it opens and closes the desk with itself."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        from anyio import to_thread

        to_thread.current_default_thread_limiter().total_tokens = 100
        with desk:
            yield

    app = FastAPI(
        title=f"Help desk of {desk.shop.name}",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.desk = desk
    app.state.limits = limit or limits.Limits()
    app.state.metrics = Metrics(desk)
    app.state.pulse = Pulse(desk)
    app.add_middleware(LimitBody)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(StoreError, _unusable)
    app.add_exception_handler(Busy, _busy)
    app.middleware("http")(_headers)
    for router in (pages, customers, agents, programs, operations):
        app.include_router(router)
    return app


async def _headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Content-Security-Policy"] = POLICY
    if "/api/" in request.url.path or "/v1/" in request.url.path:
        response.headers["Cache-Control"] = "no-store"
    return response


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    request.app.state.metrics.refused(str(error.status))
    headers = {"Retry-After": str(error.seconds)} if error.seconds else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"detail": error.detail}, error.status, headers)


async def _malformed(request: Request, error: Exception) -> Response:
    """What is wrong with a request, without repeating it: it may hold what no answer can."""
    assert isinstance(error, RequestValidationError)
    request.app.state.metrics.refused("422")
    detail = [
        {"type": one["type"], "loc": [str(part) for part in one["loc"]], "msg": one["msg"]}
        for one in error.errors()
    ]
    return Response(json.dumps({"detail": detail}), 422, media_type="application/json")


async def _unusable(request: Request, error: Exception) -> JSONResponse:
    request.app.state.metrics.refused("503")
    log.error("refused", extra={"reason": str(error)})
    detail = (
        "The desk cannot store anything now; this was not stored. Next step: send it again soon."
    )
    return JSONResponse({"detail": detail}, 503, {"Retry-After": "5"})


async def _busy(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Busy)
    request.app.state.metrics.refused("busy")
    closing = request.app.state.desk.stopping
    return JSONResponse(
        {"detail": str(error)}, 503 if closing else 429, {"Retry-After": str(error.seconds)}
    )


# Who asks

bearer = HTTPBearer(auto_error=False, description="An agent's token")


def the_desk(request: Request) -> Desk:
    """The desk of this application."""
    return request.app.state.desk


TheDesk = Annotated[Desk, Depends(the_desk)]


def visitor(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client else "?"


def count(request: Request, limit: Any, who: str) -> None:
    """Count a request against a limit; raises Refused (429) where it is used up."""
    seconds = request.app.state.limits.wait(limit, who)
    if seconds:
        raise Refused(429, f"Too many requests. Try again in {seconds} seconds.", seconds)


def conversation_of(
    request: Request,
    desk: TheDesk,
    session: Annotated[str, Header(alias="X-Session", max_length=200)] = "",
) -> int:
    """The customer's conversation by their session id; raises Refused (401)."""
    found = desk.store.conversation(session) if session else None
    if found is None:
        count(request, limits.WRONG_SECRETS, f"session {visitor(request)}")
        raise Refused(401, "No such conversation. Next step: open a new one.")
    return found


def agent_of(
    request: Request,
    desk: TheDesk,
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> str:
    """The agent by their token; raises Refused (401, or 429 after many wrong tokens)."""
    found = desk.store.agent(shown.credentials) if shown else None
    if found is None:
        count(request, limits.WRONG_SECRETS, f"token {visitor(request)}")
        raise Refused(
            401, "No valid token. Next step: `osai serve --shop FILE --new-token NAME` makes one."
        )
    return found


Conversation = Annotated[int, Depends(conversation_of)]
Agent = Annotated[str, Depends(agent_of)]


def said(message: Stored) -> forms.Said:
    """A stored message as it goes out."""
    return forms.Said(
        id=message.id,
        role=message.role,
        text=message.text,
        at=message.at,
        handoff=message.handoff,
    )


# Pages

pages = APIRouter(include_in_schema=False)


@pages.get("/")
def customer_page() -> FileResponse:
    """The customer's side."""
    return FileResponse(PAGE / "customer.html")


@pages.get("/agent")
def agent_page() -> FileResponse:
    """The agent's side."""
    return FileResponse(PAGE / "agent.html")


@pages.get("/static/{name}")
def static(name: str) -> FileResponse:
    """Style and scripts of both."""
    known = {file.name: file for file in PAGE.iterdir() if file.suffix in (".css", ".js", ".svg")}
    known["plotly.min.js"] = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    if name not in known:
        raise Refused(404, "Not there.")
    return FileResponse(known[name])


# Customers

customers = APIRouter(prefix="/api", tags=["customers"])


@customers.post("/conversations", responses=problems(413, 429, 503), status_code=201)
def open_conversation(request: Request, desk: TheDesk) -> forms.Opened:
    """Open a conversation. The first words say that a machine answers."""
    count(request, limits.OPENINGS, f"open {visitor(request)}")
    if desk.stopping:
        raise Busy(5)
    _, session = desk.store.open(desk.shop.name)
    greeting = templates.answer(desk.shop, Found("ai_disclosure"), address.UNKNOWN)
    return forms.Opened(session=session, shop=desk.shop.name, greeting=greeting)


@customers.post("/messages", responses=problems(401, 413, 429, 503))
async def say(
    request: Request, desk: TheDesk, conversation: Conversation, form: forms.Saying
) -> forms.Heard:
    """Store a message, then answer it. With the same key again it is neither stored nor answered twice."""
    count(request, limits.MESSAGES, f"messages {conversation}")
    message, future = await run_in_threadpool(desk.say, conversation, form.text, form.key)
    metrics = request.app.state.metrics
    metrics.heard()
    reply = await _reply(future)
    if reply is not None:
        metrics.answered(message, reply)
    with_person = reply is None and await run_in_threadpool(_taken, desk, conversation)
    return forms.Heard(
        message=said(message),
        reply=said(reply) if reply else None,
        waiting=reply is None and not with_person,
        with_person=with_person,
    )


def _taken(desk: Desk, conversation: int) -> bool:
    try:
        return desk.store.taken(conversation)
    except StoreError:  # the message is stored; who answers will be seen later
        return False


async def _reply(future: Any) -> Stored | None:
    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), PATIENCE)
    except TimeoutError:
        return None


@customers.get("/messages", responses=problems(401, 429, 503))
def read(
    desk: TheDesk,
    conversation: Conversation,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> forms.Turns:
    """Messages of one's own conversation with a number above ``after``."""
    turns = desk.store.turns(conversation, after)
    return forms.Turns(
        messages=[said(turn) for turn in turns], with_person=desk.store.taken(conversation)
    )


@customers.delete("/conversation", responses=problems(401, 429, 503))
def delete(desk: TheDesk, conversation: Conversation) -> forms.Deleted:
    """Remove one's own conversation everywhere, and say what was removed."""
    gone = desk.store.delete(conversation)
    return forms.Deleted(
        conversations=gone.conversations, messages=gone.messages, tickets=gone.tickets
    )


# Agents

agents = APIRouter(prefix="/api/agent", tags=["agents"])


def _line(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    turns = desk.store.turns(ticket.conversation)
    asked = next((turn.text for turn in turns if turn.id == ticket.message), "")
    return {
        "id": ticket.id,
        "state": ticket.state,
        "reason": ticket.reason,
        "agent": ticket.agent,
        "opened_at": ticket.opened_at,
        "asked": asked,
    }


@agents.get("/tickets", responses=problems(401, 429, 503))
def tickets(desk: TheDesk, agent: Agent) -> forms.Tickets:
    """The queue: open tickets and those that somebody has."""
    lines = [forms.TicketLine(**_line(desk, ticket)) for ticket in desk.store.tickets()]
    return forms.Tickets(agent=agent, tickets=lines)


@agents.get("/tickets/{ticket}", responses=problems(401, 404, 429, 503))
def look(desk: TheDesk, agent: Agent, ticket: Number) -> forms.TicketView:
    """A ticket with its conversation and facts."""
    found = desk.store.ticket(ticket)
    if found is None:
        raise Refused(404, f"There is no ticket {ticket}.")
    turns = desk.store.turns(found.conversation)
    facts = dict.fromkeys(fact for turn in turns for fact in turn.facts)
    return forms.TicketView(
        **_line(desk, found), messages=[said(turn) for turn in turns], facts=list(facts)
    )


@agents.post("/tickets/{ticket}/take", responses=problems(401, 409, 429, 503))
def take(desk: TheDesk, agent: Agent, ticket: Number) -> forms.Done:
    """Take a ticket over: the chatbot keeps silent in this conversation until it is closed."""
    if not desk.store.take(ticket, agent):
        raise Refused(409, "This ticket is closed, not there, or somebody else has it.")
    return forms.Done()


@agents.post("/tickets/{ticket}/answer", responses=problems(401, 409, 413, 429, 503))
def answer(desk: TheDesk, agent: Agent, ticket: Number, form: forms.Saying) -> forms.Said:
    """Write to the customer of a ticket that one has."""
    stored = desk.store.answer_as(ticket, agent, form.text, form.key)
    if stored is None:
        raise Refused(409, "You do not have this ticket. Next step: take it over first.")
    return said(stored)


@agents.post("/tickets/{ticket}/close", responses=problems(401, 409, 429, 503))
def close(desk: TheDesk, agent: Agent, ticket: Number, form: forms.Closing) -> forms.Done:
    """Close a ticket; the chatbot answers again, also what came after ``seen``."""
    if not desk.store.close(ticket, agent, form.seen):
        raise Refused(409, "You do not have this ticket. Next step: take it over first.")
    return forms.Done()


@agents.get("/dashboard", responses=problems(401, 429, 503))
def dashboard(
    desk: TheDesk,
    agent: Agent,
    price: Annotated[float, Query(ge=0, le=1e9, allow_inf_nan=False)] = 0.0,
) -> forms.Dashboard:
    """Figures of the desk's own records; ``price``: what an hour of the computer costs, in đồng."""
    drawn = draw(*desk.store.records(), price_an_hour=price)
    return forms.Dashboard(
        figures=[
            forms.Drawing(name=one.name, alt=one.alt, figure=json.loads(one.figure.to_json()))
            for one in drawn
        ]
    )


@agents.get("/export", responses=problems(401, 429, 503), response_class=Response)
def export(desk: TheDesk, agent: Agent) -> Response:
    """All messages as JSON lines, with personal data masked."""
    return Response("".join(export_lines(desk.store.records()[0])), media_type="application/jsonl")


# Programs

programs = APIRouter(prefix="/v1", tags=["programs"])


@programs.get("/models", responses=problems(401, 429, 503))
def models(agent: Agent) -> dict[str, Any]:
    """The one model there is, in OpenAI's form."""
    return {
        "object": "list",
        "data": [{"id": "hanoi", "object": "model", "created": 0, "owned_by": "osai"}],
    }


@programs.post(
    "/chat/completions",
    response_model=forms.Completion,
    responses=problems(401, 413, 429, 503),
)
async def complete(request: Request, desk: TheDesk, agent: Agent, form: forms.ChatRequest) -> Any:
    """Reply in OpenAI's form, also as a stream. A stream starts when the reply has been checked."""
    count(request, limits.MESSAGES, f"agent {agent}")
    turns = [turn for turn in form.messages if turn.role in ("user", "assistant") and turn.content]
    conversation, session = await run_in_threadpool(_remember, desk, turns[:-1])
    _, future = await run_in_threadpool(desk.say, conversation, turns[-1].content)
    reply = await _reply(future)
    if reply is None:
        return JSONResponse(
            {"detail": "No reply in time. The message is stored and will be answered; read the reply "
             "at /api/messages with this session.", "session": session},
            503,
            {"Retry-After": "5", "x-should-retry": "false"},
        )  # fmt: skip
    about = {
        "id": f"chatcmpl-{secrets.token_hex(8)}",
        "created": int(time.time()),
        "model": form.model,
    }
    understood = {
        "intent": reply.intent,
        "facts": [fact.partition(":")[0] for fact in reply.facts],
        "session": session,
        "handoff": reply.handoff,
        "source": reply.source,
    }
    if form.stream:
        return StreamingResponse(_chunks(about, reply.text), media_type="text/event-stream")
    choice = forms.Choice(message=forms.ChatMessage(content=reply.text))
    return forms.Completion(**about, choices=[choice], osai=understood)


def _remember(desk: Desk, turns: list[forms.ChatTurn]) -> tuple[int, str]:
    """A conversation of its own for a program's request, with the history that it brings.

    Its session id goes back to the program, which can read on with it, and delete.
    """
    conversation, session = desk.store.open(desk.shop.name, channel="api")
    desk.store.recall(
        conversation,
        [(CUSTOMER if turn.role == "user" else "shop", turn.content) for turn in turns],
    )
    return conversation, session


async def _chunks(about: dict[str, Any], text: str) -> AsyncIterator[str]:
    def line(delta: dict[str, str], end: str | None = None) -> str:
        chunk = about | {
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": end}],
        }
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"

    yield line({"role": "assistant", "content": ""})
    for i, word in enumerate(text.split(" ")):
        yield line({"content": " " + word if i else word})
    yield line({}, "stop")
    yield "data: [DONE]\n\n"


# Operations

operations = APIRouter(tags=["operations"])


@operations.get("/healthz", responses={503: {"model": forms.Health}})
def health(request: Request, desk: TheDesk, response: Response) -> forms.Health:
    """Is the desk well? 503 where messages cannot be stored."""
    usable = request.app.state.pulse.ok()
    if not usable or not desk.working:
        response.status_code = 503
    model = "loading" if not desk.ready.is_set() else "missing" if desk.failed else "ready"
    return forms.Health(
        status="ok" if usable and desk.working and model == "ready" else "degraded",
        database="ok" if usable else "unusable",
        model=model,
        waiting=desk.waiting,
    )


@operations.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Numbers in Prometheus' text format."""
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE)
