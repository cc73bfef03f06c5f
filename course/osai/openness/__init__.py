"""Part 2 of the course: how open a model is, and what it takes to make one.

``yardsticks`` judges the rows of `data/openness` by three definitions, in three answers: yes, no, unknown.
``own_rule`` looks at a student's own rule, ``explorer`` searches by criteria and finds holes in a choice (lesson 07).
"""

from osai.openness.explorer import (
    CRITERIA,
    fit,
    gaps,
    holes,
    search,
    weights_gb,
)
from osai.openness.own_rule import (
    FACTS,
    Examined,
    Mixup,
    course_rule,
    examine,
    facts,
    keep_rule,
    reread_rule,
)
from osai.openness.yardsticks import (
    G7,
    G7_LABELS,
    MOF,
    MOF_CLASSES,
    OSAID,
    TOPIC,
    Answer,
    Component,
    Judgement,
    Ladder,
    OpennessError,
    Requirement,
    all_of,
    any_of,
    components,
    g7,
    model,
    mof,
    osaid,
    overview,
    read,
    recorded,
)

__all__ = [
    "CRITERIA", "FACTS", "G7", "G7_LABELS", "MOF", "MOF_CLASSES", "OSAID", "TOPIC", "Answer", "Component",
    "Examined", "Judgement", "Ladder", "Mixup", "OpennessError", "Requirement", "all_of", "any_of",
    "components", "course_rule", "examine", "facts", "fit", "g7", "gaps", "holes", "keep_rule", "model", "mof",
    "osaid", "overview", "read", "recorded", "reread_rule", "search", "weights_gb",
]  # fmt: skip
