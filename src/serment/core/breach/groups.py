"""Who holds a key: sets of holders, each kept once under a small number.

A practice of half a million patients has a few dozen such sets, for the same circles hold the keys of
all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from serment.core.breach.reach import Holder

NOBODY = 0


class Groups:
    """The sets met so far."""

    def __init__(self) -> None:
        self._sets: list[frozenset[Holder]] = [frozenset()]
        self._numbers: dict[frozenset[Holder], int] = {frozenset(): NOBODY}
        self._sums: dict[tuple[int, int, bool], int] = {}

    def of(self, holders: Collection[Holder]) -> int:
        """The number of that set."""
        made = frozenset(holders)
        number = self._numbers.get(made)
        if number is None:
            number = self._numbers[made] = len(self._sets)
            self._sets.append(made)
        return number

    def __iter__(self) -> Iterator[frozenset[Holder]]:
        """The sets in the order of their numbers."""
        return iter(self._sets)

    def changed(self, group: int, others: int, there: bool) -> int:
        """The set with the others, or without them."""
        key = (group, others, there)
        found = self._sums.get(key)
        if found is None:
            before, change = self._sets[group], self._sets[others]
            found = self._sums[key] = self.of(before | change if there else before - change)
        return found
