"""A box that gives no list of forwardings, or part of one, is not said to have given it."""

from __future__ import annotations

import pytest
from tests.unit.exposure.sights import HOST, scan, service

from serment.app.find.outside import by_the_box
from serment.core.exposure.checking import View
from serment.core.exposure.machines import forwardings_of
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


LEFT_OUT = "the box did not tell all the ports that it forwards"
NAMED = "the box names a machine that it forwards to otherwise than by its address"


@pytest.mark.parametrize(
    ("facts", "evidence", "reason"),
    [
        (Gateway((Mapping(80, HOST, 80, "TCP"),), partial=True), "80/TCP", LEFT_OUT),
        (Gateway((Mapping(80, "", 81, "TCP"),)), "80/TCP -> ?:81", NAMED),
        (Gateway((), "", Answer.YES, partial=True), "UPnP is on", LEFT_OUT),
    ],
    ids=["cut", "named", "nothing understood"],
)
def test_a_list_that_is_not_whole_is_told(facts: Gateway, evidence: str, reason: str) -> None:
    findings, skipped = judge(View(scan(service("igd", 1, facts))), ["X22"])
    (found,) = findings
    said = found.evidence.format(**found.values)
    assert evidence in said
    assert "lists no forwarding" not in said
    assert [(each.check, each.reason) for each in skipped] == [("X22", reason)]


def test_a_machine_that_the_box_only_names_is_not_drawn() -> None:
    seen = scan(service("igd", 1, Gateway((Mapping(80, "", 81, "TCP"),))))
    assert forwardings_of(seen) == ()
