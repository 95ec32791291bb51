"""Scans of others are read for ports alone; what is no scan is refused, whatever it does."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.core.exposure.imported import (
    MOST_BYTES,
    MOST_SIGHTS,
    _address,
    _ports,
    parse_outside,
)
from serment.core.exposure.outside import Sight
from serment.errors import FormatError

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
NMAP = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<?xml-stylesheet href="file:///usr/share/nmap/nmap.xsl" type="text/xsl"?>
<nmaprun scanner="nmap" version="7.93"><host><status state="up"/>
<address addr="203.0.113.7" addrtype="ipv4"/><address addr="00:11:22:33:44:55" addrtype="mac"/>
<hostnames><hostname name="DUPONT-cabinet.example" type="PTR"/></hostnames>
<ports><port protocol="tcp" portid="104"><state state="open" reason="syn-ack"/>
<service name="acr-nema" product="DUPONT Jean" method="probed" conf="10"/></port>
<port protocol="tcp" portid="445"><state state="filtered"/></port>
<port protocol="udp" portid="1900"><state state="open"/></port></ports></host></nmaprun>"""
SHODAN = {"ip_str": "203.0.113.7", "data": [{"port": 104, "data": "secret"}, {"port": "11112"}]}
CENSYS = {"result": {"ip": "203.0.113.7", "services": [{"port": 104, "service_name": "DICOM"}]}}


def test_nmap() -> None:
    assert parse_outside(NMAP) == (
        Sight("203.0.113.7", 104, True, "acr-nema", UNDATED),
        Sight("203.0.113.7", 445, False, "", UNDATED),
    )


def nmap_host(ports: str, services: str = "21-23,80,104") -> bytes:
    """As nmap 7.93 writes a host it looked at with -p."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n'
        f'<nmaprun scanner="nmap" args="nmap -oX -"><scaninfo type="syn" protocol="tcp" '
        f'numservices="5" services="{services}"/><verbose level="0"/>'
        '<host starttime="1"><status state="up" reason="echo-reply" reason_ttl="63"/>'
        '<address addr="203.0.113.7" addrtype="ipv4"/>'
        f"<ports>{ports}</ports></host><runstats/></nmaprun>"
    ).encode()


EXTRA = (
    '<extraports state="{}" count="4"><extrareasons reason="no-response" count="4"/></extraports>'
)
OPEN = '<port protocol="tcp" portid="104"><state state="open" reason="syn-ack" reason_ttl="63"/>{}</port>'
GUESSED = '<service name="acr-nema" method="table" conf="3"/>'


def test_ports_that_nmap_tried_and_does_not_list_are_closed() -> None:
    sights = parse_outside(nmap_host(EXTRA.format("filtered") + OPEN.format(GUESSED)))
    assert sights == (
        Sight(
            "203.0.113.7", 104, True, "", UNDATED
        ),  # a name that the port's number suggests is none
        *(Sight("203.0.113.7", port, False, "", UNDATED) for port in (21, 22, 23, 80)),
    )
    assert len(parse_outside(nmap_host(EXTRA.format("closed")))) == 5
    assert parse_outside(nmap_host(OPEN.format(""))) == (
        Sight("203.0.113.7", 104, True, "", UNDATED),
    )


@pytest.mark.parametrize("state", ["open|filtered", "unfiltered"])
def test_what_nmap_could_not_tell_says_nothing(state: str) -> None:
    doubtful = f'<port protocol="tcp" portid="80"><state state="{state}"/></port>'
    sights = parse_outside(nmap_host(EXTRA.format(state) + doubtful + OPEN.format("")))
    assert [each.port for each in sights] == [104]


@pytest.mark.parametrize("services", ["1-99999", "9-1", "x", "-", ",,,", "5-", "-5"])
def test_an_odd_list_of_ports_breaks_nothing(services: str) -> None:
    sights = parse_outside(nmap_host(EXTRA.format("closed") + OPEN.format(""), services))
    assert all(0 < each.port < 65536 for each in sights)


def test_searches_and_the_newer_forms() -> None:
    """Shodan: /shodan/host/{ip} and /shodan/host/search; Censys: v2 hosts, v2 search, platform v3."""
    banner = {
        "ip": 3405803783, "ip_str": "203.0.113.7", "port": 104, "transport": "tcp",
        "_shodan": {"module": "dicom"}, "product": "DCMTK", "data": "DICOM Server Response",
    }  # fmt: skip
    udp = {**banner, "port": 1900, "transport": "udp"}
    host = {"ip_str": "203.0.113.7", "ports": [104, 1900], "data": [banner, udp]}
    service = {"port": 104, "service_name": "DICOM", "transport_protocol": "TCP"}
    quic = {"port": 443, "service_name": "HTTP", "transport_protocol": "QUIC"}
    hit = {"ip": "203.0.113.7", "services": [service, quic]}
    newer = {
        "ip": "203.0.113.7",
        "services": [{"port": 104, "protocol": "DICOM", "transport_protocol": "tcp"}],
    }
    for answer in (
        host,
        {"matches": [banner, udp], "total": 2},
        {"code": 200, "status": "OK", "result": hit},
        {"code": 200, "result": {"query": "x", "total": 1, "hits": [hit]}},
        {"result": {"resource": newer}},
    ):
        assert parse_outside(json.dumps(answer).encode()) == (
            Sight("203.0.113.7", 104, True, "dicom"),
        ), answer


@pytest.mark.parametrize(
    "odd",
    [
        {"result": [1]}, {"result": "x"}, {"result": {"hits": {}}}, {"matches": "x"}, {"matches": [[1]]},
        {"ip_str": 3, "port": 104}, {"ip_str": "203.0.113.7", "services": {"port": 1}},
        {"ip_str": "203.0.113.7", "data": [3, None, [], "x", {"port": None}, {"port": {}}]},
        {"ip_str": "203.0.113.7", "port": 70000}, {"ip_str": "203.0.113.7", "port": -1},
        {"ip_str": "203.0.113.7", "port": 1.5}, {"ip_str": ["203.0.113.7"], "port": 1},
    ],
    ids=range(12),
)  # fmt: skip
def test_odd_types_are_no_scan(odd: object) -> None:
    with pytest.raises(FormatError):
        parse_outside(json.dumps(odd).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["result", "hits", "matches", "resource", "ip", "ip_str", "data", "services", "port",
             "transport", "transport_protocol", "service_name", "protocol", "_shodan", "module"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_no_json_breaks_it(value: object) -> None:
    try:
        sights = parse_outside(json.dumps(value).encode())
    except FormatError:
        return
    assert all(0 < each.port < 65536 for each in sights)


def test_nothing_but_ports_is_taken() -> None:
    assert "DUPONT" not in repr(parse_outside(NMAP))
    assert "secret" not in repr(parse_outside(json.dumps(SHODAN).encode()))


@pytest.mark.parametrize("wrap", [lambda each: each, lambda each: [each]])
def test_shodan_and_censys(wrap: object) -> None:
    def parse(value: object) -> list[tuple[int, bool]]:
        sights = parse_outside(json.dumps(wrap(value)).encode())  # type: ignore[operator]
        return [(each.port, each.is_open) for each in sights]

    assert parse(SHODAN) == [(104, True), (11112, True)]
    assert parse(CENSYS) == [(104, True)]


def test_json_lines_of_banners() -> None:
    lines = b'{"ip_str": "203.0.113.7", "port": 104}\n{"ip_str": "203.0.113.7", "port": 8042}\n'
    assert [each.port for each in parse_outside(lines)] == [104, 8042]


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<nmaprun>&b;</nmaprun>"""
STRANGER = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<nmaprun>&a;</nmaprun>"""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"<html></html>",
        b"<nmaprun></nmaprun>",
        b"<nmaprun>" + b"<a>" * 5000,
        BOMB,
        STRANGER,
        b"[]",
        b"3",
        b"[" * 100_000,
        b'{"ip_str": "203.0.113.7", "data": 3}',
        b'{"ip_str": "not an address", "port": 104}',
        b'{"ip_str": "203.0.113.7", "port": 99999999}',
        b"\xff\xfe{}",
    ],
    ids=range(14),
)
def test_what_is_no_scan_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_outside(data)


def test_what_is_too_large_is_refused() -> None:
    small = b'{"ip_str": "203.0.113.7", "port": 104}'
    assert parse_outside(small)
    with pytest.raises(FormatError):
        parse_outside(small + b" " * MOST_BYTES)


def test_names_of_protocols_are_cleaned() -> None:
    line = json.dumps({"ip_str": "203.0.113.7", "port": 1, "product": "a\x1b[31m\n" + "b" * 99})
    (sight,) = parse_outside(line.encode())
    assert sight.protocol.isprintable()
    assert len(sight.protocol) <= 40


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    try:
        parse_outside(data)
    except FormatError:
        return


def test_xml_of_another_program_is_refused() -> None:
    with pytest.raises(FormatError):
        parse_outside(NMAP.replace(b"nmaprun", b"otherrun"))


def test_far_too_many_ports_are_refused() -> None:
    services = b",".join([b'{"port":1}'] * (MOST_SIGHTS + 1))
    with pytest.raises(FormatError):
        parse_outside(b'{"ip_str": "203.0.113.7", "data": [' + services + b"]}")
    port = b'<port portid="1"><state state="open"/></port>'
    host = b'<nmaprun><host><address addr="203.0.113.7" addrtype="ipv4"/>'
    with pytest.raises(FormatError):
        parse_outside(host + port * (MOST_SIGHTS + 2) + b"</host></nmaprun>")


@pytest.mark.parametrize("zone", ["%\x1b[31mEVIL\n  X01 FAKE", "%\ud800x", "%eth0"])
def test_a_zone_may_be_any_text_and_is_none(zone: str) -> None:
    assert _address(f"fe80::1{zone}") == ""
    assert _address("fe80::1") == "fe80::1"


def test_a_list_that_names_its_ports_over_and_over_is_read_to_a_bound() -> None:
    assert 65000 in _ports("1-60000,65000")
    assert 65000 not in _ports("1-60000," * 3 + "65000")


@pytest.mark.parametrize(
    ("start", "at"),
    [
        (' start="1700000000"', datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("", UNDATED),
        (' start="yesterday"', UNDATED),
        (' start="99999999999999999999"', UNDATED),
    ],
)
def test_when_nmap_looked_is_read(start: str, at: datetime) -> None:
    data = nmap_host(OPEN.format("")).replace(b"<nmaprun", b"<nmaprun" + start.encode())
    assert [each.at for each in parse_outside(data)] == [at]
