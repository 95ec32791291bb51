"""Circles of roles, and the shape of the table of rights (its content is in tests/spec)."""

from __future__ import annotations

import pytest

from serment.core.access import rights
from serment.core.access.rights import RIGHTS, Act, can, check_may
from serment.core.access.roles import circles_of, circles_of_all, kind_of_circle
from serment.core.records.vault import CircleKind, Role
from serment.errors import AccessDenied


def test_a_doctor_asks_for_the_secretariat_and_his_team() -> None:
    assert circles_of(Role.DOCTOR) == ("secretariat", "care")
    assert circles_of(Role.DOCTOR, "north") == ("secretariat", "north")
    assert circles_of(Role.ADMINISTRATOR) == ()


def test_several_roles_and_teams() -> None:
    roles = (Role.ADMINISTRATOR, Role.DOCTOR, Role.SECRETARY, Role.DPO)
    assert circles_of_all(roles, ("north", "south")) == ("secretariat", "north", "south", "dpo")
    assert circles_of_all((Role.DOCTOR,)) == ("secretariat", "care")


def test_kinds_of_circles() -> None:
    assert kind_of_circle("recovery") is CircleKind.RECOVERY
    assert kind_of_circle("secretariat") is CircleKind.SECRETARIAT
    assert kind_of_circle("dpo") is CircleKind.DPO
    assert kind_of_circle("north") is CircleKind.CARE


@pytest.mark.parametrize("act", list(Act))
def test_every_act_has_needs_and_says_why_not(act: Act) -> None:
    assert RIGHTS[act].circles or RIGHTS[act].roles
    with pytest.raises(AccessDenied) as raised:
        check_may((), act)
    assert str(raised.value)
    assert raised.value.advice


def test_no_role_reaches_a_patient_without_a_key() -> None:
    """What opens data of a patient names circles only, so a role alone never suffices."""
    for act in (Act.SEARCH, Act.FILE, Act.READ_CLINICAL, Act.EXPORT_CLINICAL, Act.ATTACH):
        assert RIGHTS[act].circles
        assert not RIGHTS[act].roles
        assert not can(Role, act, circles=())


def test_the_recovery_key_is_nobodys_right() -> None:
    assert all(CircleKind.RECOVERY not in needs.circles for needs in RIGHTS.values())


def test_an_act_within_one_circle_needs_that_circle() -> None:
    assert can((), Act.ADMIT, ("north",), within="north")
    assert not can((), Act.ADMIT, ("north", "secretariat"), within="south")
    check_may((), Act.READ_CLINICAL, {"north"}, within="north")
    with pytest.raises(AccessDenied, match="no key"):
        check_may((), Act.READ_CLINICAL, {"north"}, within="south")


def test_acts_may_be_named() -> None:
    check_may((Role.ADMINISTRATOR,), "devices")
    with pytest.raises(AccessDenied):
        check_may((Role.DOCTOR,), "devices", ("care",))
    with pytest.raises(ValueError, match="no-such-act"):
        can((), "no-such-act")


def test_hints_cover_the_table() -> None:
    assert set(rights._HINTS) == set(RIGHTS.values())
