"""Which circles a role asks for; who makes a circle or waits is decided in `app.protect.members`.

A role is the keys it holds: this table says which keys to give; whether somebody holds them is
seen in the wraps, never here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from serment.core.records.vault import CircleKind, Role

DEFAULT_CARE = "care"

# Role -> circles, given the name of the care circle the person works in.
CIRCLES: Mapping[Role, Callable[[str], tuple[str, ...]]] = {
    Role.ADMINISTRATOR: lambda care: (),
    Role.DOCTOR: lambda care: (CircleKind.SECRETARIAT.value, care),
    Role.SECRETARY: lambda care: (CircleKind.SECRETARIAT.value,),
    Role.DPO: lambda care: (CircleKind.DPO.value,),
}


def circles_of(role: Role, care: str | None = None) -> tuple[str, ...]:
    """The circles a role asks for; `care` names the care circle (None = the default one)."""
    return CIRCLES[role](care or DEFAULT_CARE)


def circles_of_all(roles: Iterable[Role], care: Iterable[str] = ()) -> tuple[str, ...]:
    """The circles several roles, in several care circles, ask for; each once, in order."""
    teams = tuple(care) or (DEFAULT_CARE,)
    return tuple(
        dict.fromkeys(c for role in roles for team in teams for c in circles_of(role, team))
    )


def kind_of_circle(name: str) -> CircleKind:
    """Care circles have names of their own; every other circle is named after its kind."""
    fixed = {kind.value: kind for kind in CircleKind if kind is not CircleKind.CARE}
    return fixed.get(name, CircleKind.CARE)
