"""How exposed a thing is, from "was not there" to "was read", and the categories told apart.

The order is the rule: of several answers about one thing the worst counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum

from serment.core.records.vault import EnvelopeKind


class Exposure(IntEnum):
    """Two bits, so that several fit into one small number."""

    ABSENT = 0  # it was not there
    UNINTELLIGIBLE = 1  # ciphertext to whoever is not authorised (GDPR Art. 34(3)(a))
    READABLE = 2  # keys that he could use lead to it; whether he did cannot be told
    READ = 3  # an entry, or its way in clear, says that it was shown


TOLD = (Exposure.READ, Exposure.READABLE, Exposure.UNINTELLIGIBLE)


class Category(StrEnum):
    """What the data are; all of them concern health (GDPR Art. 9(1)): that somebody is a patient
    of this practice does, too."""

    IDENTITY = "identity"
    IMAGES = "images"
    REPORTS = "reports"
    DOCUMENTS = "documents"


CATEGORY: Mapping[EnvelopeKind, Category] = {
    EnvelopeKind.IMAGE: Category.IMAGES,
    EnvelopeKind.REPORT: Category.REPORTS,
    EnvelopeKind.DOCUMENT: Category.DOCUMENTS,
}
