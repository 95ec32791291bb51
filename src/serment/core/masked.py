"""A value that must never be printed: its text forms show that something is there, not what."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")

MASK = "•••"


class Masked(Generic[T]):
    """Holds a secret or a patient's value; only `reveal()` gives it back.

    `repr`, `str`, f-strings and tracebacks print a mask; pickling and copying to JSON fail, so a
    value cannot leave by accident through a log line, an error message or a temporary file.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value itself; every call is a place where it may leave."""
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Masked) and self._value == other._value

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a masked value cannot be pickled")
