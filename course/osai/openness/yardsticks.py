"""How open is a model? Three yardsticks over the tables of `data/openness`, in three answers.

    from osai import openness

    row = openness.model("DeepSeek-R1")
    openness.osaid(row)           # Open Source AI Definition 1.0: yes, no or unknown, and why
    openness.g7(row)              # label of the G7: what is certain, what is possible
    openness.mof(openness.recorded("DeepSeek-R1"))  # class of the Model Openness Framework
    openness.overview()           # a DataFrame, one model a row

What nobody wrote down is unknown. It never counts as no, and never as yes: a result says what is
certain, what is still possible, which requirements failed and which are not known.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from osai import tables
from osai.plain import PlainError

if TYPE_CHECKING:
    import pandas as pd

TOPIC = "openness"
OSAID = "Open Source AI Definition 1.0"
G7 = "G7 Vision on AI openness"
MOF = "Model Openness Framework 1.0"
G7_LABELS = (
    "Open Source AI with Open Data",
    "Open Source AI",
    "Open Weights AI",
    "Weights Available AI",
)
"""Labels of the G7, the most open first."""
MOF_CLASSES = ("I", "II", "III")
"""Classes of the Model Openness Framework, the most open first."""


class OpennessError(PlainError, ValueError):
    """A model, a component or a cell that is not known. The message says what there is."""


# --- three answers -----------------------------------------------------------------------------


class Answer(enum.Enum):
    """Yes, no, or unknown: the three values of Kleene's strong logic."""

    NO = "no"
    UNKNOWN = "unknown"
    YES = "yes"

    def __bool__(self) -> bool:
        # `if answer:` would have to treat unknown as one of the other two
        raise TypeError("An answer may be unknown: compare it, as in `answer is Answer.YES`.")


_ORDER = {Answer.NO: 0, Answer.UNKNOWN: 1, Answer.YES: 2}
_WORDS = {
    "open": Answer.YES,
    "yes": Answer.YES,
    "closed": Answer.NO,
    "no": Answer.NO,
}
NOT_RECORDED = "not in the record"
_RECORD = {
    "open licence": Answer.YES,
    "licence not open": Answer.NO,
    "no licence": Answer.NO,
    NOT_RECORDED: Answer.UNKNOWN,
}


def all_of(answers: Iterable[Answer]) -> Answer:
    """Return no if one is no, else unknown if one is unknown, else yes."""
    return min(answers, key=_ORDER.__getitem__, default=Answer.YES)


def any_of(answers: Iterable[Answer]) -> Answer:
    """Return yes if one is yes, else unknown if one is unknown, else no."""
    return max(answers, key=_ORDER.__getitem__, default=Answer.NO)


def read(cell: object, *, partial: Answer = Answer.NO) -> Answer:
    """Return the answer in a cell of the tables; an empty cell is unknown.

    partial: what a part counts as. Where a whole is asked for, a part is not enough.
    Raises OpennessError for a word that the tables do not use.
    """
    import pandas as pd

    if pd.isna(cell) or cell == "":
        return Answer.UNKNOWN
    if cell == "partial":
        return partial
    if cell not in _WORDS:
        known = ", ".join((*_WORDS, "partial"))
        raise OpennessError(f"{cell!r} is no answer. Answers are: {known}, or an empty cell.")
    return _WORDS[cell]


# --- results -----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Requirement:
    """One thing that a yardstick asks for, the answer for one model, and the reason."""

    name: str
    answer: Answer
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


@dataclasses.dataclass(frozen=True, repr=False)
class Judgement:
    """All that a definition, a label or a class asks for, with the answers for one model.

    not_looked_at: what it asks for too, but the tables do not record.
    """

    name: str
    requirements: tuple[Requirement, ...]
    not_looked_at: tuple[str, ...] = ()

    @property
    def answer(self) -> Answer:
        """Yes if every requirement is met, no if one is not, else unknown."""
        return all_of(one.answer for one in self.requirements)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the requirements that are not met."""
        return self._names(Answer.NO)

    @property
    def not_known(self) -> tuple[str, ...]:
        """Names of the requirements of which nobody wrote down whether they are met."""
        return self._names(Answer.UNKNOWN)

    def requirement(self, name: str) -> Requirement:
        """Return one requirement. Raises OpennessError for an unknown name."""
        for one in self.requirements:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.requirements)
        raise OpennessError(f"{self.name} does not ask for {name!r}. It asks for: {known}.")

    def _names(self, answer: Answer) -> tuple[str, ...]:
        return tuple(one.name for one in self.requirements if one.answer is answer)

    def __repr__(self) -> str:
        parts = [f"{self.name}: {self.answer.value}."]
        for title, answer in (("Not met", Answer.NO), ("Not known", Answer.UNKNOWN)):
            found = [str(one) for one in self.requirements if one.answer is answer]
            if found:
                parts.append(f"{title}: {'; '.join(found)}.")
        if self.not_looked_at:
            parts.append(f"Not looked at: {'; '.join(self.not_looked_at)}.")
        return " ".join(parts)


@dataclasses.dataclass(frozen=True, repr=False)
class Ladder:
    """Labels or classes, the most open first, each with what it asks for."""

    name: str
    rungs: tuple[Judgement, ...]

    @property
    def certain(self) -> str | None:
        """The most open rung whose requirements are all met, None if there is none."""
        return next((rung.name for rung in self.rungs if rung.answer is Answer.YES), None)

    @property
    def possible(self) -> str | None:
        """The most open rung that would be met if all that is unknown were yes."""
        return next((rung.name for rung in self.rungs if rung.answer is not Answer.NO), None)

    @property
    def next(self) -> Judgement | None:
        """The rung above the certain one: what failed there, and what is not known."""
        above = [rung for rung in self.rungs if rung.answer is not Answer.YES]
        return above[-1] if above else None

    def rung(self, name: str) -> Judgement:
        """Return one rung. Raises OpennessError for an unknown name."""
        for rung in self.rungs:
            if rung.name == name:
                return rung
        known = ", ".join(rung.name for rung in self.rungs)
        raise OpennessError(f"{self.name} has no {name!r}. It has: {known}.")

    def __repr__(self) -> str:
        if self.certain == self.possible:
            parts = [f"{self.name}: {self.certain or 'none'}."]
        else:
            parts = [f"{self.name}: certain is {self.certain or 'none'},"]
            parts.append(f"possible is {self.possible}.")
        return " ".join([*parts, *([f"Next, {self.next!r}"] if self.next else [])])


# --- what a row of models.csv says -------------------------------------------------------------


def model(name: str) -> dict[str, Any]:
    """Return a model's row of `data/openness/models.csv`.

    Raises OpennessError for a model that has no row.
    """
    data = tables.load(TOPIC, "models").data
    found = data[data["model"] == name]
    if found.empty:
        raise OpennessError(f"There is no model {name!r}. There are: {', '.join(data['model'])}.")
    return found.iloc[0].to_dict()


def _reason(cell: object, answer: Answer) -> str:
    if answer is Answer.YES:
        return "released"
    if answer is Answer.NO:
        return "only a part is released" if cell == "partial" else "not released"
    return "no source that was read says so"


def _part(row: Mapping[str, Any], name: str, column: str) -> Requirement:
    answer = read(row.get(column))
    return Requirement(name, answer, _reason(row.get(column), answer))


def _weights(row: Mapping[str, Any]) -> Requirement:
    answer = read(row.get("weights_available"))
    why = _reason(row.get("weights_available"), answer)
    if answer is Answer.YES:
        why = "the files can be fetched"
    elif answer is Answer.NO:
        withdrawn = read(row.get("weights_withdrawn")) is Answer.YES
        why = "the files were taken down" if withdrawn else "the files cannot be fetched"
    return Requirement("weights", answer, why)


def _licence(row: Mapping[str, Any]) -> Requirement:
    answer = read(row.get("osi_approved"))
    licence, limits = row.get("weights_licence"), row.get("use_limits")
    why = _reason(None, answer)
    if answer is not Answer.UNKNOWN:
        named = licence if isinstance(licence, str) else "it"
        why = f"{named} is {'' if answer is Answer.YES else 'not '}approved by the OSI"
    if answer is Answer.NO and isinstance(limits, str) and limits:
        why += f": {limits}"
    return Requirement("open licence", answer, why)


def _running_code(row: Mapping[str, Any]) -> Requirement:
    # partial: the code that runs it lies in the repository of another model, and it runs
    answer = read(row.get("inference_code"), partial=Answer.YES)
    why = _reason(row.get("inference_code"), answer)
    if row.get("inference_code") == "partial":
        why = "released in the repository of another model"
    return Requirement("running code", answer, why)


def _data_information(row: Mapping[str, Any]) -> Requirement:
    # A full documentation is enough. Released data is not yet a description of itself, so then
    # somebody has to look: unknown.
    documentation, data = read(row.get("data_documentation")), read(row.get("training_data"))
    answer = any_of((documentation, all_of((data, Answer.UNKNOWN))))
    if documentation is Answer.YES:
        why = "the data is documented in full"
    elif answer is Answer.NO:
        why = "neither all the data nor a full documentation of it is released"
    elif data is Answer.YES:
        why = "the data is released, but no full documentation of it is known"
    else:
        why = "no source that was read says enough"
    return Requirement("data information", answer, why)


def _data_or_reason(row: Mapping[str, Any]) -> Requirement:
    # All data; or, where sharing is legally or technically impossible, a description of what is
    # missing. The tables do not say why data is missing, so a full documentation gives unknown.
    documentation, data = read(row.get("data_documentation")), read(row.get("training_data"))
    answer = any_of((data, all_of((documentation, Answer.UNKNOWN))))
    if data is Answer.YES:
        why = "all of it is released"
    elif answer is Answer.NO:
        why = "not all of it is released, and what is missing is not documented in full"
    else:
        why = "no source that was read says whether all is released, or why a part cannot be"
    return Requirement("training data, or why it cannot be shared", answer, why)


# --- the yardsticks ----------------------------------------------------------------------------


def osaid(row: Mapping[str, Any]) -> Judgement:
    """Judge a row of models.csv by the Open Source AI Definition 1.0 (pass or fail, no levels).

    It asks for what somebody needs who wants to change the system: weights under OSI-approved
    terms, all the code to train and to run it, and information on the data from which a skilled
    person can build something equivalent. The data itself need not be published.
    The tables record the licence of the weights only, so a yes says: as far as they go.

    Source: https://opensource.org/ai/open-source-ai-definition
    """
    return Judgement(
        OSAID,
        (
            _weights(row),
            _licence(row),
            _part(row, "training code", "training_code"),
            _running_code(row),
            _data_information(row),
        ),
        not_looked_at=("licence of the code", "terms of the data information"),
    )


def g7(row: Mapping[str, Any]) -> Ladder:
    """Label a row of models.csv in the style of the G7 Vision on AI openness of 29 May 2026.

    Each label asks for all that the one below asks for, and more: weights and the code to run
    them; an open licence; training code and the data, of which a part may be missing only where
    it cannot be shared and is described; all the data.
    The labels are the G7's, their reading from our columns is this course's.

    Source: https://g7.utoronto.ca/ict/260529-vision.html
    """
    available = (_weights(row), _running_code(row))
    open_weights = (*available, _licence(row))
    trained = (*open_weights, _part(row, "training code", "training_code"))
    asked = (
        (*trained, _part(row, "all training data", "training_data")),
        (*trained, _data_or_reason(row)),
        open_weights,
        available,
    )
    missing = ("licence of the code", "licence of the data")
    return Ladder(
        G7,
        tuple(
            Judgement(label, requirements, missing)
            for label, requirements in zip(G7_LABELS, asked, strict=True)
        ),
    )


@dataclasses.dataclass(frozen=True)
class Component:
    """One component of the Model Openness Framework.

    first_class: the lowest class that counts it, "III" the lowest. stand_in: the name of another
    component that may take its place.
    """

    name: str
    first_class: str
    required: bool
    stand_in: str | None = None


def components() -> tuple[Component, ...]:
    """Return the components in `data/openness/mof_components.csv`."""
    data = tables.load(TOPIC, "mof_components").data
    return tuple(
        Component(
            name=row["component"],
            first_class=row["first_class"],
            required=row["class_i"] == "required",
            stand_in=row["stand_in"] if isinstance(row["stand_in"], str) else None,
        )
        for row in data.to_dict("records")
    )


def recorded(name: str) -> dict[str, str]:
    """Return how a model's components stand in the Model Openness Tool, {} if it is not recorded.

    Keys are names of components, values the words of the column `record` in
    `data/openness/mot_components.csv`.
    """
    return _records().get(name, {})


def _records() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in tables.load(TOPIC, "mot_components").data.to_dict("records"):
        found.setdefault(row["model"], {})[row["component"]] = row["record"]
    return found


def mof(record: Mapping[str, str], asked: tuple[Component, ...] | None = None) -> Ladder:
    """Return the class of a release by the Model Openness Framework 1.0.

    record: name of a component -> "open licence", "licence not open", "no licence" or "not in the
    record"; what is left out is not in the record, and that is unknown. A component counts if it is released under an open
    licence. Class III asks for the fewest, class I for all; a research paper may stand in for the
    technical report. The Model Openness Tool reads "not in the record" as missing, so its class
    is the certain one here.
    asked: the framework's components, from `components()` if not given.
    Raises OpennessError for a component or a word that the framework does not know.

    Sources: https://arxiv.org/abs/2403.13784 and the rule of the tool,
    https://github.com/lfai/model_openness_tool/blob/8b5d30e/web/modules/mof/src/ModelEvaluator.php
    """
    asked = components() if asked is None else asked
    known = [component.name for component in asked]
    for name, word in record.items():
        if name not in known:
            raise OpennessError(f"There is no component {name!r}. There are: {', '.join(known)}.")
        if word not in _RECORD:
            raise OpennessError(f"{name}: {word!r} is none of {', '.join(_RECORD)}.")
    rungs = []
    for position, name in enumerate(MOF_CLASSES):
        counted = MOF_CLASSES[position:]
        requirements = tuple(
            _recorded(component, record)
            for component in asked
            if component.required and component.first_class in counted
        )
        rungs.append(Judgement(name, requirements))
    return Ladder(MOF, tuple(rungs))


def _recorded(component: Component, record: Mapping[str, str]) -> Requirement:
    word = record.get(component.name, NOT_RECORDED)
    answer, other = _RECORD[word], component.stand_in
    if other and answer is not Answer.YES:
        instead = record.get(other, NOT_RECORDED)
        if _RECORD[instead] is Answer.YES:
            word = f"{other} stands in for it"
        elif answer is Answer.NO:
            word = f"{word}; {other}, which may stand in for it: {instead}"
        answer = any_of((answer, _RECORD[instead]))
    return Requirement(component.name, answer, word)


def overview() -> pd.DataFrame:
    """Return one row a model: OSAID's answer, the G7 label and the MOF class with their gaps.

    Columns: model, osaid, osaid_failed, osaid_not_known, g7_certain, g7_possible, mof_certain,
    mof_possible. Names in a cell are separated by commas; "none" is no label or class; the
    columns of the MOF are empty for a model whose components are not recorded.
    """
    import pandas as pd

    asked, records = components(), _records()
    rows = []
    for row in tables.load(TOPIC, "models").data.to_dict("records"):
        judged, label, record = osaid(row), g7(row), records.get(row["model"])
        grade = mof(record, asked) if record else None
        rows.append(
            {
                "model": row["model"],
                "osaid": judged.answer.value,
                "osaid_failed": ", ".join(judged.failed),
                "osaid_not_known": ", ".join(judged.not_known),
                "g7_certain": label.certain or "none",
                "g7_possible": label.possible or "none",
                "mof_certain": (grade.certain or "none") if grade else None,
                "mof_possible": (grade.possible or "none") if grade else None,
            }
        )
    return pd.DataFrame(rows)
