"""The EU AI Act's thresholds for models, in three answers, and what rules bind (lesson 08).

    from osai.openness import act, model

    row = model("OLMo-2-0325-32B")
    act.general_purpose(row)       # above 10^23 operations? yes, no or unknown, and why
    act.exemption(row)             # the open-source exemption of Article 53(2)
    act.duties(row)                # which duties would follow

A reading aid, no legal advice. It looks at what the tables hold: training compute, licence, files.
Whether a model is on the EU market, is paid for, or was named by the Commission is not in them.
The Act is Regulation (EU) 2024/1689; the Commission's guidelines of 18 July 2025 do not bind.
"""

from __future__ import annotations

import dataclasses
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


@dataclasses.dataclass(frozen=True)
class Threshold:
    """An amount of training compute (FLOP) in a rule: where it stands and how firm it is."""

    name: str
    flop: float
    where: str
    force: str
    source: str


GENERAL_PURPOSE = Threshold(
    "general-purpose model",
    1e23,
    "Commission's guidelines of 18 July 2025; not in the Act itself",
    "an indication, together with writing text or speech, or making images or video from text",
    "https://artificialintelligenceact.eu/gpai-guidelines-overview",
)
SYSTEMIC = Threshold(
    "systemic risk",
    1e25,
    "Article 51(2) of the Act",
    "a presumption that the maker may contest; the Commission may name models below it,"
    " and may change the number",
    "https://ai-act-law.eu/article/51/",
)
THRESHOLDS = (GENERAL_PURPOSE, SYSTEMIC)
NEW_SINCE = "2025-08"
"""Duties hold for models placed on the market from 2 August 2025; older ones have until 2027."""


# --- is the compute above a threshold? ----------------------------------------------------------


def above(row: Mapping[str, Any], threshold: Threshold | float, factor: float = 1) -> Requirement:
    """Say whether a model's training compute is above a threshold: yes, no or unknown.

    factor: how far off an estimate may be, both ways; what the developer reported is taken as it
    is. Compute that counts only a part of the training (column `compute_covers`) can show that a
    model is above, never that it is below. Raises OpennessError for a factor below 1.
    """
    if factor < 1:
        raise OpennessError(f"An estimate is off by a factor of 1 or more, not {factor}.")
    name, line = (
        (threshold.name, threshold.flop)
        if isinstance(threshold, Threshold)
        else (f"more than {threshold:.0e} FLOP", threshold)
    )
    import pandas as pd

    flop = row.get("training_compute_flop")
    if flop is None or pd.isna(flop):
        return Requirement(name, Answer.UNKNOWN, "nobody published or estimated the compute")
    off = 1 if row.get("compute_basis") == "reported" else factor
    part = row.get("compute_covers")
    said = f"{flop:.1e} FLOP, {row.get('compute_basis')}"
    if flop / off > line:
        return Requirement(name, Answer.YES, said)
    if flop * off > line:
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
    """Judge a row by the exemption of Article 53(2): free licence, public weights, no systemic risk.

    A licence that the OSI approved counts as free and open; one that forbids uses or users does
    not; of others the tables cannot say. The Act itself does not define the word.

    Source: https://ai-act-law.eu/recital/104/ and Article 53(2)
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
    approved, limits = read(row.get("osi_approved")), read(row.get("use_restricted"))
    if approved is Answer.YES:
        return Requirement("free licence", Answer.YES, f"{named} is approved by the OSI")
    if limits is Answer.YES:
        return Requirement("free licence", Answer.NO, f"{named} limits uses or users")
    return Requirement("free licence", Answer.UNKNOWN, f"{named}: a lawyer has to read it")


def _described(row: Mapping[str, Any]) -> Requirement:
    # architecture and use: a report or a card that exists in full or in part may be enough
    answer = any_of(
        read(row.get(column), partial=Answer.UNKNOWN) for column in ("tech_report", "model_card")
    )
    return Requirement("architecture and use described", answer, "report or model card")


DUTIES = {
    "(a) technical file": "Article 53(1)(a): documents for the authorities",
    "(b) information for builders": "Article 53(1)(b): documents for those who build with it",
    "(c) copyright policy": "Article 53(1)(c)",
    "(d) summary of the data": "Article 53(1)(d): published, by a template",
    "systemic risk": "Article 55: tests, risks, incidents, security",
}


def duties(row: Mapping[str, Any], factor: float = 1) -> dict[str, Answer]:
    """Return for each of `DUTIES` whether it would hold, by the compute and the tables alone.

    (a) and (b) fall away under the exemption; (c) and (d) never do.
    Source: Article 53 and 55, https://ai-act-law.eu/article/53/
    """
    model = general_purpose(row, factor).answer
    risk = systemic(row, factor).answer
    paper = all_of((model, opposite(exemption(row, factor).answer)))
    return dict(zip(DUTIES, (paper, paper, model, model, risk), strict=True))


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
                "general-purpose": general_purpose(row, factor).answer.value,
                "systemic risk": systemic(row, factor).answer.value,
                "exemption": exemption(row, factor).answer.value,
                **{name: answer.value for name, answer in duties(row, factor).items()},
                "duties from": since(row),
            }
        )
    return pd.DataFrame(rows).rename(columns={"systemic risk": "systemic risk presumed"})


def answers(threshold: Threshold | float, factor: float = 1) -> pd.DataFrame:
    """Return model, release_month, training_compute_flop and `above`: yes, unknown or no."""
    data = tables.load(TOPIC, "models").data
    found = [above(row, threshold, factor).answer.value for row in data.to_dict("records")]
    return data[["model", "release_month", "training_compute_flop"]].assign(above=found)


def counts(threshold: Threshold | float, factor: float = 1) -> dict[str, int]:
    """Return how many of the models are above a threshold: numbers for yes, unknown and no."""
    found = list(answers(threshold, factor)["above"])
    return {word: found.count(word) for word in ("yes", "unknown", "no")}


# --- what does a rule bind? ---------------------------------------------------------------------

BINDS = ("model", "system", "use")


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule, made or proposed, and what it binds by this course's reading."""

    id: str
    says: str
    where: str
    status: str
    binds: tuple[str, ...]
    why: str
    source: str


RULES = (
    Rule("eu-papers", "Whoever offers a general-purpose model keeps a technical file on it",
         "EU, AI Act, Article 53(1)(a)", "in force for new models since August 2025", ("model",),
         "it asks what the model is, not who does what with it",
         "https://ai-act-law.eu/article/53/"),
    Rule("eu-compute", "Above an amount of computing a model counts as a systemic risk",
         "EU, AI Act, Article 51(2)", "in force since August 2025", ("model",),
         "the amount of computing is a property of the model alone",
         "https://ai-act-law.eu/article/51/"),
    Rule("eu-hiring", "AI that sorts people who apply for a job meets strict demands",
         "EU, AI Act, Article 6 and Annex III", "put off to December 2027 by the changes of 2026", ("system", "use"),
         "the system is bound because of what it is meant to be used for",
         "https://ai-act-law.eu/annex/3/"),
    Rule("eu-chatbot", "A chatbot lets people know that they talk to a machine",
         "EU, AI Act, Article 50(1)", "applies since August 2026", ("system",),
         "it binds what meets the customer, whichever model is inside",
         "https://ai-act-law.eu/article/50/"),
    Rule("eu-manipulate", "Nobody may use AI to push people into harm without their knowing",
         "EU, AI Act, Article 5(1)(a)", "applies since February 2025", ("use", "system"),
         "it forbids a practice, with any model",
         "https://ai-act-law.eu/article/5/"),
    Rule("vn-classes", "Who provides an AI system sorts it by risk before it is used",
         "Viet Nam, Law 134/2025/QH15", "in force since March 2026", ("system",),
         "risk is judged for the system, by what it may do to people",
         "https://digitalpolicyalert.org/event/36072-law-on-artificial-intelligence-including-high"
         "-risk-artificial-intelligence-systems-registration-requirement-was-adopted-by-the"
         "-national-assembly"),
    Rule("vn-fakes", "Nobody may imitate real people with AI in order to deceive",
         "Viet Nam, Law 134/2025/QH15, Article 7", "in force since March 2026", ("use",),
         "the act of deceiving is forbidden, not the tool",
         "https://digitalpolicyalert.org/event/36215-law-on-artificial-intelligence-including"
         "-measures-regarding-prohibited-acts-enters-into-force"),
    Rule("ca-1047", "Before training a very large model its maker plans how to shut it down",
         "California, SB 1047", "vetoed in September 2024", ("model",),
         "the duty begins with the training, before any product exists",
         "https://crowell.com/en/insights/client-alerts/gov-newsom-vetoes-ai-bill-but-leaves-the"
         "-door-open-to-future-ca-regulation"),
    Rule("ca-53", "Large makers of the largest models publish how they deal with grave risks",
         "California, SB 53", "signed in September 2025", ("model",),
         "it binds the firm that trains, and only large ones for most duties",
         "https://digitalpolicyalert.org/event/33868-governor-signed-act-on-frontier-artificial"
         "-intelligence-models-and-whistleblower-protections-including-artificial-intelligence"
         "-authority-governance-sb-53"),
    Rule("rail", "Whoever takes the weights may not use them for what stands on a list",
         "BigScience RAIL licence: a contract and no law", "used since 2022", ("use",),
         "the maker hands the weights on and binds what is done with them",
         "https://huggingface.co/spaces/bigscience/license"),
)  # fmt: skip


def sort_rules(answers: Mapping[str, str]) -> pd.DataFrame:
    """Lay a student's sorting beside the course's reading.

    answers: rule id -> one of `BINDS`. Rules may be left out. Raises OpennessError for an unknown
    rule or answer.
    """
    import pandas as pd

    known = {rule.id: rule for rule in RULES}
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
            "where": rule.where,
            "status": rule.status,
        }
        for rule in RULES
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
