"""How many associations there may be at once, over all and for one address, wherever they are
served. Strangers, whom the association will refuse, never take the places of devices."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from serment.entrypoints.dimse.limits import Limits

Leave = Callable[[], None]


class Places:
    """Those of one address and port; called from many threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._held: dict[object, tuple[str, bool]] = {}  # caller, whether it is known

    def enter(self, address: str, known: bool) -> Leave | None:
        """Take a place for a caller: what gives it back (twice is fine), or None without room.

        Args:
            known: whether a device calls from this address.
        """
        mine = object()
        with self._lock:
            if not self._has_room(address, known):
                return None
            self._held[mine] = (address, known)
        return lambda: self._leave(mine)

    def _has_room(self, address: str, known: bool) -> bool:
        callers = Counter(caller for caller, _known in self._held.values())
        strangers = sum(not declared for _caller, declared in self._held.values())
        return (
            len(self._held) < self._limits.associations
            and callers[address] < self._limits.associations_per_address
            and (known or strangers < self._limits.associations_of_strangers)
        )

    def _leave(self, mine: object) -> None:
        with self._lock:
            self._held.pop(mine, None)
