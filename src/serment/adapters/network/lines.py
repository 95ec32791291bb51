"""How an order goes to the child and what it saw comes back: one JSON object a line.

The parent believes nothing: a line is bounded, and becomes values of `core.exposure.seen` only
when every field has its declared type. A line that does not is dropped as a whole.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, Union

from serment.core.exposure import seen
from serment.errors import N_, FormatError

LINE_LIMIT: Final = 256 * 1024  # bytes
_TEXT_LIMIT: Final = 4096  # characters of one value
_FACTS: Final = {
    kind.__name__: kind
    for kind in (
        seen.Dicom,
        seen.Http,
        seen.Files,
        seen.Database,
        seen.Messages,
        seen.Remote,
        seen.Gateway,
        seen.Community,
    )
}
_KIND: Final = "_kind"  # which of several possible classes

T = TypeVar("T")


def encode(value: Any) -> bytes:
    """One line for a dataclass of plain fields."""
    return json.dumps(_plain(value), separators=(",", ":")).encode("ascii") + b"\n"


def decode(untrusted: bytes, *kinds: type[T], limit: int = LINE_LIMIT) -> T:
    """The value that a line holds, of one of these kinds.

    Raises:
        FormatError: it is none of them, field for field, or longer than `limit` bytes.
    """
    try:
        if len(untrusted) > limit:
            raise ValueError
        value = _checked(dict, json.loads(untrusted))
        kind = {each.__name__: each for each in kinds}[value[_KIND]]
        return typing.cast(T, _typed(kind, value))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise FormatError(
            N_("the process that talks to the network answered what is not understood"),
            hint=N_("run the scan again; `serment doctor` may say more"),
        ) from None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)
        }
        return {**fields, _KIND: type(value).__name__}
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case frozenset():
            return sorted(map(_plain, value))
        case tuple():
            return [_plain(each) for each in value]
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case _:
            return value


def _typed(kind: Any, value: Any) -> Any:
    """`value` as a `kind`; ValueError, TypeError or KeyError when it is not one."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(inner, value)
    if origin in (tuple, frozenset):
        if origin is tuple and inner[-1] is not Ellipsis:
            return tuple(_typed(each, one) for each, one in zip(inner, value, strict=True))
        return origin(_typed(inner[0], each) for each in _checked(list, value))
    if origin is dict:
        found = _checked(dict, value)
        return {_typed(inner[0], key): _typed(inner[1], each) for key, each in found.items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, _checked(dict, value))
    if kind is datetime:
        return datetime.fromisoformat(_checked(str, value))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is float and type(value) is int:
        return float(value)
    return _checked(kind, value)


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    if value is None and type(None) in kinds:
        return None
    named = [kind for kind in kinds if kind is not type(None)]
    if len(named) == 1:
        return _typed(named[0], value)
    return _typed(_FACTS[_checked(dict, value)[_KIND]], value)


def _dataclass(kind: Any, value: dict[str, Any]) -> Any:
    hints = _hints(kind)
    given = {name: each for name, each in value.items() if name != _KIND}
    if given.keys() - hints.keys():
        raise ValueError
    return kind(**{name: _typed(hints[name], each) for name, each in given.items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _checked(kind: type[T], value: Any) -> T:
    if type(value) is not kind or (isinstance(value, str) and len(value) > _TEXT_LIMIT):
        raise TypeError
    return value
