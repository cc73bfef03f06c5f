"""Part 1 of the course: claims on open source, AI and work, and what is known about them.

``claims`` holds the claims with their evidence, ``verdicts`` what a student thinks of them,
``signals`` (lesson 03) and ``jobs`` (lesson 04) the models that the lessons play with.
"""

from osai.careers.claims import (
    TOPIC,
    Claim,
    ClaimError,
    Evidence,
    check_coverage,
    claim,
    claims,
    evidence,
    planned,
)
from osai.careers.verdicts import (
    VERDICTS,
    compare,
    file_verdict,
    form,
    my_verdicts,
    verdicts,
)

__all__ = [
    "TOPIC", "VERDICTS", "Claim", "ClaimError", "Evidence", "check_coverage", "claim", "claims", "compare", "evidence",
    "file_verdict", "form", "my_verdicts", "planned", "verdicts",
]  # fmt: skip
