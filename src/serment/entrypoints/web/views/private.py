"""The base of view models that hold a patient's values."""

from __future__ import annotations

from serment.core.masked import MASK


class Private:
    """A value whose text forms say that something is there, not what."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"
