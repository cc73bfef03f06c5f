"""A rule of one's own for "is it open-source AI?", laid beside the course's, with its mix-ups named.

from osai import openness

openness.facts(openness.model("BLOOMZ"))   # five facts: "yes", "part", "no" or "" (not known)
openness.examine(rule)                     # where it differs from the course's, and why
openness.keep_rule(rule)                   # its source goes to my-work/open-rule.py
openness.reread_rule()                     # and comes back, without the notebook
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osai import tables, work
from osai.openness.yardsticks import TOPIC, Answer, OpennessError, all_of, osaid

if TYPE_CHECKING:
    import pandas as pd

FACTS = ("weights", "open licence", "training code", "running code", "data information")
"""What the Open Source AI Definition asks for, as far as the tables record it."""
WORDS = ("yes", "part", "no", "")
"""What a fact can be; the empty word is: nobody wrote it down."""
RULE = "open-rule.py"
"""Under this name `osai.work` keeps a student's rule."""

Facts = Mapping[str, str]
Rule = Callable[[dict[str, str]], object]

# --- five facts on a model ---------------------------------------------------------------------


def facts(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the five facts that the Open Source AI Definition asks for, in words a rule can read.

    row: a row of models.csv. "part" is less than the whole: some of the training code, or a
    description of some of the data. "" means that nobody wrote it down.
    """
    found = {}
    for one in osaid(row).requirements:
        found[one.name] = "" if one.answer is Answer.UNKNOWN else one.answer.value
    if row.get("training_code") == "partial":
        found["training code"] = "part"
    described = (row.get("data_documentation"), row.get("training_data"))
    if found["data information"] == "no" and "partial" in described:
        found["data information"] = "part"
    return found


def course_rule(facts: Facts) -> str:
    """Judge five facts as `osaid` does: one no, or only a part, decides; else a gap is unknown."""
    reading = {"yes": Answer.YES, "part": Answer.NO, "no": Answer.NO, "": Answer.UNKNOWN}
    return all_of(reading[word] for word in facts.values()).value


# --- a rule of one's own -----------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Mixup:
    """A mistake that a rule can show: what it mixes up, why that matters, what gives it away."""

    name: str
    why: str
    shows: Callable[[Facts, str], bool]


def _only(facts: Facts, *words: str) -> bool:
    return set(facts.values()) <= set(words)


MIXUPS = (
    Mixup(
        "missing is read as no",
        "An empty cell says that nobody wrote it down. The model may have it. Answer unknown.",
        lambda facts, said: _only(facts, "yes", "") and "" in facts.values() and said == "no",
    ),
    Mixup(
        "missing is read as yes",
        "Silence is no promise. An empty cell is not evidence that something is there.",
        lambda facts, said: _only(facts, "yes", "") and "" in facts.values() and said == "yes",
    ),
    Mixup(
        "a part is taken for the whole",
        "The definition asks for all the code, and for information on all the data.",
        lambda facts, said: (
            _only(facts, "yes", "part") and "part" in facts.values() and said != "no"
        ),
    ),
    Mixup(
        "one thing that is there makes up for another that is not",
        "A definition is no sum of points: each requirement must be met.",
        lambda facts, said: "no" in facts.values() and said == "yes",
    ),
    Mixup(
        "something unknown hides a clear no",
        "One no decides, whatever else is unknown. Look at all five before you answer unknown; a"
        " return inside the loop may stop too early.",
        lambda facts, said: "no" in facts.values() and said == "unknown",
    ),
    Mixup(
        "yes is never said",
        "If all five facts are yes, the answer is yes.",
        lambda facts, said: _only(facts, "yes") and said != "yes",
    ),
    # the other mistakes can show here too, so `examine` names this one only if it stands alone
    Mixup(
        "a part beside something unknown is left open",
        "A part is not the whole, so the answer is no already.",
        lambda facts, said: {"part", ""} <= set(facts.values()) and said != "no",
    ),
)
"""Every way to differ from `course_rule` on some facts shows at least one of these."""


@dataclasses.dataclass(frozen=True, repr=False)
class Examined:
    """A rule beside the course's: models judged alike, those judged otherwise, what is mixed up.

    differing: DataFrame with model, mine, course and the facts that are not yes.
    ignored: facts that never change the rule's answer. mixups: those that it shows.
    """

    models: int
    differing: pd.DataFrame
    ignored: tuple[str, ...]
    mixups: tuple[Mixup, ...]

    @property
    def right(self) -> bool:
        """Whether the rule agrees with the course's on all facts that there can be."""
        return not self.mixups

    def __repr__(self) -> str:
        same = self.models - len(self.differing)
        lines = [f"Your rule and the course's say the same for {same} of {self.models} models."]
        if self.right:
            lines.append(
                f"They also agree on all {len(WORDS) ** len(FACTS):,} combinations of facts."
            )
        if self.ignored:
            lines.append(f"Your rule never looks at: {', '.join(self.ignored)}.")
        lines += [f"Mixed up: {mixup.name}. {mixup.why}" for mixup in self.mixups]
        return "\n".join(lines)


def examine(rule: Rule) -> Examined:
    """Compare a rule with the course's on every model and on every combination of facts.

    rule: takes the five facts, as `facts` gives them, and returns "yes", "no" or "unknown".
    Raises OpennessError if it returns something else, or stops with an error, and says for what.
    """
    import pandas as pd

    cases = [
        dict(zip(FACTS, words, strict=True))
        for words in itertools.product(WORDS, repeat=len(FACTS))
    ]
    said = {tuple(case.values()): _ask(rule, case) for case in cases}
    shown = tuple(
        mixup
        for mixup in MIXUPS
        if any(mixup.shows(case, said[tuple(case.values())]) for case in cases)
    )
    if len(shown) > 1:
        shown = tuple(mixup for mixup in shown if mixup is not MIXUPS[-1])
    rows = []
    models = tables.load(TOPIC, "models").data.to_dict("records")
    for row in models:
        known = facts(row)
        mine, course = said[tuple(known.values())], course_rule(known)
        if mine != course:
            rest = [
                f"{name}: {word or 'not known'}" for name, word in known.items() if word != "yes"
            ]
            rows.append((row["model"], mine, course, "; ".join(rest)))
    differing = pd.DataFrame(rows, columns=["model", "mine", "course", "what is not a yes"])
    return Examined(len(models), differing, _ignored(said), shown)


def _ask(rule: Rule, case: dict[str, str]) -> str:
    try:
        said = rule(dict(case))
    except Exception as error:  # the student's own code: whatever it is, say for which facts
        raise OpennessError(
            f"The rule stopped with {type(error).__name__}: {error}. The facts were: {case}."
        ) from None
    said = said.value if isinstance(said, Answer) else said
    if said not in ("yes", "no", "unknown"):
        hint = " Did you forget a return?" if said is None else ""
        raise OpennessError(
            f'The rule returned {said!r}, not "yes", "no" or "unknown". The facts were: {case}.{hint}'
        )
    return str(said)


def _ignored(said: Mapping[tuple[str, ...], str]) -> tuple[str, ...]:
    """Return the facts on which the answer never depends."""
    found = []
    for place, name in enumerate(FACTS):
        answers: dict[tuple[str, ...], set[str]] = {}
        for words, answer in said.items():
            answers.setdefault(words[:place] + words[place + 1 :], set()).add(answer)
        if all(len(seen) == 1 for seen in answers.values()):
            found.append(name)
    return tuple(found)


def keep_rule(rule: Rule) -> Path:
    """Save the source of a rule as `my-work/open-rule.py` and return where it lies.

    Raises OpennessError if it is no function with a name, or if its source alone does not run.
    """
    if not inspect.isfunction(rule) or rule.__name__ == "<lambda>":
        raise OpennessError("A rule is a function with a name: def my_rule(facts): ...")
    try:
        source = textwrap.dedent(inspect.getsource(rule))
    except (OSError, TypeError):
        raise OpennessError(
            "The source of the rule is not known. Run the cell that defines it, then this one."
        ) from None
    _ask(_from_source(source), dict.fromkeys(FACTS, "yes"))
    return work.save(RULE, source)


def reread_rule() -> Rule:
    """Return the rule that was saved, made anew from its source. Raises WorkError if there is none."""
    return _from_source(work.path(RULE).read_text(encoding="utf-8"))


def _from_source(source: str) -> Rule:
    room: dict[str, Any] = {}
    try:
        exec(compile(source, RULE, "exec"), room)  # the student's own code, on their own machine
    except Exception as error:
        raise OpennessError(
            f"{RULE} does not run by itself: {type(error).__name__}: {error}. Define everything"
            " that the rule uses inside it."
        ) from None
    rules = [value for value in room.values() if inspect.isfunction(value)]
    if not rules:
        raise OpennessError(f"{RULE} defines no function.")
    return rules[-1]
