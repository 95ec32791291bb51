"""Each check states its own audit, with its severity, and nothing else; a well-kept practice is quiet."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules

import pytest
from tests.unit.exposure import sights
from tests.unit.exposure.sights import BAD, FOLLOWS, HOST, NO, YES, scan, service

from serment.core.exposure import checks
from serment.core.exposure.checking import Check, Statement, Unasked, View
from serment.core.exposure.findings import RANKS, Confidence, Outside, Place, Severity
from serment.core.exposure.machines import BY_APPLICATION, BY_PROTOCOL
from serment.core.exposure.outside import Sight, join
from serment.core.exposure.products import parse_flaws
from serment.core.exposure.registry import CHECKS, judge, raised
from serment.core.exposure.seen import Answer, Dicom, Files, Gateway, Http, Mapping, Scan, Tls

FLAWS = parse_flaws(
    files("serment.core.exposure").joinpath("products.toml").read_text(encoding="utf-8")
)


def stated(seen: Scan, *only: str) -> dict[str, Severity]:
    return {each.id: each.severity for each in judge(View(seen, FLAWS), only)[0]}


def test_every_file_is_registered_under_its_name() -> None:
    found = [
        import_module(f"{checks.__name__}.{each.name}") for each in iter_modules(checks.__path__)
    ]
    assert [module.CHECK for module in found] == list(CHECKS.values())
    for module in found:
        assert module.__name__.rpartition(".")[2].startswith(module.CHECK.id.lower() + "_")
    assert len({each.name for each in CHECKS.values()}) == len(CHECKS)


def test_every_check_names_the_law_and_a_commandment() -> None:
    for check in CHECKS.values():
        assert 1 <= check.commandment <= 10
        assert check.articles
        assert all(each.startswith(("GDPR Art. ", "CSP Art. ")) for each in check.articles)
        assert check.title and check.remedy


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_stated(name: str) -> None:
    seen, severity = BAD[name]
    found = stated(seen)
    assert found.pop(name) is severity
    assert set(found) <= FOLLOWS.get(name, frozenset())


@pytest.mark.parametrize("name", CHECKS)
def test_every_test_of_a_check_can_fail(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that is silenced, and one that cries wolf, are both noticed by the tests here."""
    check = CHECKS[name]
    everything = {**CHECKS, name: replace(check, look=lambda view: ())}
    monkeypatch.setattr("serment.core.exposure.registry.CHECKS", everything)
    with pytest.raises(KeyError):
        test_what_is_wrong_is_stated(name)
    wolf = replace(check, look=_wolf)
    monkeypatch.setattr("serment.core.exposure.registry.CHECKS", {**CHECKS, name: wolf})
    with pytest.raises(AssertionError):
        test_nothing_serious_is_stated_of_a_well_kept_practice()


def _wolf(view: View) -> list[Statement | Unasked]:
    return [Statement(each.place, Severity.MEDIUM, "wolf") for each in view.scan.services]


def test_nothing_serious_is_stated_of_a_well_kept_practice() -> None:
    findings, _ = judge(View(scan(*sights.WELL_KEPT), FLAWS))
    serious = [each for each in findings if RANKS[each.severity] <= RANKS[Severity.MEDIUM]]
    assert serious == []


def test_most_serious_first_and_only_what_is_asked() -> None:
    seen = scan(*(each for bad, _ in BAD.values() for each in bad.services))
    findings, _ = judge(View(seen, FLAWS))
    ranks = [RANKS[each.severity] for each in findings]
    assert ranks == sorted(ranks)
    assert len({each.key for each in findings}) == len(findings)
    assert set(stated(seen, "X01", "X18")) == {"X01", "X18"}


def test_what_is_reached_from_outside_is_one_level_more_serious() -> None:
    seen, severity = BAD["X06"]
    place = seen.services[0].place
    findings, _ = judge(View(replace(seen, reached=frozenset({place}), tried=frozenset())), ["X06"])
    assert severity is Severity.MEDIUM
    assert (findings[0].severity, findings[0].outside) == (Severity.HIGH, Outside.CONFIRMED)
    assert raised(Severity.CRITICAL) is Severity.CRITICAL


def test_closed_is_only_said_when_somebody_tried() -> None:
    seen, _ = BAD["X01"]
    place = seen.services[0].place

    def outside(scan: Scan) -> Outside:
        return judge(View(scan), ["X01"])[0][0].outside

    assert outside(seen) is Outside.NOT_CHECKED
    assert outside(replace(seen, tried=frozenset({place}))) is Outside.CLOSED
    assert outside(replace(seen, shared=True)) is Outside.SHARED_ADDRESS


def test_an_archive_that_is_empty_is_less_serious() -> None:
    empty = replace(sights.OPEN_FIND, patients=replace(sights.MANY, count=0, capped=False))
    assert stated(scan(service("dicom", 104, empty)), "X01") == {"X01": Severity.HIGH}


def test_a_query_that_nothing_answered_is_not_checked() -> None:
    node = Dicom(any_title=True, studies=Answer.NOTHING, worklist=Answer.NOTHING)
    findings, skipped = judge(View(scan(service("dicom", 104, node))), ["X01", "X04"])
    assert findings == []
    assert [(each.check, each.host) for each in skipped] == [("X01", HOST), ("X04", HOST)]


def test_what_was_not_checked_is_told_with_its_port() -> None:
    node, tls = Dicom(any_title=True, studies=Answer.NOTHING), Tls(understood=False)
    seen = scan(*(service("dicom", port, node, tls=tls) for port in (104, 11112)))
    _, skipped = judge(View(seen), ["X01", "X24"])
    told = [(each.check, each.reason.format(**each.values).split(":")[0]) for each in skipped]
    assert told == [(id, f"port {port}") for id in ("X01", "X24") for port in (104, 11112)]


@pytest.mark.parametrize(("name", "offer"), [("X02", "move"), ("X03", "store")])
def test_what_a_node_that_refuses_queries_offers_is_only_possible(name: str, offer: str) -> None:
    node = Dicom(frozenset({"find", offer}), any_title=True)
    (likely,) = judge(View(scan(service("dicom", 4242, node))), [name])[0]
    assert likely.confidence is Confidence.LIKELY
    (possible,) = judge(View(scan(service("dicom", 4242, replace(node, studies=NO)))), [name])[0]
    assert (possible.severity, possible.confidence) == (Severity.LOW, Confidence.POSSIBLE)
    assert likely.evidence != possible.evidence


@pytest.mark.parametrize(
    ("product", "hangs_up", "severity"),
    [
        ("DCMTK", True, Severity.MEDIUM),
        ("Orthanc", False, Severity.MEDIUM),
        ("DCMTK", False, Severity.LOW),
        ("pynetdicom", True, Severity.LOW),
    ],
)
def test_orthanc_as_it_comes_takes_images_though_it_refuses_queries(
    product: str, hangs_up: bool, severity: Severity
) -> None:
    node = Dicom(frozenset({"find", "store"}), any_title=True, studies=NO, hangs_up=hangs_up)
    (found,) = judge(View(scan(replace(service("dicom", 4242, node), product=product))), ["X03"])[0]
    assert found.severity is severity


@pytest.mark.parametrize(
    ("facts", "protocol", "check"),
    [
        (Http("", 200, also=frozenset({"dicomweb"})), "http", "X10"),
        (Http("", 200, also=frozenset({"fhir"})), "http", "X20"),
        (Http("", 200, also=frozenset({"orthanc"})), "http", "X08"),
        (Http("elasticsearch", 200, NO, YES), "http", "X18"),
        (Http("orthanc", 401, YES, NO, shared=Files(YES, shares=1)), "http", "X15"),
        (Files(YES, shares=1), "nfs", "X15"),
        (Files(YES, shares=1), "rsync", "X15"),
        (Files(YES, {"dicom": 1}, 1, writable=YES), "smb", "X15"),
        (Files(YES, {"dicom": 1}, writable=YES), "ftp", "X13"),
        (Files(Answer.NOTHING, shares=1), "nfs", "X15"),  # only from a privileged port
    ],
)
def test_other_ways_in(facts: Http | Files, protocol: str, check: str) -> None:
    assert stated(scan(service(protocol, 8080, facts)), check)[check] is Severity.CRITICAL


def test_without_an_outside_view_nothing_is_called_closed() -> None:
    findings, skipped = judge(View(scan(*sights.WELL_KEPT)))
    assert {each.outside for each in findings} == {Outside.NOT_CHECKED}
    assert {"X09", "X23"} <= {each.check for each in skipped}
    assert "X22" in {each.check for each in judge(View(scan()))[1]}


def test_a_forwarding_is_stated_at_the_machine_and_at_the_box() -> None:
    seen, _ = BAD["X22"]
    findings, _ = judge(View(seen), ["X22"])
    assert {each.place.host for each in findings} == {HOST, "192.168.1.1"}
    assert {each.severity for each in findings} == {Severity.CRITICAL}


@pytest.mark.parametrize(
    ("port", "protocol", "severity"),
    [(4242, "UDP", Severity.LOW), (9999, "TCP", Severity.MEDIUM), (80, "TCP", Severity.HIGH)],
)
def test_how_serious_a_forwarding_is(port: int, protocol: str, severity: Severity) -> None:
    box = service("igd", 5000, Gateway((Mapping(1, HOST, port, protocol),)), host="192.168.1.1")
    seen = scan(box, service("http", 80, Http("", 200)), service("dicom", 4242, Dicom()))
    assert stated(seen, "X22") == {"X22": severity}


def test_a_port_reached_from_outside_that_no_forwarding_explains() -> None:
    box = service(
        "igd", 5000, Gateway((Mapping(80, HOST, 4242, "TCP"),), "203.0.113.7"), host="192.168.1.1"
    )
    seen = scan(box, *(each for each in BAD["X22"][0].services if each.protocol == "dicom"))
    explained = join(seen, [Sight("203.0.113.7", 80, True, "dicom")], "peer")
    assert "X23" not in stated(explained)
    assert [each.outside for each in judge(View(explained), ["X22"])[0]] == [
        Outside.NOT_CHECKED,
        Outside.CONFIRMED,
    ]
    unexplained = join(seen, [Sight("203.0.113.7", 3389, True, "rdp")], "peer")
    found = judge(View(unexplained), ["X23"])[0]
    assert [(each.place, each.severity) for each in found] == [
        (Place("203.0.113.7", 3389, "rdp"), Severity.CRITICAL)
    ]


def test_a_port_that_one_machine_alone_has_open_is_that_machine() -> None:
    node = service("dicom", 11112, sights.OPEN_FIND)
    seen = scan(node, swept=True, dmz=False, manual_rules=False)
    joined = join(seen, [Sight("203.0.113.7", 11112, True)], "import")
    assert joined.reached == {seen.services[0].place}
    assert joined.outside_by == ("import",)
    closed = join(seen, [Sight("203.0.113.7", 11112, False)], "import")
    assert (closed.reached, closed.tried) == (
        frozenset(),
        {seen.services[0].place, Place("203.0.113.7", 11112)},
    )


def test_a_shared_address_says_nothing_of_this_practice() -> None:
    seen = scan(service("dicom", 11112, sights.OPEN_FIND))
    joined = join(seen, [Sight("100.64.0.9", 11112, True)], "peer", shared=True)
    assert (joined.reached, joined.shared) == (frozenset(), True)
    skipped = judge(View(joined), ["X23"])[1]
    assert [each.reason for each in skipped] == ["shared address, not checked"]


def test_an_address_of_the_documentation_or_own_network_is_told_apart() -> None:
    own = scan(service("dicom", 104, Dicom(), host="fd00::20"))
    assert stated(own, "X26") == {}
    assert stated(scan(service("ssh", 22, host=sights.ROUTABLE)), "X26") == {}


# What listens on an address of the Internet, and is no health service to it.
HARMLESS = {"memcached", "rdp", "vnc", "telnet", "printer", "igd", "ssh", "http"}
HEALTH = {
    *("dicom", "mllp", "ftp", "ftps", "smb", "nfs", "rsync", "afp", "webdav"),
    *("mysql", "postgresql", "mongodb", "redis", "elasticsearch"),
}
HEALTH_WEB = {
    *("orthanc", "dicomweb", "dcm4chee", "dicoogle", "pacsone", "conquest", "clearcanvas", "pacs"),
    *("ohif", "weasis", "meddream", "stone", "oviyam", "viewer"),
    *("fhir", "openemr", "mirth", "elasticsearch", "listing", "nas"),
}
DAV = "webdav"  # a web server that is nothing else is a service of that name


def test_health_services_are_those_that_hold_or_move_health_data() -> None:
    def found(protocol: str, facts: Http | None = None) -> bool:
        return bool(stated(scan(service(protocol, 1, facts, host=sights.ROUTABLE)), "X26"))

    assert {each for each in HEALTH | HARMLESS | {"", "unknown"} if found(each)} == HEALTH
    assert {each for each in BY_PROTOCOL if not found(each)} == HARMLESS
    named = (*BY_APPLICATION, *HEALTH_WEB, "", "other")
    assert {each for each in named if each != DAV and found("http", Http(each))} == HEALTH_WEB


def test_what_a_forwarding_makes_critical() -> None:
    """Health services and ways into a machine; any other is high."""

    def severity(protocol: str, facts: Http | None = None) -> Severity:
        box = Gateway((Mapping(1, HOST, 1, "TCP"),))
        seen = scan(service(protocol, 1, facts), service("igd", 5000, box, host="192.168.1.1"))
        return next(each.severity for each in judge(View(seen), ["X22"])[0] if each.place.port == 1)

    kept = {each for each in (*BY_PROTOCOL, "unknown", "") if severity(each) is Severity.HIGH}
    assert kept == {"printer", "igd", "http", "unknown", ""}
    assert severity("http", Http("nas")) is Severity.CRITICAL
    assert severity("http", Http("listing")) is Severity.HIGH
    assert severity("http", Http("listing", listed={"table": 1})) is Severity.CRITICAL


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"versions": ("TLSv1.0", "TLSv1.2")}, Severity.MEDIUM),
        (
            {"versions": ("TLSv1.0", "TLSv1.2"), "client_certificate": Answer.YES},
            Severity.LOW,
        ),
        ({"versions": ("TLSv1.0",)}, Severity.HIGH),
        ({"versions": ("SSLv3", "TLSv1.2")}, Severity.HIGH),
        ({"key_kind": "RSA", "key_bits": 1024}, Severity.HIGH),
        ({"key_kind": "RSA", "key_bits": 2047}, Severity.MEDIUM),
        ({"signature": "sha1"}, Severity.MEDIUM),
        ({"self_signed": True}, Severity.LOW),
        ({"weak": ("NULL",)}, Severity.HIGH),
        ({"weak": ("anonymous",)}, Severity.HIGH),
    ],
)
def test_what_is_weak_about_tls(changes: dict[str, object], severity: Severity) -> None:
    tls = replace(sights.OPEN_TLS, **changes)  # type: ignore[arg-type]
    assert stated(scan(service("http", 443, Http(), tls=tls)), "X24") == {"X24": severity}


def test_tls_that_was_not_told_is_not_said_to_have_stopped_where_something_was_spoken_in_it() -> (
    None
):
    tls = Tls(understood=False)
    seen = scan(service("tls", 443, tls=tls), service("dicom", 2762, Dicom(), tls=tls))
    reasons = [each.reason for each in judge(View(seen), ["X24"])[1] if each.check]
    assert [("did not go on" in each, "spoke inside" in each) for each in reasons] == [
        (True, False),
        (False, True),
    ]


def test_nothing_is_weak_about_a_good_one() -> None:
    assert stated(scan(service("http", 443, Http(), tls=sights.OPEN_TLS)), "X24") == {}


def test_a_check_is_data() -> None:
    assert all(isinstance(each, Check) for each in CHECKS.values())
