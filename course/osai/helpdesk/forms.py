"""What goes over the wire: requests with their limits, answers with their fields."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

MOST_LETTERS = 4000
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MOST_LETTERS, strip_whitespace=True),
    AfterValidator(lambda text: text.replace("\x00", "\ufffd")),  # PostgreSQL stores no NUL
]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Problem(BaseModel):
    """What went wrong, and what to do next."""

    detail: str


class Form(BaseModel):
    """A request; a field that we do not know is a mistake, not something to pass over."""

    model_config = ConfigDict(extra="forbid")


class Saying(Form):
    """A message. ``key``: the sender's own id for it; the same key is stored once."""

    text: Text
    key: Key | None = None


class Closing(Form):
    """Close a ticket: the number of the last message that the agent has seen."""

    seen: Annotated[int, Field(ge=0, le=2**31 - 1)]


class Opened(BaseModel):
    """A new conversation: the customer's secret session id, and the first words, which say who answers."""

    session: str
    shop: str
    greeting: str


class Said(BaseModel):
    """A message of a conversation."""

    id: int
    role: Literal["customer", "shop", "agent"]
    text: str
    at: datetime
    handoff: bool = False


class Heard(BaseModel):
    """A customer's message as stored, and the reply; none yet where ``waiting`` or a person has it."""

    message: Said
    reply: Said | None
    waiting: bool
    with_person: bool


class Turns(BaseModel):
    """Messages of a conversation, oldest first."""

    messages: list[Said]
    with_person: bool


class Deleted(BaseModel):
    """What was removed of a customer."""

    conversations: int
    messages: int
    tickets: int


class TicketLine(BaseModel):
    """A hand-off in the queue."""

    id: int
    state: Literal["open", "taken", "closed"]
    reason: str
    agent: str | None
    opened_at: datetime
    asked: str


class TicketView(TicketLine):
    """A hand-off with its conversation and the facts that the chatbot used."""

    messages: list[Said]
    facts: list[str]


class Tickets(BaseModel):
    """The queue."""

    agent: str
    tickets: list[TicketLine]


class Drawing(BaseModel):
    """A plotly figure and the same in words."""

    name: str
    alt: str
    figure: dict[str, Any]


class Dashboard(BaseModel):
    """Figures of the desk's own records."""

    figures: list[Drawing]


class Done(BaseModel):
    """It is done."""

    done: Literal[True] = True


class Health(BaseModel):
    """Is the desk well? ``model`` is ready, loading or missing; messages are taken in all cases."""

    status: Literal["ok", "degraded"]
    database: Literal["ok", "unusable"]
    model: Literal["ready", "loading", "missing"]
    waiting: int


# OpenAI's form, as far as a desk needs it: https://platform.openai.com/docs/api-reference/chat


class ChatTurn(BaseModel):
    """A message in OpenAI's form: text, or parts of which the texts are read."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Annotated[
        Annotated[str, StringConstraints(max_length=100_000)],
        BeforeValidator(lambda content: _joined(content)),
    ] = ""


def _joined(content: Any) -> Any:
    if content is None:
        return ""
    if isinstance(content, list):
        parts = [part.get("text", "") for part in content if isinstance(part, dict)]
        content = "\n".join(part for part in parts if isinstance(part, str))
    return content.replace("\x00", "\ufffd").strip() if isinstance(content, str) else content


class ChatRequest(BaseModel):
    """A request in OpenAI's form; settings of sampling are accepted and do nothing."""

    model_config = ConfigDict(extra="ignore")
    model: Annotated[str, StringConstraints(max_length=200)] = "hanoi"
    messages: Annotated[list[ChatTurn], Field(min_length=1, max_length=100)]
    stream: bool = False

    @model_validator(mode="after")
    def _last_is_a_question(self) -> ChatRequest:
        last = self.messages[-1]
        if last.role != "user" or not 1 <= len(last.content) <= MOST_LETTERS:
            raise ValueError(f"The last message must be a user's, of 1 to {MOST_LETTERS} letters.")
        return self


class ChatMessage(BaseModel):
    """The reply."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The one choice there is."""

    index: int = 0
    message: ChatMessage
    finish_reason: Literal["stop"] = "stop"


class Completion(BaseModel):
    """A reply in OpenAI's form; ``osai`` says what was understood."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    osai: dict[str, Any]
