"""Part 2 of the course: how open a model is, and what it takes to make one.

``yardsticks`` judges the rows of `data/openness` by three definitions, in three answers: yes, no, unknown.
"""

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
    "G7", "G7_LABELS", "MOF", "MOF_CLASSES", "OSAID", "TOPIC", "Answer", "Component", "Judgement", "Ladder",
    "OpennessError", "Requirement", "all_of", "any_of", "components", "g7", "model", "mof", "osaid", "overview",
    "read", "recorded",
]  # fmt: skip
