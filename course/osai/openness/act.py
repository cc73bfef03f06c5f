"""The EU AI Act's thresholds for models, in three answers, and what rules bind (lesson 08).

    from osai.openness import act, model

    row = model("OLMo-2-0325-32B")
    act.general_purpose(row)       # above 10^23 operations? yes, no or unknown, and why
    act.exemption(row)             # the open-source exemption of Articles 53(2) and 54(6)
    act.duties(row)                # which duties would follow

A reading aid, no legal advice. It looks at what the tables hold: training compute, licence, files.
Whether a model is on the EU market, is paid for, or was named by the Commission is not in them.
The Act is Regulation (EU) 2024/1689; the Commission's guidelines of 18 July 2025 do not bind.
What both say stands in `data/openness`: act_thresholds, act_duties and ai_rules.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from osai import tables
from osai.openness.yardsticks import (
    TOPIC,
    Answer,
    Judgement,
    OpennessError,
    Requirement,
    all_of,
    any_of,
    read,
)

if TYPE_CHECKING:
    import pandas as pd


GENERAL_PURPOSE, SYSTEMIC = "general-purpose model", "systemic risk"
"""Names of the two thresholds in `act_thresholds.csv`."""
EU = ("France",)
"""Those of the countries in `models.csv` that are in the European Union."""
NEW_SINCE = "2025-08"
"""Duties hold for models placed on the market from 2 August 2025; older ones have until 2027."""


# --- is the compute above a threshold? ----------------------------------------------------------


@functools.cache
def line(threshold: str) -> float:
    """Return the training compute (FLOP) of a threshold in `act_thresholds.csv`.

    Raises OpennessError for a name that is not there.
    """
    known = tables.load(TOPIC, "act_thresholds").data.set_index("threshold")["flop"]
    if threshold not in known:
        raise OpennessError(f"There is no threshold {threshold!r}, only: {', '.join(known.index)}.")
    return float(known[threshold])


def above(row: Mapping[str, Any], threshold: str | float, factor: float = 1) -> Requirement:
    """Say whether a model's training compute is above a threshold: yes, no or unknown.

    threshold: a name (see `line`) or an amount in FLOP. factor: how far off an estimate may be, both ways; what the developer reported is taken as it
    is. Compute that counts only a part of the training (column `compute_covers`) can show that a
    model is above, never that it is below. Raises OpennessError for a factor below 1.
    """
    if factor < 1:
        raise OpennessError(f"An estimate is off by a factor of 1 or more, not {factor}.")
    import pandas as pd

    name = threshold if isinstance(threshold, str) else f"more than {threshold:.0e} FLOP"
    limit = line(threshold) if isinstance(threshold, str) else threshold

    flop = row.get("training_compute_flop")
    if flop is None or pd.isna(flop):
        return Requirement(name, Answer.UNKNOWN, "nobody published or estimated the compute")
    off = 1 if row.get("compute_basis") == "reported" else factor
    part = row.get("compute_covers")
    said = f"{flop:.1e} FLOP, {row.get('compute_basis')}"
    if flop / off > limit:
        return Requirement(name, Answer.YES, said)
    if flop * off > limit:
        return Requirement(name, Answer.UNKNOWN, f"{said}: too near to tell")
    if isinstance(part, str) and part:
        return Requirement(name, Answer.UNKNOWN, f"{said}, for the {part} alone")
    return Requirement(name, Answer.NO, said)


def general_purpose(row: Mapping[str, Any], factor: float = 1) -> Requirement:
    """Say whether the compute points to a general-purpose model; all rows here write text."""
    return above(row, GENERAL_PURPOSE, factor)


def systemic(row: Mapping[str, Any], factor: float = 1) -> Requirement:
    """Say whether systemic risk is presumed by compute. A no is none by compute, and no more."""
    return above(row, SYSTEMIC, factor)


def opposite(answer: Answer) -> Answer:
    """Return no for yes, yes for no, and unknown for unknown."""
    return {Answer.YES: Answer.NO, Answer.NO: Answer.YES}.get(answer, answer)


# --- the open-source exemption ------------------------------------------------------------------


def exemption(row: Mapping[str, Any], factor: float = 1) -> Judgement:
    """Judge a row by the open-source exemption: free licence, public weights, no systemic risk.

    A licence that the OSI approved counts as free and open. One that shuts out commercial use, or
    users above a number, does not (guidelines, paragraph 83). Of others the tables cannot say:
    limits of use for safety may be allowed (paragraph 84), and somebody has to read them.

    Source: Articles 53(2) and 54(6), recital 102, https://ai-act-law.eu/article/53/; Commission's
    guidelines of 18 July 2025, section 4
    """
    risk = systemic(row, factor)
    return Judgement(
        "Exemption for open source",
        (
            Requirement("weights public", read(row.get("weights_available")), "can be fetched?"),
            _free_licence(row),
            _described(row),
            Requirement("no systemic risk", opposite(risk.answer), risk.why),
        ),
        not_looked_at=(
            "is it paid for",
            "is a form before the download allowed",
            "did the Commission name it",
        ),
    )


def _free_licence(row: Mapping[str, Any]) -> Requirement:
    named = row.get("weights_licence")
    if read(row.get("osi_approved")) is Answer.YES:
        return Requirement("free licence", Answer.YES, f"{named} is approved by the OSI")
    limited = _limited().get(str(named))
    if limited and read(row.get("use_restricted")) is Answer.YES:
        return Requirement("free licence", Answer.NO, f"{named} limits {limited}")
    return Requirement("free licence", Answer.UNKNOWN, f"{named}: a lawyer has to read it")


@functools.cache
def _limited() -> dict[str, str]:
    """Return what a licence limits, for those that the guidelines would not call free."""
    found = {}
    for terms in tables.load(TOPIC, "licences").data.to_dict("records"):
        if terms["commercial_use"] == "no":
            found[terms["licence"]] = "commercial use"
        elif terms["user_threshold"] == "yes":
            found[terms["licence"]] = "firms with very many users"
    return found


def _described(row: Mapping[str, Any]) -> Requirement:
    # architecture and use: a report or a card that exists in full or in part may be enough
    answer = any_of(
        read(row.get(column), partial=Answer.UNKNOWN) for column in ("tech_report", "model_card")
    )
    return Requirement("architecture and use described", answer, "report or model card")


def duties(row: Mapping[str, Any], factor: float = 1) -> dict[str, Answer]:
    """Return for each duty of `act_duties.csv` whether it would hold, by the tables alone.

    It is taken that the model is offered in the EU by the organisation in its row.
    """
    reached = {
        GENERAL_PURPOSE: general_purpose(row, factor).answer,
        SYSTEMIC: systemic(row, factor).answer,
    }
    not_exempt = opposite(exemption(row, factor).answer)
    found = {}
    for duty in _duties():
        needed = [reached[duty["threshold"]]]
        if duty["lifted"]:
            needed.append(not_exempt)
        if duty["who"] == "provider outside the EU":
            needed.append(_outside(row))
        found[duty["duty"]] = all_of(needed)
    return found


@functools.cache
def _duties() -> tuple[dict[str, Any], ...]:
    return tuple(tables.load(TOPIC, "act_duties").data.to_dict("records"))


def _outside(row: Mapping[str, Any]) -> Answer:
    country = row.get("country")
    if not isinstance(country, str) or country == "International":
        return Answer.UNKNOWN
    return Answer.NO if country in EU else Answer.YES


def since(row: Mapping[str, Any]) -> str:
    """Return from when the duties hold: 2 August 2025, or 2027 for models that were there before.

    The day on which a model came to the EU market decides; the table has the month of release.
    """
    month = row.get("release_month")
    if not isinstance(month, str):
        return "not known"
    # released in August 2025: the day decides, and the table has months only
    if month == NEW_SINCE:
        return "2025 or 2027"
    return "2 August 2025" if month > NEW_SINCE else "2 August 2027"


def overview(factor: float = 1) -> pd.DataFrame:
    """Return one model a row: both thresholds, the exemption, each duty, in words."""
    import pandas as pd

    rows = []
    for row in tables.load(TOPIC, "models").data.to_dict("records"):
        rows.append(
            {
                "model": row["model"],
                "above 10^23": general_purpose(row, factor).answer.value,
                "above 10^25": systemic(row, factor).answer.value,
                "exemption": exemption(row, factor).answer.value,
                **{name: answer.value for name, answer in duties(row, factor).items()},
                "duties from": "–"
                if general_purpose(row, factor).answer is Answer.NO
                else since(row),
            }
        )
    return pd.DataFrame(rows)


def answers(threshold: str | float, factor: float = 1) -> pd.DataFrame:
    """Return model, release_month, training_compute_flop and `above`: yes, unknown or no."""
    data = tables.load(TOPIC, "models").data
    found = [above(row, threshold, factor).answer.value for row in data.to_dict("records")]
    return data[["model", "release_month", "training_compute_flop"]].assign(above=found)


def counts(threshold: str | float, factor: float = 1) -> dict[str, int]:
    """Return how many of the models are above a threshold: numbers for yes, unknown and no."""
    found = list(answers(threshold, factor)["above"])
    return {word: found.count(word) for word in ("yes", "unknown", "no")}


# --- what does a rule bind? ---------------------------------------------------------------------

BINDS = ("model", "system", "use")


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule, made or proposed, and what it binds by this course's reading: a row of `ai_rules.csv`."""

    id: str
    says: str
    place: str
    status: str
    binds: tuple[str, ...]
    why: str
    source_urls: str


@functools.cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of `ai_rules.csv` in their order."""
    rows = tables.load(TOPIC, "ai_rules").data.to_dict("records")
    return tuple(Rule(**(row | {"binds": tuple(row["binds"].split())})) for row in rows)


def sort_rules(answers: Mapping[str, str]) -> pd.DataFrame:
    """Lay a student's sorting beside the course's reading.

    answers: rule id -> one of `BINDS`. Rules may be left out. Raises OpennessError for an unknown
    rule or answer.
    """
    import pandas as pd

    known = {rule.id: rule for rule in rules()}
    for id, answer in answers.items():
        if id not in known:
            raise OpennessError(f"There is no rule {id!r}. There are: {', '.join(known)}.")
        if answer not in BINDS:
            raise OpennessError(f"{id}: {answer!r} is not one of {', '.join(BINDS)}.")
    rows = [
        {
            "rule": rule.says,
            "mine": answers.get(rule.id, "not sorted yet"),
            "course": " or ".join(rule.binds),
            "same": "–" if rule.id not in answers else _same(answers[rule.id], rule),
            "because": rule.why,
            "where": rule.place,
            "status": rule.status,
        }
        for rule in rules()
    ]
    return pd.DataFrame(rows)


def _same(answer: str, rule: Rule) -> str:
    return "yes" if answer in rule.binds else "no: discuss"


# --- a cost of following rules, and a decision ---------------------------------------------------


def smallest_firm(fixed: float, margin: float) -> float:
    """Return the revenue below which a fixed yearly cost eats the whole profit.

    fixed: cost of following the rules, USD a year, the same for every firm. margin: profit before
    it, percent of revenue. Raises OpennessError for a cost below 0 or a margin not above 0.
    """
    if fixed < 0 or not 0 < margin <= 100:
        raise OpennessError(
            "The cost is 0 USD or more, and the margin above 0 and up to 100 percent."
        )
    return fixed / (margin / 100)


DECISION_KEYS = ("bind", "line", "open_source", "because", "against", "would_change_my_mind")
_LONG_ENOUGH = 6  # words: fewer is a slogan


def holes(decision: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a good opponent would ask about a decision on what a rule should bind.

    decision: the keys in `DECISION_KEYS`. Raises OpennessError if one is missing.
    """
    missing = [key for key in DECISION_KEYS if key not in decision]
    if missing:
        raise OpennessError(f"The decision needs {', '.join(missing)}.")
    if decision["bind"] not in BINDS:
        raise OpennessError(f"bind is one of {', '.join(BINDS)}, not {decision['bind']!r}.")
    found = []
    if not str(decision["line"]).strip():
        found.append("line: whom does it bind, and whom not? Name an amount, a size or a list.")
    for key in ("because", "against", "would_change_my_mind"):
        if len(str(decision[key]).split()) < _LONG_ENOUGH:
            found.append(f"{key}: that is a slogan. Write a whole sentence.")
    if not str(decision["open_source"]).strip():
        found.append("open_source: does the rule hold for weights that are given away?")
    text = " ".join(str(value) for value in decision.values()).lower()
    if decision["bind"] == "model" and "flop" not in text and "compute" not in text:
        found.append(
            "You bind models: which ones? Compute is one line; say another if you have it."
        )
    if decision["bind"] == "use" and "weights" not in text:
        found.append("You bind uses: what about weights on the net, which nobody can call back?")
    if decision["bind"] == "system" and "who" not in text and "provider" not in text:
        found.append("You bind systems: who is answerable if a firm only hands on a model?")
    return tuple(found)
