"""What an audit can say of a place, in its compact form and after being kept, is what its plain definition
says; nothing is kept that nobody asks about."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.exposure.sights import NOW

from serment.core.exposure.coverage import Coverage, Key, Looked, looked_at
from serment.core.exposure.findings import NotChecked, Place
from serment.core.exposure.history import Made
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.seen import Answer, Answered, Gateway, Mapping, Messages, Scan, Service
from serment.core.exposure.unclear import not_understood
from serment.core.exposure.written import read_made, write_made

HOSTS = [*(f"192.168.1.{last}" for last in (1, 2, 3, 4, 6)), "fd00::1"]
PORTS = [1, 2, 3, 5, 80]
IDS = ["X01", "X02", "X09", "X22", "X23", "X30"]
PROTOCOLS = ["dicom", "http", "silent", "unknown", "tls", "snmp", "igd"]

hosts, ports = st.sampled_from(HOSTS), st.sampled_from(PORTS)
places = st.builds(Place, hosts, ports)
lines = st.builds(
    NotChecked,
    st.sampled_from(["", "scope", "import", "peer", *IDS]),
    st.sampled_from(["", "box", "192.168.1.2:80", *HOSTS]),
    st.just("why"),
)
gateways = (
    st.none()
    | st.just(Messages(Answer.NOTHING))
    | st.builds(
        lambda led: Gateway(tuple(Mapping(1, each.host, each.port, "TCP") for each in led)),
        st.lists(places, max_size=2),
    )
)
services = st.builds(Service, places, st.sampled_from(PROTOCOLS), facts=gateways, cut=st.booleans())
answered = st.builds(
    Answered, hosts, st.lists(ports.map(lambda port: (port, port)), max_size=3).map(tuple)
)
scans = st.builds(
    Scan,
    st.lists(services, max_size=5, unique_by=lambda each: (each.place, each.protocol)).map(tuple),
    reached=st.frozensets(places, max_size=2),
    tried=st.frozensets(places, max_size=2),
    dmz=st.sampled_from([None, False]),
    manual_rules=st.sampled_from([None, False]),
    answered=st.lists(answered, max_size=4, unique_by=lambda each: each.host).map(tuple),
)
keys = [
    (check, host, port)
    for check in IDS
    for host in [*HOSTS, "box"]
    for port in [0, *PORTS]
    if port or check != "X23"  # what somebody says of the box: tests/unit/exposure/test_history.py
]
kept = st.tuples(
    st.lists(hosts, min_size=1, unique=True),
    st.frozensets(ports, min_size=1),
    st.frozensets(st.sampled_from(IDS), max_size=3),
    st.lists(lines, max_size=8),
    scans,
)


def aims(key: Key, addresses: list[str], asked: frozenset[int], only: frozenset[str],
         skipped: list[NotChecked], scan: Scan) -> bool:  # fmt: skip
    check, host, port = key
    unmade = any(each.check == check and not each.host for each in skipped)
    if only and check not in only:
        return False
    if check == "X23" and not port:  # what somebody says of the box, whatever its address
        return scan.dmz is not None and scan.manual_rules is not None
    if unmade:
        return False
    if check == "X23" and port:
        return True
    return (not port or port in asked or check == "X22") and host in (*addresses, "box")


def could_be_made(key: Key, skipped: list[NotChecked]) -> bool:
    check, host, port = key
    if check == "X23" and not port:
        return True
    return all((each.check, each.host) != (check, host) for each in skipped)


def is_understood(service: Service) -> bool:
    if service.cut or service.protocol in ("silent", "unknown", "tls"):
        return False
    return not isinstance(service.facts, Messages)  # of all those here, that one gave no answer


def covers(key: Key, scan: Scan) -> bool:
    """Of what it aims at."""
    check, host, port = key
    if check == "X23":
        return not port or any(
            (each.host, each.port) == (host, port) for each in scan.reached | scan.tried
        )
    refused = {each.host: {low for low, _ in each.refused} for each in scan.answered}
    talked = {each.place.host for each in scan.services if each.protocol != "silent"}
    led = (each.facts.mappings for each in scan.services if isinstance(each.facts, Gateway))
    met = {(each.host, each.port) for one in led for each in one}
    met = {each for each in met if each[1] not in refused.get(each[0], ())}
    met |= {(each.place.host, each.place.port) for each in scan.services}
    clear = {(each.place.host, each.place.port) for each in scan.services}
    met -= clear - {
        (each.place.host, each.place.port) for each in scan.services if not is_understood(each)
    }
    there = check == "X22" or host in refused or host in talked or host == "box"
    return there and (host, port) not in met


@given(kept)
def test_the_compact_form_says_what_was_looked_at(
    case: tuple[list[str], frozenset[int], frozenset[str], list[NotChecked], Scan],
) -> None:
    scan, skipped = case[4], case[3]
    looked = looked_at(case[0], case[1], case[2], [*skipped, *not_understood(scan.services)], scan)
    for form in (looked, again(looked)):
        coverage = Coverage(form)
        for key in keys:
            aimed = aims(key, *case)
            assert coverage.aims(key) is aimed, key
            covered = aimed and could_be_made(key, skipped) and covers(key, scan)
            assert coverage.covers(key) is covered, key


@given(kept)
def test_each_pair_that_is_kept_changes_an_answer(
    case: tuple[list[str], frozenset[int], frozenset[str], list[NotChecked], Scan],
) -> None:
    looked = looked_at(*case)
    for check, host in looked.skipped:
        assert check in CHECKS
        assert not case[2] or check in case[2]
        assert not host or (check, "") not in looked.skipped


def again(looked: Looked) -> Looked:
    """As the history gives it back."""
    made = Made(NOW, "Dr Exemple", 1, 0, looked.kept)
    return read_made(json.loads(json.dumps(write_made(made)))).looked


def test_an_audit_of_many_services_that_were_not_understood_is_kept_small() -> None:
    heard = tuple(
        Service(Place(f"192.168.{one}.{two}", 80), "silent")
        for one in range(4) for two in range(5)
    )  # fmt: skip
    scan = Scan(heard)
    addresses = [each.place.host for each in heard]
    looked = looked_at(addresses, (80,), (), not_understood(heard), scan)
    assert looked.skipped == ()
    assert len(looked.unclear) == len(heard)
