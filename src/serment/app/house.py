"""What every step is given: the vault's name and the ports behind which it lives."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from serment.ports import Clock, Packs, SearchTable, Store


@dataclass(frozen=True, slots=True)
class House:
    """One vault, plugged together by bootstrap."""

    vault: str  # random id, bound into every wrap
    practice: str
    store: Store
    packs: Packs
    clock: Clock
    tables: Callable[[], SearchTable]
    lock: AbstractContextManager[object]  # re-entrant: sessions and tables are shared by threads
    deriving: AbstractContextManager[object]  # lets few password derivations run at once (64 MiB)
