"""Values of a message as JSON and back: sentences, days and lists stay what they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from serment.errors import Remark


def write_value(value: object) -> Any:
    """A value of a message as JSON: sentences, days and lists stay what they are."""
    match value:
        case Remark():
            return {"message": value.message, "said": write_value(value.values)}
        case Mapping():
            return {"map": {str(key): write_value(each) for key, each in value.items()}}
        case tuple() | list():
            return {"list": [write_value(each) for each in value]}
        case date():
            return {"day": value.isoformat()}
        case str() | int() | float() | bool() | None:
            return value
    return str(value)


def read_value(value: Any) -> Any:
    """The other way."""
    match value:
        case {"message": str(message), "said": said}:
            return Remark(message, **read_value(said))
        case {"map": dict(inner)}:
            return {key: read_value(each) for key, each in inner.items()}
        case {"list": list(items)}:
            return tuple(read_value(each) for each in items)
        case {"day": str(day)}:
            return date.fromisoformat(day)
    return value
