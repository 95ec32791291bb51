"""A box that gives no list of forwardings is not said to have given one."""

from __future__ import annotations

import pytest
from tests.unit.exposure.sights import HOST, scan, service

from serment.app.find.outside import by_the_box
from serment.core.exposure.checking import View
from serment.core.exposure.registry import judge
from serment.core.exposure.seen import Answer, Gateway, Mapping

SILENT = [Gateway(), Gateway((), "203.0.113.7", Answer.NOTHING)]
TOLD = [Gateway((), "", Answer.YES), Gateway((Mapping(80, HOST, 80, "TCP"),))]


@pytest.mark.parametrize("facts", SILENT, ids=repr)
def test_a_box_without_a_list_is_no_view_from_outside(facts: Gateway) -> None:
    seen = scan(service("igd", 1, facts))
    assert by_the_box(seen, None, None).outside_by == ()
    findings, skipped = judge(View(seen), ["X22"])
    assert findings == []
    assert [(each.check, each.reason) for each in skipped] == [
        ("X22", "the box did not say which ports it forwards")
    ]


@pytest.mark.parametrize("facts", TOLD, ids=repr)
def test_a_list_is_a_view_from_outside_even_when_it_is_empty(facts: Gateway) -> None:
    seen = scan(service("igd", 1, facts))
    assert by_the_box(seen, None, None).outside_by == ("upnp",)
    findings, skipped = judge(View(seen), ["X22"])
    assert findings
    assert not skipped
