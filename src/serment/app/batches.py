"""Long lists in pieces: a query for each thousand rows instead of each row, or one for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

AT_ONCE = 2000  # rows asked for, opened or written together

T = TypeVar("T")


def batches(items: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """The same items in lists of at most that many."""
    waiting = iter(items)
    while batch := list(islice(waiting, size)):
        yield batch
