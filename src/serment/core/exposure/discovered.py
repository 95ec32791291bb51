"""Finds the checks of a package: one a module, named by its id. A file that holds none stops the start.

What a check is, its package decides (`checking`, `posture.verdict`).
"""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import iter_modules
from typing import Final, Protocol, TypeVar

_NAMED: Final = re.compile(r"[a-z]\d\d_\w+")


class Named(Protocol):
    """Whatever has an id."""

    @property
    def id(self) -> str: ...


C = TypeVar("C", bound=Named)


def discovered(package: str, kind: type[C]) -> tuple[C, ...]:
    """The checks of a package, in order of their ids: the `CHECK` of each module whose name opens with
    an id, as `x01_dicom_find` with X01.

    Args:
        package: its full name.
        kind: what a check must be.

    Raises:
        TypeError: such a module has no check of that id.
    """
    names = sorted(each.name for each in iter_modules(import_module(package).__path__))
    return tuple(_check(package, name, kind) for name in names if _NAMED.fullmatch(name))


def _check(package: str, name: str, kind: type[C]) -> C:
    found = getattr(import_module(f"{package}.{name}"), "CHECK", None)
    if not isinstance(found, kind) or found.id != name[:3].upper():
        raise TypeError(f"{package}.{name} has no CHECK {name[:3].upper()}")
    return found
