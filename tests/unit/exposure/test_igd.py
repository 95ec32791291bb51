"""What an Internet box says over UPnP is read within bounds, without document types."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.core.exposure.igd import (
    build_action,
    parse_description,
    parse_mappings,
    parse_outside_address,
    parse_search_answer,
    search_request,
)
from serment.core.exposure.seen import Mapping
from serment.errors import FormatError

DEVICE = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
MAPPING = """<s:Envelope xmlns:s="x"><s:Body><u:R xmlns:u="y"><NewExternalPort>{0}</NewExternalPort>
<NewInternalPort>{1}</NewInternalPort><NewInternalClient>{2}</NewInternalClient>
<NewProtocol>{3}</NewProtocol><NewEnabled>{4}</NewEnabled></u:R></s:Body></s:Envelope>"""
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><root><deviceType>'
    f"{DEVICE}</deviceType><x>&b;</x></root>"
)


def test_other_devices_are_no_gateway() -> None:
    page = b"<root><device><deviceType>urn:x:device:MediaServer:1</deviceType></device></root>"
    assert parse_description(page) is None


@pytest.mark.parametrize(
    "page",
    [b"", b"<a>", BOMB.encode(), b"<a>" * 100 + b"</a>" * 100, b"<a>" + b"<b/>" * 9000 + b"</a>"],
    ids=["nothing", "open", "entities", "deep", "wide"],
)
def test_what_is_out_of_bounds_is_refused(page: bytes) -> None:
    with pytest.raises(FormatError):
        parse_description(page)


@pytest.mark.parametrize(
    "values",
    [
        ("99999", "80", "192.168.1.2", "TCP"),
        ("80", "0", "192.168.1.2", "TCP"),
        ("80", "x", "192.168.1.2", "TCP"),
        ("80", "80", "192.168.1.2", "GRE"),
    ],
)
def test_a_mapping_without_sense_is_not_understood(values: tuple[str, ...]) -> None:
    with pytest.raises(FormatError):
        parse_mappings(MAPPING.format(*values, "1").encode())


@pytest.mark.parametrize("host", ["name.example", "nas", "", "0.0.0.0", "fe80::1%nas"])
def test_a_machine_without_an_address_is_unknown(host: str) -> None:
    said = MAPPING.format("8080", "80", host, "TCP", "1").encode()
    assert parse_mappings(said) == (Mapping(8080, "", 80, "TCP"),)


@pytest.mark.parametrize("protocol", ["TCP/UDP", "Both", "UDP, TCP", "any"])
def test_a_mapping_may_be_of_both_protocols(protocol: str) -> None:
    said = MAPPING.format("8080", "80", "192.168.1.2", protocol, "1").encode()
    assert parse_mappings(said) == (
        Mapping(8080, "192.168.1.2", 80, "TCP"),
        Mapping(8080, "192.168.1.2", 80, "UDP"),
    )


@pytest.mark.parametrize(
    ("enabled", "is_on"),
    [("1", True), ("true", True), ("", True), ("0", False), ("False", False), ("no", False)],
)
def test_a_mapping_that_is_switched_off_is_none(enabled: str, is_on: bool) -> None:
    said = MAPPING.format("8080", "80", "192.168.1.2", "TCP", enabled).encode()
    assert bool(parse_mappings(said)) is is_on


def test_text_of_a_box_is_cleaned() -> None:
    said = MAPPING.format("80", "80", "192.168.1.2", "tcp", "1").replace(
        "</NewEnabled>",
        "</NewEnabled><NewPortMappingDescription>a&#13;&#10;b"
        + "x" * 500
        + "</NewPortMappingDescription>",
    )
    (mapping,) = parse_mappings(said.encode())
    assert mapping.protocol == "TCP"
    assert mapping.description.startswith("a b")
    assert len(mapping.description) <= 60


def test_search_and_its_answer() -> None:
    asked = search_request("ssdp:all", "239.255.255.250:1900")
    assert asked.endswith(b"\r\n\r\n")
    assert parse_search_answer(b"HTTP/1.1 200 OK\r\nLocation: http://192.0.2.1/d\r\n\r\n") == (
        "http://192.0.2.1/d"
    )
    assert parse_search_answer(b"HTTP/1.1 404 no\r\nLocation: http://192.0.2.1/d\r\n") == ""
    assert parse_search_answer(b"\xff" * 9000) == ""


def test_an_outside_address_is_an_address() -> None:
    page = "<a><NewExternalIPAddress>{}</NewExternalIPAddress></a>"
    assert parse_outside_address(page.format("203.0.113.9").encode()) == "203.0.113.9"
    assert parse_outside_address(page.format("&lt;b&gt;").encode()) == ""
    assert b"<NewPortMappingIndex>3<" in build_action("urn:x", "Get", {"NewPortMappingIndex": "3"})


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_are_more_than_a_format_error(untrusted: bytes) -> None:
    parse_search_answer(untrusted)
    for parse in (parse_description, parse_mappings, parse_outside_address):
        with contextlib.suppress(FormatError):
            parse(untrusted)
