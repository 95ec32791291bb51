"""What a sight from outside says of a service inside: joined where it is known, never guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.exposure.sights import HOST, NOW, ROUTABLE, YES, scan, service

from serment.core.exposure.checking import View
from serment.core.exposure.findings import Outside, Place
from serment.core.exposure.outside import (
    Imported,
    Sight,
    join,
    not_told,
    ours,
    outside_of,
    own_address,
    reached_by,
    unexplained,
)
from serment.core.exposure.registry import judge
from serment.core.exposure.seen import Answer, Community, Dicom, Gateway, Scan, Tls
from serment.core.exposure.seen import Mapping as Forwarding
from serment.errors import UsageError

BOX, PUBLIC, OTHER = "192.168.1.1", "203.0.113.7", "192.168.1.21"
ARCHIVE = service("dicom", 104, Dicom())
WEB = service("http", 80, host=OTHER)


def box(*mappings: Forwarding, address: str = PUBLIC):  # type: ignore[no-untyped-def]
    return service("igd", 5000, Gateway(mappings, address, YES), host=BOX)


def tried(seen: Scan, *ports: int, opened: tuple[int, ...] = (), by: str = "peer") -> Scan:
    """With a look from outside that found these ports closed, and those open."""
    sights = [Sight(PUBLIC, each, each in opened) for each in (*ports, *opened)]
    return join(seen, sights, by)


def seen(joined: Scan, host: str, port: int) -> Outside:
    return outside_of(joined, Place(host, port))


def test_a_forwarding_leads_to_its_machine() -> None:
    joined = join(
        scan(ARCHIVE, box(Forwarding(40104, HOST, 104, "TCP"))),
        [Sight(PUBLIC, 40104, True)],
        "peer",
    )
    assert seen(joined, HOST, 104) is Outside.CONFIRMED
    assert unexplained(joined) == frozenset()


def test_a_forwarding_over_udp_leads_nowhere_over_tcp() -> None:
    mapped = box(Forwarding(40104, HOST, 104, "UDP"))
    joined = join(scan(ARCHIVE, mapped), [Sight(PUBLIC, 40104, True)], "peer")
    assert seen(joined, HOST, 104) is Outside.NOT_CHECKED
    assert unexplained(joined) == {Place(PUBLIC, 40104)}


def test_a_machine_that_alone_has_the_port_is_meant() -> None:
    joined = join(scan(ARCHIVE, WEB, swept=True), [Sight(PUBLIC, 104, True, "dicom")], "peer")
    assert seen(joined, HOST, 104) is Outside.CONFIRMED
    assert unexplained(joined) == {ARCHIVE.place}
    assert seen(joined, OTHER, 80) is Outside.NOT_CHECKED


def test_a_port_may_lead_to_a_machine_that_nobody_looked_at() -> None:
    """Only one machine was audited: that it alone has the port says nothing of the others."""
    joined = join(scan(ARCHIVE), [Sight(PUBLIC, 104, True, "dicom")], "peer")
    assert seen(joined, HOST, 104) is Outside.NOT_CHECKED
    assert unexplained(joined) == {Place(PUBLIC, 104, "dicom")}


def test_of_several_machines_none_is_guessed_but_all_are_closed() -> None:
    both = scan(ARCHIVE, service("dicom", 104, Dicom(), host=OTHER), box(), swept=True)
    joined = join(both, [Sight(PUBLIC, 104, True)], "peer")
    assert {seen(joined, host, 104) for host in (HOST, OTHER)} == {Outside.NOT_CHECKED}
    assert seen(joined, PUBLIC, 104) is Outside.CONFIRMED
    joined = join(both, [Sight(PUBLIC, 104, False)], "peer")
    assert {seen(joined, host, 104) for host in (HOST, OTHER)} == {Outside.CLOSED}


def test_a_closed_port_says_nothing_of_a_machine_that_another_port_leads_to() -> None:
    mapped = box(Forwarding(40104, HOST, 104, "TCP"))
    joined = join(scan(ARCHIVE, mapped), [Sight(PUBLIC, 104, False)], "import")
    assert seen(joined, HOST, 104) is Outside.NOT_CHECKED
    joined = join(scan(ARCHIVE, mapped), [Sight(PUBLIC, 40104, False)], "import")
    assert seen(joined, HOST, 104) is Outside.CLOSED


@pytest.mark.parametrize(
    ("inside", "protocol", "meant"),
    [
        (WEB, "http", True),
        (WEB, "unknown", True),
        (WEB, "ssh", False),  # another program answers outside: the box's own, perhaps
        (WEB, "tls", False),
        (service("http", 80, host=OTHER, tls=Tls()), "tls", True),
        (service("http", 80, host=OTHER, tls=Tls()), "http", False),
        (service("elasticsearch", 80, host=OTHER), "http", True),
        (service("unknown", 80, host=OTHER), "ssh", True),
    ],
)
def test_what_answered_outside_must_be_what_listens_inside(
    inside: object, protocol: str, meant: bool
) -> None:
    here, sights = scan(inside, swept=True), [Sight(PUBLIC, 80, True, protocol)]  # type: ignore[arg-type]
    joined = join(here, sights, "peer")
    assert (seen(joined, OTHER, 80) is Outside.CONFIRMED) is meant
    imported = join(here, sights, "import")
    assert seen(imported, OTHER, 80) is Outside.CONFIRMED  # others name protocols otherwise


def test_an_address_of_the_internet_is_itself() -> None:
    """Reached there, not through a box: no forwarding has to explain it (X26 does)."""
    public = service("dicom", 104, Dicom(), host=ROUTABLE)
    joined = join(scan(public, ARCHIVE), [Sight(ROUTABLE, 104, True, "dicom")], "peer")
    assert seen(joined, ROUTABLE, 104) is Outside.CONFIRMED
    assert seen(joined, HOST, 104) is Outside.NOT_CHECKED
    assert unexplained(joined) == frozenset()
    joined = join(scan(public), [Sight(PUBLIC, 104, True, "dicom")], "peer")
    assert seen(joined, ROUTABLE, 104) is Outside.NOT_CHECKED  # a box does not lead there


def test_reached_once_is_reached() -> None:
    first = join(scan(ARCHIVE, swept=True), [Sight(PUBLIC, 104, True)], "import")
    second = join(first, [Sight(PUBLIC, 104, False)], "peer")
    assert seen(second, HOST, 104) is Outside.CONFIRMED
    assert second.outside_by == ("import", "peer")


NEW = Forwarding(40104, HOST, 104, "TCP")
CUT = service("igd", 5000, Gateway((NEW,), PUBLIC, YES, partial=True), host=BOX)
NAMED = box(Forwarding(40104, "", 104, "TCP"))
NO_LIST = service("igd", 5000, Gateway((), PUBLIC, Answer.NOTHING), host=BOX)


def test_a_machine_is_closed_where_the_box_told_every_way_to_it_and_each_was_tried() -> None:
    """The plain case: a whole list, the port tried and closed."""
    assert seen(tried(scan(ARCHIVE, WEB, box()), 104), HOST, 104) is Outside.CLOSED
    two = scan(ARCHIVE, box(NEW, Forwarding(40105, HOST, 104, "TCP")))
    assert seen(tried(two, 40104, 104), HOST, 104) is Outside.NOT_CHECKED
    assert seen(tried(two, 40104, 40105), HOST, 104) is Outside.CLOSED
    assert seen(tried(tried(two, 40104, by="import"), 40105), HOST, 104) is Outside.CLOSED


@pytest.mark.parametrize(
    "seen_inside",
    [
        scan(ARCHIVE),
        scan(ARCHIVE, swept=True, dmz=False),
        scan(ARCHIVE, dmz=False, manual_rules=False),
        scan(ARCHIVE, box(), dmz=True),
        scan(ARCHIVE, box(), manual_rules=True),
        scan(ARCHIVE, CUT),
        scan(ARCHIVE, NAMED),
        scan(ARCHIVE, NO_LIST),
        scan(ARCHIVE, box(address="")),
        scan(ARCHIVE, box(address="203.0.113.99")),
        scan(ARCHIVE, box(), replace(CUT, place=Place("192.168.1.2", 5000, "igd"))),
        scan(ARCHIVE, box(Forwarding(0, HOST, 104, "TCP"))),  # every port
    ],
)
def test_where_another_way_may_lead_to_it_nothing_is_closed(seen_inside: Scan) -> None:
    joined = tried(seen_inside, 104)
    assert seen(joined, HOST, 104) is Outside.NOT_CHECKED
    assert seen(joined, PUBLIC, 104) is Outside.CLOSED  # that port itself is


def test_where_no_box_speaks_upnp_a_person_may_answer_for_it() -> None:
    """UPnP is off, as the remedy of X22 says, and somebody knows that nothing else is open."""
    said = scan(ARCHIVE, swept=True, dmz=False, manual_rules=False)
    assert seen(tried(said, 104), HOST, 104) is Outside.CLOSED


def test_what_was_reached_though_no_list_tells_it_shows_that_there_are_other_ways() -> None:
    whole = scan(ARCHIVE, WEB, box(), swept=True)
    assert seen(tried(whole, 80, opened=(40104,)), OTHER, 80) is Outside.NOT_CHECKED
    first = tried(whole, 80, by="import")
    assert seen(first, OTHER, 80) is Outside.CLOSED
    assert seen(tried(first, opened=(40104,)), OTHER, 80) is Outside.NOT_CHECKED
    told = scan(ARCHIVE, WEB, box(NEW), swept=True)
    assert seen(tried(told, 80, opened=(40104,)), OTHER, 80) is Outside.CLOSED


def test_what_answers_over_udp_is_neither_closed_nor_reached_over_tcp() -> None:
    snmp = service("snmp", 161, Community(YES))
    here = scan(snmp, replace(snmp, place=Place(ROUTABLE, 161, "snmp")), box(), swept=True)
    for opened in (False, True):
        joined = join(here, [Sight(PUBLIC, 161, opened), Sight(ROUTABLE, 161, opened)], "peer")
        for host in (HOST, ROUTABLE):
            assert outside_of(joined, Place(host, 161, "snmp")) is Outside.NOT_CHECKED
    assert {each.proto for each in joined.reached} == {""}


def test_what_a_box_says_of_others_is_not_closed_with_its_own_port() -> None:
    joined = tried(scan(ARCHIVE, box(NEW)), 5000)
    assert [each.outside for each in judge(View(joined), ["X22"])[0]] == [Outside.NOT_CHECKED] * 2


def test_ports_that_providers_block_say_nothing_when_they_do_not_answer() -> None:
    share = service("smb", 445)
    joined = tried(scan(share, box(), swept=True), 445, 25)
    assert seen(joined, HOST, 445) is Outside.NOT_CHECKED
    assert seen(joined, PUBLIC, 25) is Outside.NOT_CHECKED
    assert seen(tried(scan(share, swept=True), opened=(445,)), HOST, 445) is Outside.CONFIRMED
    assert not_told(scan(share), [Sight(PUBLIC, each, False) for each in (25, 445, 80)]) == (445,)
    assert not_told(scan(share), [Sight(PUBLIC, 445, True)]) == ()


INNER, OUTER = "192.168.0.2", "192.168.0.1"


def behind(outer: Gateway, inner: Gateway) -> list[Scan]:
    """Two boxes one behind the other, met in either order."""
    both = (
        service("igd", 5000, outer, host=OUTER),
        service("igd", 5000, inner, host=BOX),
    )
    return [scan(ARCHIVE, WEB, *order) for order in (both, both[::-1])]


def test_of_two_boxes_in_a_row_the_one_with_the_address_outside_leads() -> None:
    inner = Gateway((Forwarding(8080, HOST, 104, "TCP"),), INNER, YES)
    for here in behind(Gateway((Forwarding(8080, OTHER, 80, "TCP"),), PUBLIC, YES), inner):
        assert tried(here, opened=(8080,)).reached == {WEB.place}
        assert seen(tried(here, 8080), HOST, 104) is Outside.NOT_CHECKED
    for here in behind(Gateway((Forwarding(443, INNER, 8080, "TCP"),), PUBLIC, YES), inner):
        joined = tried(here, opened=(443,))
        assert joined.reached == {ARCHIVE.place}
        assert unexplained(joined) == frozenset()
        assert reached_by(joined, ARCHIVE.place) == ((PUBLIC, 443),)
        assert seen(tried(here, 443), HOST, 104) is Outside.CLOSED
        assert seen(tried(here, 104), HOST, 104) is Outside.NOT_CHECKED


def test_what_is_closed_on_one_line_may_be_open_on_another() -> None:
    second = "203.0.113.99"
    other = Gateway((NEW,), second, YES)
    for here in behind(Gateway((), PUBLIC, YES), other):
        joined = tried(here, 104, 80)
        assert seen(joined, HOST, 104) is Outside.NOT_CHECKED
        assert seen(joined, OTHER, 80) is Outside.CLOSED


def test_lists_that_contradict_each_other_lead_nowhere() -> None:
    one = Gateway((Forwarding(8080, OTHER, 80, "TCP"),), PUBLIC, YES)
    for here in behind(one, Gateway((Forwarding(8080, HOST, 104, "TCP"),), PUBLIC, YES)):
        assert tried(here, opened=(8080,)).reached == {Place(PUBLIC, 8080)}


@pytest.mark.parametrize("address", ["", "192.168.0.2", "203.0.113.99"])
def test_who_does_not_have_the_address_explains_nothing(address: str) -> None:
    """Any machine of the network may say that it is a box."""
    rogue = service(
        "igd", 5000, Gateway((Forwarding(3389, OTHER, 3389, "TCP"),), address, YES), host=OTHER
    )
    joined = tried(scan(ARCHIVE, rogue, swept=True), opened=(3389,))
    assert unexplained(joined) == {Place(PUBLIC, 3389)}
    findings, _ = judge(View(joined), ["X23"])
    assert [each.key for each in findings] == [("X23", PUBLIC, 3389)]


def test_a_forwarding_to_a_machine_that_is_only_named() -> None:
    named = box(Forwarding(40104, "", 104, "TCP"))
    joined = tried(scan(ARCHIVE, named), opened=(40104,))
    assert (joined.reached, unexplained(joined)) == ({Place(PUBLIC, 40104)}, frozenset())
    assert tried(scan(ARCHIVE, named, swept=True), opened=(40104,)).reached == {ARCHIVE.place}


def test_a_port_that_no_list_tells_is_told_of_a_machine_that_another_leads_to() -> None:
    joined = tried(scan(ARCHIVE, box(NEW), swept=True), opened=(104, 40104))
    assert reached_by(joined, ARCHIVE.place) == ((PUBLIC, 104), (PUBLIC, 40104))
    assert unexplained(joined) == {ARCHIVE.place}


def test_a_shared_address_is_never_closed() -> None:
    joined = join(scan(ARCHIVE, box()), [Sight(PUBLIC, 104, False)], "peer", shared=True)
    assert seen(joined, HOST, 104) is Outside.SHARED_ADDRESS
    assert joined.tried == frozenset()
    assert seen(joined, "box", 0) is Outside.SHARED_ADDRESS
    assert seen(joined, ROUTABLE, 104) is Outside.NOT_CHECKED  # IPv6 has an address of its own


LINE = "203.0.113.99"  # another of the practice's
MINE, OPEN, SIX = (
    Sight(PUBLIC, 104, False),
    Sight("203.0.113.8", 104, True),
    Sight(ROUTABLE, 1, True),
)


def test_an_import_of_another_address_is_not_this_practices() -> None:
    assert ours(scan(box()), [MINE, OPEN, SIX]) == Imported(
        (MINE,), {"203.0.113.8": (104,), ROUTABLE: (1,)}
    )
    scanned = service("dicom", 104, Dicom(), host="203.0.113.8")
    assert ours(scan(box(), scanned), [OPEN]).kept == (OPEN,)
    assert ours(scan(box(address="100.64.1.1")), [MINE]) == Imported((), {PUBLIC: ()}, shared=True)
    carrier = join(scan(ARCHIVE), [], "peer", shared=True)
    assert ours(carrier, [MINE], [PUBLIC]) == Imported(shared=True)
    opened = replace(MINE, is_open=True)
    assert ours(carrier, [MINE, opened], [PUBLIC]) == Imported((opened,))


def test_a_box_that_states_a_shared_address_takes_nothing_from_those_that_are_known() -> None:
    """Any machine of the network may say that it is a box."""
    odd = scan(ARCHIVE, box(address="10.0.0.1"))
    assert ours(odd, [MINE, OPEN], [PUBLIC]) == Imported((MINE,), {"203.0.113.8": (104,)})
    assert ours(odd, [OPEN], [PUBLIC]) == Imported((), {"203.0.113.8": (104,)}, shared=True)
    both = scan(box(), service("igd", 5000, Gateway((), "10.0.0.1", YES), host=OTHER))
    assert ours(both, [MINE]) == Imported((), {PUBLIC: ()}, shared=True)


def test_the_page_of_a_second_line_is_no_look_at_it() -> None:
    told = scan(
        ARCHIVE, box(), service("http", 443, host=LINE), swept=True, dmz=False, manual_rules=False
    )
    one = join(told, [MINE], "peer", known=[LINE])
    assert seen(one, HOST, 104) is Outside.NOT_CHECKED


@pytest.mark.parametrize(("days", "is_closed"), [(-7, True), (-9, False), (7, True), (3000, False)])
def test_a_scan_of_long_ago_or_to_come_closes_nothing(days: int, is_closed: bool) -> None:
    dated = replace(MINE, at=NOW + timedelta(days=days))
    assert dated.still_closed(NOW) is is_closed


def test_a_machine_is_closed_only_when_every_known_address_was_tried() -> None:
    """Where no box tells what it forwards, each line of the practice's may lead to it."""
    alone = scan(ARCHIVE, swept=True, dmz=False, manual_rules=False)
    for known, outside in (([PUBLIC, ROUTABLE], Outside.CLOSED), ([LINE], Outside.NOT_CHECKED)):
        joined = join(alone, [MINE], "import", known=known)
        assert seen(joined, HOST, 104) is outside
    for port, outside in ((104, Outside.CLOSED), (80, Outside.NOT_CHECKED)):
        two = join(join(alone, [MINE], "peer"), [Sight(LINE, port, False)], "import")
        assert seen(two, HOST, 104) is outside
    told = scan(ARCHIVE, box())
    assert seen(join(told, [MINE], "import", known=[PUBLIC]), HOST, 104) is Outside.CLOSED
    assert seen(join(told, [MINE], "import", known=[LINE]), HOST, 104) is Outside.NOT_CHECKED


def test_where_nothing_shows_whose_an_imported_address_is_it_is_nobodys() -> None:
    """Anybody's address can be scanned: it closes nothing here, and reaches nothing."""
    assert ours(scan(ARCHIVE), [MINE, OPEN]) == Imported((), {PUBLIC: (), "203.0.113.8": (104,)})
    assert ours(scan(box(address="")), [MINE]).kept == ()
    assert ours(scan(ARCHIVE), [MINE, OPEN, SIX], ["::ffff:203.0.113.7", ROUTABLE]) == Imported(
        (MINE, SIX), {"203.0.113.8": (104,)}
    )


def test_a_scan_of_a_private_address_was_not_made_from_outside() -> None:
    assert ours(scan(ARCHIVE), [Sight(HOST, 104, True)]) == Imported((), {HOST: (104,)})


def test_an_address_is_named_as_the_internet_has_it() -> None:
    assert own_address(" ::ffff:203.0.113.7") == PUBLIC
    for wrong in ("192.168.1.1", "100.64.0.1", "127.0.0.1", "fe80::1%eth0", "box.example", ""):
        with pytest.raises(UsageError):
            own_address(wrong)


def test_nobody_looked_at_a_shared_address() -> None:
    before = join(scan(ARCHIVE), [Sight(PUBLIC, 104, False)], "import")
    assert join(before, [], "peer", shared=True).outside_by == ("import",)
    assert join(scan(ARCHIVE), [], "peer", shared=True).outside_by == ()
