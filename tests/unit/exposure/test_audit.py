"""The steps of an audit on a network of memory: what is asked of it, and what comes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest
from tests.unit.exposure.sights import BAD, HOST, NOW, ROUTABLE, WELL_KEPT, scan, service

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.memory.network import MemoryNetwork
from serment.adapters.memory.peers import MemoryPeers
from serment.app.find.network import UNASKED, Wish, audit, prepare, prove
from serment.app.find.outside import Look, by_nobody, by_peer
from serment.app.find.outside import Outside as OutsideView
from serment.core.exposure.findings import RANKS, Finding, Outside, Severity
from serment.core.exposure.outside import Looked, Sight, join
from serment.core.exposure.ports import ALL
from serment.core.exposure.products import parse_flaws
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.report import Report, as_json
from serment.core.exposure.sarif import as_sarif
from serment.core.exposure.scope import Proof
from serment.core.exposure.seen import Answer, Database, Dicom, Files, Gateway, Missed, Scan
from serment.core.exposure.seen import Mapping as Forwarding
from serment.errors import AccessDenied, NotFound, UsageError

FLAWS = parse_flaws(
    files("serment.core.exposure").joinpath("products.toml").read_text(encoding="utf-8")
)
WHO = "Dr Exemple, gérant"
TELLING = service("igd", 5000, Gateway((), "203.0.113.7", Answer.YES), host="192.168.1.1")


def say(message: str, values: Mapping[str, object]) -> str:
    return message.format(**values)


def audited(network: MemoryNetwork, look: Look = by_nobody, **wish: Any) -> Report:
    wished = Wish(**{"authorised_by": WHO, "ports": ALL, **wish})
    return audit(network, MemoryClock(NOW), prepare(network, wished), FLAWS, look=look)


def seen_from(address: str, *, shared: bool = False) -> Look:
    """A helper that sees the practice at this address, and tried nothing."""

    def look(scan: Scan) -> OutsideView:
        looked = Looked("colleague", address, shared)
        return OutsideView(join(scan, (), "peer", shared=shared), looked=looked)

    return look


def everything_bad() -> MemoryNetwork:
    return MemoryNetwork([each for seen, _ in BAD.values() for each in seen.services])


def test_nothing_is_sent_before_somebody_answers_for_it() -> None:
    network = MemoryNetwork(networks=("192.168.1.0/24",))
    with pytest.raises(AccessDenied) as said:
        audited(network, authorised_by="")
    assert "--authorised-by" in said.value.hint
    assert network.orders == []
    assert audited(network).authorised_by == WHO


def test_this_machine_needs_nobody() -> None:
    assert audited(MemoryNetwork(), targets=("127.0.0.1",), authorised_by="").addresses == 1


def test_many_addresses_are_confirmed_every_time() -> None:
    network = MemoryNetwork()
    with pytest.raises(AccessDenied) as said:
        audited(network, targets=("10.0.0.0/21",))
    assert "--large" in said.value.hint
    assert network.orders == []
    assert audited(network, targets=("10.0.0.0/21",), large=True).addresses == 2046


def test_without_targets_neighbours_come_first_then_the_networks_around() -> None:
    network = MemoryNetwork(known=("192.168.1.77",), networks=("192.168.1.0/24", "172.17.0.0/16"))
    report = audited(network)
    (order,) = network.orders
    assert order.addresses[0] == "192.168.1.77"
    assert len(order.addresses) == 254
    assert ("scope", "172.17.0.0/16") in {(each.check, each.host) for each in report.not_checked}


SIX = {"known": ("192.168.1.20",), "networks": ("192.168.1.0/24", "2001:db8::/64")}


def test_who_answers_on_the_own_ipv6_network_is_asked_too() -> None:
    there = tuple(f"2001:db8::{n:x}" for n in range(1, 1001))
    network = MemoryNetwork(answering=there, **SIX)  # type: ignore[arg-type]
    prepared = prepare(network, Wish(excluded=("2001:db8::2",), ports=ALL))
    assert not [each for each in prepared.scope.addresses if ":" in each]  # nobody was called yet
    audited(network, excluded=("2001:db8::2",))
    addresses = network.orders[-1].addresses
    assert "2001:db8::1" in addresses
    assert "2001:db8::2" not in addresses
    assert "192.168.1.20" in addresses
    assert len(addresses) <= 1024  # no more than was agreed to
    audited(network, targets=("192.168.1.20",))
    assert network.orders[-1].addresses == ("192.168.1.20",)


def test_where_nobody_on_ipv6_can_be_called_that_is_told() -> None:
    report = audited(MemoryNetwork(answering=None, **SIX))  # type: ignore[arg-type]
    assert [each.host for each in report.not_checked if each.reason == UNASKED] == ["2001:db8::/64"]
    report = audited(MemoryNetwork(**SIX))  # type: ignore[arg-type]
    assert UNASKED not in {each.reason for each in report.not_checked}


def test_a_machine_without_a_network_is_told() -> None:
    with pytest.raises(UsageError):
        audited(MemoryNetwork())


def test_names_are_asked_once_and_judged_by_their_addresses() -> None:
    network = MemoryNetwork(names={"pacs.local": (HOST,), "shop.example": ("203.0.113.9",)})
    assert audited(network, targets=("pacs.local",)).addresses == 1
    assert network.orders[0].addresses == (HOST,)
    with pytest.raises(AccessDenied):
        audited(network, targets=("shop.example",))
    with pytest.raises(NotFound):
        audited(network, targets=("nowhere.example",))


def test_the_order_says_what_was_chosen() -> None:
    network = MemoryNetwork()
    audited(network, targets=(HOST,), ports=(104,), fast=True, default_accounts=True)
    (order,) = network.orders
    assert (order.ports, order.fast, order.default_accounts) == ((104,), True, True)
    assert 55 <= len(order.titles) == len(set(order.titles)) <= 70
    assert all(len(each) <= 16 and each.isascii() for each in order.titles)


def test_an_unknown_check_is_told() -> None:
    with pytest.raises(UsageError):
        audited(MemoryNetwork(), targets=(HOST,), only=frozenset({"X99"}))


def test_the_answers_about_the_box_and_a_scan_from_outside_are_said() -> None:
    box = service("igd", 5000, Gateway((Forwarding(80, HOST, 4242, "TCP"),)), host="192.168.1.1")
    network = MemoryNetwork([box, service("dicom", 4242, Dicom())], networks=("192.168.1.0/24",))
    sights = (Sight("203.0.113.7", 80, True),)
    answers = {"dmz": False, "manual_rules": False}
    report = audited(network, **answers, sights=sights, outside_addresses=("203.0.113.7",))
    assert report.scan.outside_by == ("upnp", "questions", "import")
    assert Outside.CONFIRMED in {each.outside for each in report.findings}
    assert "X23" not in {each.check for each in report.not_checked}
    assert as_json(audited(MemoryNetwork(networks=("192.168.1.0/30",))), say)["outside"] == {
        "by": [],
        "said": "not checked from outside",
        "peer": None,
    }


def test_an_import_of_another_address_is_left_out_and_said() -> None:
    box = service("igd", 5000, Gateway((), "203.0.113.7", Answer.YES), host="192.168.1.1")
    network = MemoryNetwork([box, service("dicom", 4242, Dicom())], networks=("192.168.1.0/24",))
    report = audited(network, sights=(Sight("203.0.113.8", 4242, True),))
    assert report.scan.outside_by == ("upnp",)
    assert Outside.CONFIRMED not in {each.outside for each in report.findings}
    (left,) = [each for each in as_json(report, say)["not_checked"] if each["check"] == "import"]
    assert left["host"] == "203.0.113.8"
    assert "open ports at 203.0.113.8 (4242)" in left["reason"]
    assert "--outside-address 203.0.113.8" in left["reason"]


def test_an_imported_scan_closes_nothing_while_nobody_says_whose_address_it_is_of() -> None:
    network = MemoryNetwork([service("dicom", 4242, Dicom())], networks=("192.168.1.0/24",))
    sights = (Sight("203.0.113.7", 4242, False), Sight(HOST, 4242, False))
    report = audited(network, sights=sights)
    assert {each.outside for each in report.findings} == {Outside.NOT_CHECKED}
    assert report.scan.outside_by == ()
    left = {each["host"]: each["reason"] for each in as_json(report, say)["not_checked"]}
    assert "nothing shows that this is the practice's own address" in left["203.0.113.7"]
    assert "not made from the Internet" in left[HOST]
    no = {"dmz": False, "manual_rules": False}
    for more in ({"outside_addresses": ("203.0.113.7",)}, {"look": seen_from("203.0.113.7")}):
        report = audited(network, sights=sights[:1], **more, **no)
        assert {each.outside for each in report.findings} == {Outside.CLOSED}
        assert "import" not in {each.check for each in report.not_checked}
    report = audited(network, sights=sights[:1], look=seen_from("203.0.113.7", shared=True))
    assert {each.outside for each in report.findings} == {Outside.SHARED_ADDRESS}


@pytest.mark.parametrize(("days", "outside"), [(7, Outside.CLOSED), (9, Outside.NOT_CHECKED)])
def test_what_was_closed_long_ago_is_not_called_closed(days: int, outside: Outside) -> None:
    network = MemoryNetwork([service("dicom", 4242, Dicom())], networks=("192.168.1.0/24",))
    report = audited(
        network,
        sights=(Sight("203.0.113.7", 4242, False, at=NOW - timedelta(days=days)),),
        outside_addresses=("203.0.113.7",), dmz=False, manual_rules=False,
    )  # fmt: skip
    assert {each.outside for each in report.findings} == {outside}
    told = [
        each["reason"] for each in as_json(report, say)["not_checked"] if each["check"] == "import"
    ]
    assert [each.startswith("the imported scan is older than 8 days") for each in told] == [
        True
    ] * (outside is Outside.NOT_CHECKED)


def test_a_proved_address_is_the_practices() -> None:
    network = MemoryNetwork([service("dicom", 4242, Dicom())], networks=("192.168.1.0/24",))
    wish = Wish(
        targets=(HOST, "203.0.113.7"),
        authorised_by=WHO,
        sights=(Sight("203.0.113.7", 4242, False),),
    )
    network.services = (*network.services, TELLING)
    wish = replace(wish, targets=(*wish.targets, "192.168.1.1"))
    prepared = prove(prepare(network, wish, provable=True), proof)
    report = audit(network, MemoryClock(NOW), prepared)
    found = {each.outside for each in report.findings if each.place.host == HOST}
    assert found == {Outside.CLOSED}


def test_only_where_the_whole_network_was_asked_a_number_tells_the_machine() -> None:
    """Left out, off the list of targets or not asked any more: another machine may have that port."""
    node = service("dicom", 4242, Dicom())
    sights = (Sight("203.0.113.7", 4242, True, "dicom"),)
    own = {"sights": sights, "outside_addresses": ("203.0.113.7",)}
    two = ("192.168.1.16/29", "172.17.0.0/16")

    def reached(network: MemoryNetwork, **wish: Any) -> set[str]:
        findings = audited(network, **own, **wish).findings
        return {each.place.host for each in findings if each.outside is Outside.CONFIRMED}

    assert reached(MemoryNetwork([node], networks=two[:1])) == {HOST}
    assert reached(MemoryNetwork([node], networks=two)) == {"203.0.113.7"}
    for wish in ({"targets": (HOST,)}, {"excluded": ("192.168.1.17",)}):
        assert reached(MemoryNetwork([node], networks=two[:1]), **wish) == {"203.0.113.7"}
    early = MemoryNetwork([node], networks=two[:1], missed=Missed(ended=True))
    assert reached(early) == {"203.0.113.7"}


def test_ports_that_providers_block_are_told() -> None:
    share = service("smb", 445, Files(Answer.YES, shares=1))
    sights = tuple(Sight("203.0.113.7", port, False) for port in (25, 445))
    report = audited(
        MemoryNetwork([share], networks=("192.168.1.0/24",)),
        sights=sights, outside_addresses=("203.0.113.7",), dmz=False, manual_rules=False,
    )  # fmt: skip
    assert {each.outside for each in report.findings} == {Outside.NOT_CHECKED}
    (told,) = [each for each in as_json(report, say)["not_checked"] if each["check"] == "import"]
    assert told["reason"].startswith("ports 445 did not answer from outside")


def test_of_an_import_of_many_addresses_some_are_named() -> None:
    network = MemoryNetwork(networks=("192.168.1.0/24",))
    sights = tuple(Sight(f"203.0.113.{last}", 80, True) for last in range(100))
    sights += tuple(Sight("203.0.113.0", port, True) for port in range(81, 200))
    left = [each for each in audited(network, sights=sights).not_checked if each.check == "import"]
    assert len(left) == 21
    assert (left[-1].host, left[-1].values) == ("", {"count": 80})
    assert str(left[0].values["ports"]).endswith("98, 99 ...")


def test_without_targets_public_networks_and_neighbours_are_left_out() -> None:
    """A server at a provider: the network around it is full of strangers."""
    network = MemoryNetwork(
        known=("203.0.113.1", "192.168.1.7", "2001:db8:1::5", "2001:db8:2::5"),
        networks=("203.0.113.0/24", "100.64.0.0/10", "192.168.1.0/30", "2001:db8:1::/64"),
    )
    report = audited(network)
    assert network.orders[0].addresses == (
        "192.168.1.7", "2001:db8:1::5", "192.168.1.1", "192.168.1.2",
    )  # fmt: skip
    left = {each.host: each.reason for each in report.not_checked if each.check == "scope"}
    assert set(left) == {"203.0.113.0/24", "100.64.0.0/10"}
    assert all("public network" in each for each in left.values())


CONTRACT = {
    "id": str, "host": str, "port": int, "proto": str, "severity": str, "confidence": str,
    "outside": str, "title": str, "remedy": str, "evidence": str,
}  # fmt: skip


def test_the_json_contract() -> None:
    network = everything_bad()
    hosts = tuple({each.place.host for each in network.services} - {ROUTABLE})
    answer = as_json(audited(network, targets=(*hosts, "fd00::1"), dmz=True), say)
    answer = json.loads(json.dumps(answer))
    assert {"findings", "hosts", "not_checked", "seconds"} <= set(answer)
    for finding in answer["findings"]:
        assert {key: type(finding[key]) for key in CONTRACT} == CONTRACT
        assert finding["severity"] in ("critical", "high", "medium", "low", "info")
        assert finding["confidence"] in ("confirmed", "likely", "possible")
        assert finding["outside"] in ("confirmed", "not_checked", "closed", "shared_address")
        if finding["readable"] is not None:
            assert set(finding["readable"]) == {"count", "capped", "unit"}
            assert finding["readable"]["unit"] in ("patients", "studies", "files", "rows")
    ranks = [list(Severity).index(Severity(each["severity"])) for each in answer["findings"]]
    assert ranks == sorted(ranks)
    assert all(
        {"port", "protocol", "product", "version"} <= set(each)
        for host in answer["hosts"]
        for each in host["services"]
    )
    assert all(set(each) == {"check", "host", "reason"} for each in answer["not_checked"])
    assert isinstance(answer["seconds"], float)


@pytest.mark.parametrize("name", CHECKS)
def test_every_message_of_a_check_fills_in(name: str) -> None:
    report = judged(name)
    assert as_json(report, say)["findings"]
    assert [each.id for each in report.findings] == [name] * len(report.findings)


def judged(name: str) -> Report:
    seen, _ = BAD[name]
    network = MemoryNetwork(seen.services)
    targets = tuple({each.place.host for each in seen.services}) or (HOST,)
    only = frozenset({name})
    wish = Wish(targets, ports=ALL, authorised_by=WHO, dmz=seen.dmz, only=only)
    prepared = prepare(network, wish, provable=True)
    return audit(network, MemoryClock(NOW), prove(prepared, proof), FLAWS)


def proof(address: str) -> Proof:
    return Proof(address, 7312, "colleague", NOW)


def test_hosts_are_in_the_order_of_addresses_and_ports() -> None:
    services = [
        service("http", 80, host="192.168.1.100"),
        service("http", 443, host="192.168.1.20"),
        service("http", 80, host="192.168.1.20"),
        service("http", 80, host="192.168.1.3"),
    ]
    answer = as_json(audited(MemoryNetwork(services), targets=("192.168.1.0/24",)), say)
    assert [each["host"] for each in answer["hosts"]] == [
        "192.168.1.3",
        "192.168.1.20",
        "192.168.1.100",
    ]
    assert [each["port"] for each in answer["hosts"][1]["services"]] == [80, 443]


def test_a_well_kept_practice_gets_no_serious_finding() -> None:
    network = MemoryNetwork(WELL_KEPT, networks=("192.168.1.0/24",))
    findings = audited(network).findings
    assert [each for each in findings if RANKS[each.severity] <= RANKS[Severity.MEDIUM]] == []


# SARIF 2.1.0: the required properties of the schema, and what its enumerations allow.


@pytest.fixture(scope="module")
def sarif() -> dict[str, Any]:
    network = everything_bad()
    hosts = tuple({each.place.host for each in network.services} - {ROUTABLE})
    report = audited(network, targets=hosts, dmz=True)
    written: dict[str, Any] = json.loads(json.dumps(as_sarif(report, say, "0.1.0", "fr")))
    return written


def test_sarif_has_what_the_schema_requires(sarif: dict[str, Any]) -> None:
    assert sarif["version"] == "2.1.0"
    (run,) = sarif["runs"]
    assert run["tool"]["driver"]["name"] == "Serment"
    assert run["language"] == "fr"  # ^[a-zA-Z]{2}(-[a-zA-Z]{2})?$
    rules = run["tool"]["driver"]["rules"]
    assert len({each["id"] for each in rules}) == len(rules)
    for result in run["results"]:
        assert result["message"]["text"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert 0.0 <= result["rank"] <= 100.0
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (place,) = result["locations"]
        # GitHub refuses the whole upload for an absolute URI of another scheme than file:
        assert re.fullmatch(
            r"[0-9A-Za-z.%]+(/\d+)?", place["physicalLocation"]["artifactLocation"]["uri"]
        )
        assert place["physicalLocation"]["region"] == {"startLine": 1}
        assert place["logicalLocations"][0]["name"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["startTimeUtc"] == "2026-11-22T06:00:00.000000Z"
    for notification in invocation["toolExecutionNotifications"]:
        assert notification["message"]["text"]


def test_sarif_names_places_that_are_no_paths() -> None:
    six = judged("X26").findings
    run = as_sarif(Report(NOW, 0.0, scan(), six, ()), say, "0", "en")["runs"][0]
    (place,) = run["results"][0]["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "2001%3Adb8%3A1%3A%3A20/104"
    assert place["logicalLocations"][0]["name"] == "[2001:db8:1::20]:104"


def test_sarif_tells_the_same_findings(sarif: dict[str, Any]) -> None:
    results = sarif["runs"][0]["results"]
    marks = [each["partialFingerprints"]["place/v1"] for each in results]
    assert len(set(marks)) == len(marks)
    assert {each["ruleId"] for each in results} >= set(CHECKS) - {"X26"}


def test_what_was_not_checked_is_in_sarif_too() -> None:
    report = audited(MemoryNetwork(), targets=(HOST,))
    run = as_sarif(report, say, "0", "en")["runs"][0]
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert {each["descriptor"]["id"] for each in told} == {"X09", "X22", "X23"}


def test_the_same_place_is_stated_once_by_each_check() -> None:
    one = service("redis", 6379, Database(Answer.YES), host="127.0.0.9")
    report = audited(MemoryNetwork([one, one]), targets=("127.0.0.9",))
    assert [each.key for each in report.findings] == [("X18", "127.0.0.9", 6379)]


def test_counts_by_severity() -> None:
    seen = replace(scan(), dmz=True)
    findings: tuple[Finding, ...] = judged("X01").findings
    report = Report(NOW, 0.0, seen, findings, ())
    assert report.counts == {Severity.CRITICAL: 1}


# The schema allows no other properties (sarif-schema-2.1.0.json, additionalProperties false).
ALLOWED: Mapping[str, set[str]] = {
    "log": {"$schema", "version", "runs"},
    "run": {"tool", "language", "invocations", "results", "properties"},
    "driver": {"name", "version", "rules"},
    "rule": {
        "id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration",
        "properties",
    },
    "result": {
        "ruleId", "ruleIndex", "level", "rank", "message", "locations", "partialFingerprints",
        "properties",
    },
    "location": {"physicalLocation", "logicalLocations"},
    "logical": {"name", "kind", "fullyQualifiedName"},
    "invocation": {"executionSuccessful", "startTimeUtc", "toolExecutionNotifications"},
    "notification": {"level", "descriptor", "message"},
}  # fmt: skip


def test_sarif_has_nothing_that_the_schema_does_not_know(sarif: dict[str, Any]) -> None:
    (run,) = sarif["runs"]
    driver, results = run["tool"]["driver"], run["results"]
    seen = {
        "log": [sarif],
        "run": [run],
        "driver": [driver],
        "rule": driver["rules"],
        "result": results,
        "location": [place for each in results for place in each["locations"]],
        "invocation": run["invocations"],
        "notification": run["invocations"][0]["toolExecutionNotifications"],
    }
    seen["logical"] = [each["logicalLocations"][0] for each in seen["location"]]
    for kind, objects in seen.items():
        assert objects, kind
        assert {key for each in objects for key in each} <= ALLOWED[kind], kind
    for rule in driver["rules"]:
        assert all(isinstance(tag, str) for tag in rule["properties"]["tags"])
        assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
        assert rule["properties"]["precision"] in ("very-high", "high", "medium", "low")
        assert 0.0 <= float(rule["properties"]["security-severity"]) <= 10.0
        assert "security" in rule["properties"]["tags"]


def test_a_helper_closes_nothing_while_another_line_is_known_and_untried() -> None:
    box = service("igd", 5000, Gateway((), "203.0.113.7", Answer.YES), host="192.168.1.1")
    network = MemoryNetwork([box, service("dicom", 4242, Dicom())], networks=("192.168.1.0/24",))
    helpers = MemoryPeers(address="203.0.113.7")
    helpers.pair("paris", "203.0.113.9:7311", "")
    for known, outside in (((), Outside.CLOSED), (("203.0.113.99",), Outside.NOT_CHECKED)):
        look = by_peer(helpers, "paris", (), known)
        report = audited(network, look=look, dmz=False, manual_rules=False)
        assert {each.outside for each in report.findings if each.place.host == HOST} == {outside}
