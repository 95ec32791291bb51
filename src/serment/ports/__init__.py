"""What the steps need from the world, each as small as it can be.

Adapters translate every foreign exception into `serment.errors`. Every adapter of a port passes
the same suite in `tests/contract`.
"""

from serment.ports.packs import LargeRecord, PackRecord, Packs, Place, Room
from serment.ports.receiving import Receipt, Receiver, Reception, Source, Streaming
from serment.ports.search import InstanceRow, Matches, SearchTable, StudyRow, StudySummary
from serment.ports.store import OneOf, Store, Transaction
from serment.ports.world import Clock, Decoder, Progress, ProgressFactory, Surroundings, Typesetter

__all__ = [
    "Clock",
    "Decoder",
    "InstanceRow",
    "LargeRecord",
    "Matches",
    "OneOf",
    "PackRecord",
    "Packs",
    "Place",
    "Progress",
    "ProgressFactory",
    "Receipt",
    "Receiver",
    "Reception",
    "Room",
    "SearchTable",
    "Source",
    "Store",
    "Streaming",
    "StudyRow",
    "StudySummary",
    "Surroundings",
    "Transaction",
    "Typesetter",
]
