"""Who may do what: one table from each act to the keys or roles of which one is needed.

Where a patient's data is concerned the need is a circle, so that the table only says beforehand
what the keys enforce: without the circle's seed nothing opens. A role suffices only for acts that
open nothing of a patient. In which state an act is possible is decided elsewhere (`sessions`,
`throttle`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from serment.core.access.roles import kind_of_circle
from serment.core.records.vault import CircleKind, Role
from serment.errors import N_, AccessDenied


class Act(StrEnum):
    """What a member may ask for."""

    SEARCH = "search"  # patients and studies by name, number, date
    FILE = "file"  # attach an arrival to a patient, and undo it
    READ_CLINICAL = "read-clinical"  # images, reports, documents, series and instances
    EXPORT_CLINICAL = "export-clinical"
    ATTACH = "attach"  # add a document to a patient
    READ_OWN_JOURNAL = "read-own-journal"
    RETENTION = "retention"  # how long the journal keeps accesses
    READ_PATIENT_JOURNAL = "read-patient-journal"  # "who opened this file"
    READ_JOURNAL = "journal"
    KEEP_CHECKPOINT = "keep-checkpoint"
    RADIUS = "radius"  # whom a breach reached, in counts
    SCAN = "scan"  # audit the network, accept what it finds, set its schedule
    READ_SCANS = "read-scans"  # what audits found: names no patient
    ADMIT = "admit"  # a newcomer to one circle
    MEMBERS = "members"  # add, remove, rescue
    DEVICES = "devices"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Needs:
    """One of these circles' keys, or one of these roles, suffices. Kept apart because a role and
    a kind of circle may have the same name, and only one of them is a key."""

    circles: frozenset[CircleKind] = frozenset()
    roles: frozenset[Role] = frozenset()


def _keys(*circles: CircleKind, roles: Iterable[Role] = ()) -> Needs:
    return Needs(frozenset(circles), frozenset(roles))


_SECRETARIAT, _CARE, _DPO = CircleKind.SECRETARIAT, CircleKind.CARE, CircleKind.DPO
_ADMINISTRATOR = (Role.ADMINISTRATOR,)
_WATCHERS = (Role.ADMINISTRATOR, Role.DPO)

RIGHTS: Mapping[Act, Needs] = {
    Act.SEARCH: _keys(_SECRETARIAT, _DPO),
    Act.FILE: _keys(_SECRETARIAT),
    Act.READ_CLINICAL: _keys(_CARE),
    Act.EXPORT_CLINICAL: _keys(_CARE),
    Act.ATTACH: _keys(_SECRETARIAT),
    Act.READ_OWN_JOURNAL: _keys(roles=Role),
    Act.RETENTION: _keys(roles=_WATCHERS),
    Act.READ_PATIENT_JOURNAL: _keys(_CARE, _DPO),
    Act.READ_JOURNAL: _keys(roles=_WATCHERS),
    Act.KEEP_CHECKPOINT: _keys(roles=Role),
    Act.RADIUS: _keys(_CARE, _DPO, roles=_WATCHERS),
    Act.SCAN: _keys(roles=_ADMINISTRATOR),
    Act.READ_SCANS: _keys(roles=_WATCHERS),
    Act.ADMIT: _keys(_SECRETARIAT, _CARE, _DPO),
    Act.MEMBERS: _keys(roles=_ADMINISTRATOR),
    Act.DEVICES: _keys(roles=_ADMINISTRATOR),
    Act.SETTINGS: _keys(roles=_ADMINISTRATOR),
}


def can(
    roles: Iterable[Role],
    act: Act | str,
    circles: Collection[str] = (),
    *,
    within: str | None = None,
) -> bool:
    """Whether a member may, as for `check_may`."""
    needs = RIGHTS[Act(act)]
    held = {kind_of_circle(name) for name in circles if within in (None, name)}
    return not (needs.circles.isdisjoint(held) and needs.roles.isdisjoint(roles))


def check_may(
    roles: Iterable[Role],
    act: Act | str,
    circles: Collection[str] = (),
    *,
    within: str | None = None,
) -> None:
    """Raise `AccessDenied`, saying whose key or role would do, unless the member may.

    Args:
        roles: the member's roles.
        circles: names of the circles whose seed the session holds, not those he is meant to have.
        within: the one circle the act concerns, when it does (admission, a care team's study).
    """
    if can(roles, act, circles, within=within):
        return
    raise AccessDenied(_REFUSAL[Act(act)], hint=_HINTS[RIGHTS[Act(act)]])


_NO_CLINICAL_KEY = N_("no key: this session cannot open images, reports or clinical headers")
_REFUSAL: Mapping[Act, str] = {
    Act.SEARCH: N_("no key: this session cannot open names and identifiers"),
    Act.FILE: N_("no key: this session cannot file arrivals with patients"),
    Act.READ_CLINICAL: _NO_CLINICAL_KEY,
    Act.EXPORT_CLINICAL: _NO_CLINICAL_KEY,
    Act.ATTACH: N_("no key: this session cannot attach a document to a patient"),
    Act.READ_OWN_JOURNAL: N_("only a member may read the journal of his own acts"),
    Act.RETENTION: N_("this session may not change how long the journal keeps accesses"),
    Act.READ_PATIENT_JOURNAL: N_("this session may not see who opened a patient's file"),
    Act.READ_JOURNAL: N_("this session may not read the journal"),
    Act.KEEP_CHECKPOINT: N_("only a member may take a checkpoint of the journal"),
    Act.RADIUS: N_("this session may not ask whom a breach reached"),
    Act.SCAN: N_("this session may not audit the network"),
    Act.READ_SCANS: N_("this session may not read what audits of the network found"),
    Act.ADMIT: N_("no key: only somebody who holds a circle can admit to it"),
    Act.MEMBERS: N_("this session may not change the members"),
    Act.DEVICES: N_("this session may not change the devices"),
    Act.SETTINGS: N_("this session may not change the settings"),
}
_HINTS: Mapping[Needs, str] = {
    _keys(_SECRETARIAT): N_("ask a secretary or a doctor"),
    _keys(_SECRETARIAT, _DPO): N_("ask a secretary, a doctor or the DPO"),
    _keys(_CARE): N_("ask a doctor of the care circle that received it"),
    _keys(_CARE, _DPO): N_("ask a doctor or the DPO"),
    _keys(_CARE, _DPO, roles=_WATCHERS): N_("ask a doctor, an administrator or the DPO"),
    _keys(_SECRETARIAT, _CARE, _DPO): N_("ask a member of the circle"),
    _keys(roles=_ADMINISTRATOR): N_("ask an administrator"),
    _keys(roles=_WATCHERS): N_("ask an administrator or the DPO"),
    _keys(roles=Role): N_("sign in first"),
}
