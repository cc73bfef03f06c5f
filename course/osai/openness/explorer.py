"""Search models by criteria, see what is missing where something is called open, defend a choice.

    from osai import openness

    openness.search(["can be fetched", "meant for Vietnamese"], max_b=8)   # fits, may fit, does not
    openness.gaps()               # what is missing where a family calls itself open
    openness.holes(choice)        # what a defence of a model has forgotten

The three answers and the yardsticks are in `yardsticks`, a student's own rule in `own_rule`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from osai import tables
from osai.openness.own_rule import facts
from osai.openness.yardsticks import (
    TOPIC,
    Answer,
    Judgement,
    OpennessError,
    Requirement,
    model,
    osaid,
    read,
)

if TYPE_CHECKING:
    import pandas as pd

# --- a search by criteria ----------------------------------------------------------------------


@functools.cache
def _licences() -> dict[str, tuple[object, object]]:
    data = tables.load(TOPIC, "licences").data
    words = zip(data["commercial_use"], data["use_restricted"], strict=True)
    return dict(zip(data["licence"], words, strict=True))


def _commercial(row: Mapping[str, Any]) -> Requirement:
    # limited, or a list of forbidden uses: whether it touches this company is to be read in the
    # licence
    licence = row.get("weights_licence", "")
    if licence not in _licences():
        return Requirement("may be used in business", Answer.UNKNOWN, "the terms were not read")
    use, restricted = _licences()[licence]
    if use == "no" or (use == "yes" and restricted == "no"):
        return Requirement("may be used in business", read(use), f"{licence}: {use}")
    why = "limits were not looked at" if use == "yes" and restricted != "yes" else "within limits"
    return Requirement("may be used in business", Answer.UNKNOWN, f"{why}: read the terms")


def _vietnamese(row: Mapping[str, Any]) -> Requirement:
    # in part: whether that is enough for customers, only trying can tell
    answer = read(row.get("vietnamese"), partial=Answer.UNKNOWN)
    why = row.get("languages_note")
    return Requirement(
        "meant for Vietnamese", answer, why if isinstance(why, str) else answer.value
    )


def _from_osaid(name: str, asked: str) -> Callable[[Mapping[str, Any]], Requirement]:
    def criterion(row: Mapping[str, Any]) -> Requirement:
        return dataclasses.replace(osaid(row).requirement(asked), name=name)

    return criterion


def _whole(name: str, column: str) -> Callable[[Mapping[str, Any]], Requirement]:
    def criterion(row: Mapping[str, Any]) -> Requirement:
        answer = read(row.get(column))
        return Requirement(name, answer, answer.value)

    return criterion


CRITERIA: dict[str, Callable[[Mapping[str, Any]], Requirement]] = {
    "can be fetched": _from_osaid("can be fetched", "weights"),
    "OSI-approved licence": _from_osaid("OSI-approved licence", "open licence"),
    "may be used in business": _commercial,
    "meant for Vietnamese": _vietnamese,
    "training code released": _from_osaid("training code released", "training code"),
    "training data released": _whole("training data released", "training_data"),
    "data described in full": _whole("data described in full", "data_documentation"),
    "passes OSAID 1.0": lambda row: Requirement(
        "passes OSAID 1.0", osaid(row).answer, repr(osaid(row))
    ),
}
"""What one can ask of a model: name -> function from a row of models.csv to an answer with reason."""


def fit(row: Mapping[str, Any], criteria: Iterable[str], max_b: float | None = None) -> Judgement:
    """Say whether a model meets all criteria: yes, no or unknown, and which it does not.

    criteria: names out of `CRITERIA`. max_b: the largest size, in billion parameters.
    Raises OpennessError for a criterion that does not exist.
    """
    asked = []
    for name in criteria:
        if name not in CRITERIA:
            raise OpennessError(
                f"There is no criterion {name!r}. There are: {', '.join(CRITERIA)}."
            )
        asked.append(CRITERIA[name](row))
    if max_b is not None:
        size = row.get("parameters_b")
        unknown = size is None or size != size
        answer = Answer.UNKNOWN if unknown else Answer.YES if size <= max_b else Answer.NO
        why = "size not known" if unknown else f"{size:g} billion parameters"
        asked.append(Requirement(f"at most {max_b:g} billion parameters", answer, why))
    return Judgement(str(row.get("model")), tuple(asked))


def search(criteria: Iterable[str], max_b: float | None = None) -> pd.DataFrame:
    """Return every model with the answer of `fit`, those that fit first, small before large.

    Columns: model, fits (yes, no, unknown), failed, not_known, weights_licence, parameters_b.
    """
    import pandas as pd

    criteria, rows = list(criteria), []
    for row in tables.load(TOPIC, "models").data.to_dict("records"):
        judged = fit(row, criteria, max_b)
        rows.append(
            {
                "model": row["model"],
                "fits": judged.answer.value,
                "failed": ", ".join(judged.failed),
                "not_known": ", ".join(judged.not_known),
                "weights_licence": row["weights_licence"],
                "parameters_b": row["parameters_b"],
            }
        )
    found = pd.DataFrame(rows)
    order = found["fits"].map({"yes": 0, "unknown": 1, "no": 2})
    found = found.assign(order=order).sort_values(["order", "parameters_b", "model"])
    return found.drop(columns="order").reset_index(drop=True)


def weights_gb(parameters_b: float, bits: int) -> float:
    """Return the size of a model's weights in GB (10^9 bytes): parameters x bits / 8.

    bits: per weight, 16 as most are published, 4 after strong compression. Running needs more.
    """
    return parameters_b * bits / 8


# --- who calls itself open ---------------------------------------------------------------------


def gaps() -> pd.DataFrame:
    """Return, for the families in the European index, which facts of OSAID are missing.

    The index rates families that call themselves open. The facts are those of the nearest row of
    models.csv; a family without one is left out. Columns: system, model, licence, index_points,
    met, not_known, missing (counts of five), what_is_missing. Most gaps first.
    """
    import pandas as pd

    known, rows = tables.load(TOPIC, "crosswalk").data, []
    for family in known[known["in_index"] == "yes"].dropna(subset=["model"]).to_dict("records"):
        row = model(family["model"])
        found = facts(row)
        count = list(found.values()).count
        missing = [name for name, word in found.items() if word in ("no", "part")]
        rows.append(
            {
                "system": family["system"],
                "model": family["model"],
                "licence": row["weights_licence"],
                "index_points": family["index_points"],
                "met": count("yes"),
                "not_known": count(""),
                "missing": len(missing),
                "what_is_missing": ", ".join(missing),
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(["missing", "not_known", "system"], ascending=[False, False, True])


# --- a choice, and its defence -----------------------------------------------------------------


def holes(choice: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the defence of a model has forgotten, one sentence each; () if nothing was found.

    choice: model, must (names of criteria), max_b (billion parameters, or None), because, against
    (the best reason for another choice), find_out (list of what is still unknown and will be
    looked up or tried), instead (the second choice). It looks for holes, not for a right answer.
    Raises OpennessError for a missing part, an unknown model or criterion.
    """
    parts = ("model", "must", "max_b", "because", "against", "find_out", "instead")
    if missing := [part for part in parts if part not in choice]:
        raise OpennessError(
            f"The choice lacks: {', '.join(missing)}. It needs: {', '.join(parts)}."
        )
    judged = fit(model(choice["model"]), choice["must"], choice["max_b"])
    found = []
    if len(choice["must"]) < 2:
        found.append("Fewer than two criteria: almost every model would do.")
    for name in judged.failed:
        why = judged.requirement(name).why
        found.append(f"It fails your own criterion “{name}” ({why}). Change the model or the must.")
    said = " ".join(str(item) for item in choice["find_out"]).lower()
    for name in judged.not_known:
        if name.lower() not in said:
            why = judged.requirement(name).why
            found.append(f"The tables leave open “{name}” ({why}); find_out does not name it.")
    for part, least in (("because", 8), ("against", 6)):
        if len(str(choice[part]).split()) < least:
            found.append(f"“{part}” has fewer than {least} words: too short to defend anything.")
    if choice["instead"] == choice["model"]:
        found.append("The second choice is the first one again.")
    else:
        model(choice["instead"])
    return tuple(found)
