"""The self-test passes here, is quick enough for every start, and can fail."""

from __future__ import annotations

import pytest

from serment.core.crypto import selftest
from serment.errors import FormatError, IntegrityError


def test_this_machine_gives_the_known_answers():
    selftest.self_test()


def test_it_asks_each_primitive():
    assert len(selftest.CHECKS) == 9
    assert all(check() for check in selftest.CHECKS.values())


def refuse() -> bool:
    raise FormatError("no")


@pytest.mark.parametrize("broken", [lambda: False, refuse], ids=["wrong answer", "error"])
@pytest.mark.parametrize("name", list(selftest.CHECKS))
def test_a_wrong_answer_stops_everything(name, broken):
    kept = selftest.CHECKS[name]
    selftest.CHECKS[name] = broken
    try:
        with pytest.raises(IntegrityError, match=f"self-test of {name} failed"):
            selftest.self_test()
    finally:
        selftest.CHECKS[name] = kept
