"""What a sight from outside says of a service inside: joined where it is known, never guessed."""

from __future__ import annotations

import pytest
from tests.unit.exposure.sights import HOST, ROUTABLE, scan, service

from serment.core.exposure.findings import Outside, Place
from serment.core.exposure.outside import (
    Imported,
    Sight,
    join,
    ours,
    outside_of,
    own_address,
    unexplained,
)
from serment.core.exposure.seen import Dicom, Gateway, Scan, Tls
from serment.core.exposure.seen import Mapping as Forwarding
from serment.errors import UsageError

BOX, PUBLIC, OTHER = "192.168.1.1", "203.0.113.7", "192.168.1.21"
ARCHIVE = service("dicom", 104, Dicom())
WEB = service("http", 80, host=OTHER)


def box(*mappings: Forwarding, address: str = PUBLIC):  # type: ignore[no-untyped-def]
    return service("igd", 5000, Gateway(mappings, address), host=BOX)


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
    joined = join(scan(ARCHIVE, WEB), [Sight(PUBLIC, 104, True, "dicom")], "peer")
    assert seen(joined, HOST, 104) is Outside.CONFIRMED
    assert unexplained(joined) == {ARCHIVE.place}
    assert seen(joined, OTHER, 80) is Outside.NOT_CHECKED


def test_of_several_machines_none_is_guessed_but_all_are_closed() -> None:
    both = scan(ARCHIVE, service("dicom", 104, Dicom(), host=OTHER))
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
    joined = join(scan(inside), [Sight(PUBLIC, 80, True, protocol)], "peer")  # type: ignore[arg-type]
    assert (seen(joined, OTHER, 80) is Outside.CONFIRMED) is meant
    imported = join(scan(inside), [Sight(PUBLIC, 80, True, protocol)], "import")  # type: ignore[arg-type]
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
    first = join(scan(ARCHIVE), [Sight(PUBLIC, 104, True)], "import")
    second = join(first, [Sight(PUBLIC, 104, False)], "peer")
    assert seen(second, HOST, 104) is Outside.CONFIRMED
    assert second.outside_by == ("import", "peer")


def test_a_shared_address_is_never_closed() -> None:
    joined = join(scan(ARCHIVE), [Sight(PUBLIC, 104, False)], "peer", shared=True)
    assert seen(joined, HOST, 104) is Outside.SHARED_ADDRESS
    assert joined.tried == frozenset()
    assert seen(joined, "box", 0) is Outside.SHARED_ADDRESS
    assert seen(joined, ROUTABLE, 104) is Outside.NOT_CHECKED  # IPv6 has an address of its own


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
    assert ours(scan(box(address="100.64.1.1")), [MINE]) == Imported(shared=True)
    carrier = join(scan(ARCHIVE), [], "peer", shared=True)
    assert ours(carrier, [MINE], [PUBLIC]) == Imported(shared=True)


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
