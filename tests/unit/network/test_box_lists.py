"""A box's list of forwardings is whole only where the box says that it ends, and each entry was understood."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.network.webs import Answer, web
from tests.unit.network.calling import call

from serment.adapters.network.web.igd import gateway
from serment.core.exposure.igd import Description
from serment.core.exposure.seen import Answer as Said
from serment.core.exposure.seen import Gateway, Mapping

WAN = "urn:schemas-upnp-org:service:WANIPConnection:1"
PPP = "urn:schemas-upnp-org:service:WANPPPConnection:1"
ONE = Mapping(8080, "192.168.1.20", 80, "TCP")
TWO = Mapping(40104, "192.168.1.21", 104, "TCP")
END, CUT = 713, ""


def envelope(inner: str) -> str:
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<s:Body>{inner}</s:Body></s:Envelope>"
    )


def entry(mapping: Mapping, host: str = "", protocol: str = "") -> str:
    values = {
        "NewExternalPort": mapping.outside_port,
        "NewProtocol": protocol or mapping.protocol,
        "NewInternalPort": mapping.port,
        "NewInternalClient": host or mapping.host,
        "NewEnabled": 1,
    }
    return envelope("".join(f"<{name}>{value}</{name}>" for name, value in values.items()))


def fault(code: int) -> str:
    return envelope(f"<s:Fault><detail><errorCode>{code}</errorCode></detail></s:Fault>")


def connection(*answers: object) -> Answer:
    """One that says its address, then these; the last again and again."""

    def told() -> Iterator[str]:
        yield envelope("<NewExternalIPAddress>203.0.113.7</NewExternalIPAddress>")
        for each in answers:
            yield said(each)
        while True:
            yield said(answers[-1])

    bodies = told()
    return Answer(lambda: next(bodies))


def said(answer: object) -> str:
    match answer:
        case Mapping():
            return entry(answer)
        case int():
            return fault(answer)
    return str(answer)


def heard(*connections: Answer) -> Gateway:
    """What a box with these connections is taken for."""
    pages = {f"POST /{number}": each for number, each in enumerate(connections)}
    controls = tuple(((WAN, PPP)[number % 2], f"/{number}") for number, _ in enumerate(connections))
    with web(pages) as server:
        described = Description("", "", "", controls)
        return gateway(call(server.port), described, f"http://127.0.0.1:{server.port}/box.xml")


@pytest.mark.parametrize(
    ("answers", "is_whole"),
    [
        ((ONE, TWO, 713), True),
        ((ONE, TWO, 714), True),
        ((ONE, TWO, 402), True),  # some boxes say so of an index after the last
        ((ONE, TWO, 501), False),  # so does a busy one
        ((ONE, TWO, CUT), False),
        ((ONE, TWO, "<html>busy</html>"), False),
        ((ONE, TWO, entry(ONE, protocol="GRE"), END), False),
        ((ONE, TWO, entry(ONE).replace(">80<", ">http<"), END), False),
    ],
)
def test_only_its_own_word_ends_a_list(answers: tuple[object, ...], is_whole: bool) -> None:
    found = heard(connection(*answers))
    assert found == Gateway((ONE, TWO), "203.0.113.7", Said.YES, partial=not is_whole)
    assert found.is_whole is is_whole


@pytest.mark.parametrize(
    ("first", "whole", "listed"),
    [(713, True, True), (714, True, True), (402, False, False), (CUT, False, False)],
)
def test_an_empty_list_is_one_that_says_so(first: object, whole: bool, listed: bool) -> None:
    found = heard(connection(first))
    assert (found.is_whole, found.is_listed) == (whole, listed)


def test_a_list_longer_than_the_bound_is_not_whole() -> None:
    found = heard(connection(ONE))
    assert (found.mappings, found.partial) == ((ONE,), True)


@pytest.mark.parametrize(
    ("second", "is_whole"),
    [
        (connection(END), True),
        (connection(401), True),  # it has no such question
        (Answer("not here", 404), True),
        (connection(CUT), False),
        (Answer("busy", 503), False),
    ],
)
def test_each_connection_of_a_box_counts(second: Answer, is_whole: bool) -> None:
    found = heard(connection(ONE, END), second)
    assert (found.mappings, found.is_whole) == ((ONE,), is_whole)


def test_a_connection_that_is_not_asked_any_more_may_have_a_list() -> None:
    assert heard(*(connection(END) for _ in range(4))).is_whole
    assert not heard(*(connection(END) for _ in range(5))).is_whole


def test_a_machine_that_is_named_is_unknown_and_not_left_out() -> None:
    found = heard(connection(entry(ONE, host="nas-du-cabinet"), TWO, END))
    assert found.mappings == (Mapping(8080, "", 80, "TCP"), TWO)
    assert (found.partial, found.is_whole) == (False, False)
