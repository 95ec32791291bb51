"""`serment scan network`, with a network of memory: options, questions, table, JSON, exit codes."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exposure.sights import BAD, HOST, NOW, YES, service

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.memory.network import MemoryNetwork
from serment.adapters.memory.packs import MemoryPacks
from serment.adapters.memory.peers import MemoryPeers
from serment.adapters.memory.search import MemorySearchTable
from serment.adapters.memory.store import MemoryStore
from serment.app.house import House
from serment.app.protect.opening import Practice
from serment.app.watch.reads import Reads
from serment.app.watch.searches import Searches
from serment.core.crypto.keys import new_key
from serment.core.exposure.seen import Answered, Gateway, Http, Mapping, Missed, Service
from serment.entrypoints.cli.app import main
from serment.entrypoints.cli.progress import Stages
from serment.entrypoints.cli.world import Auditing
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.desk.request import Request
from serment.entrypoints.desk.table import answer
from serment.errors import Busy
from serment.ports.network import Order, Progress


class Commands:
    """The command line over a network and a vault of memory."""

    def __init__(self, services: Sequence[Service] = ()) -> None:
        self.network = MemoryNetwork(services, networks=("192.168.1.0/24",))
        self.clock = MemoryClock(NOW)
        self.helpers = MemoryPeers(code="right")
        self.helpers.pair("colleague", "198.51.100.9:7311", "right")
        store, lock = MemoryStore(), threading.RLock()
        once = threading.BoundedSemaphore(1)
        house = House("vault", "", store, MemoryPacks(), self.clock, MemorySearchTable, lock, once)
        key = new_key()
        self.desk = Desk(
            Practice(house),
            Reads(store, self.clock, lock),
            Searches(store, self.clock, lock),
            None,  # type: ignore[arg-type]
            lambda: key,
        )

    def peers(self, vault: Path | None) -> MemoryPeers:
        return self.helpers

    def auditing(self) -> Auditing:
        return Auditing(self.network, self.clock, ())

    def ask(self, vault: Path, request: Request) -> Any:
        """As over the local socket: JSON there and back."""
        options = json.loads(json.dumps(dict(request.options)))
        told = answer(self.desk, Request(request.command, options))
        return json.loads(json.dumps(told))

    def run(self, *words: str) -> int:
        return main(self, ["scan", *words])  # type: ignore[arg-type]

    def alone(self) -> Commands:
        """On a network of that one machine: who asks it has asked all."""
        self.network.networks = (f"{HOST}/32",)
        return self


@dataclass
class Meanwhile(MemoryNetwork):
    """A network during whose audit something else happens."""

    then: Callable[[], object] = list

    def audit(
        self, order: Order, progress: Callable[[Progress], None] = lambda _: None
    ) -> Iterator[Service | Answered | Missed]:
        self.then()
        return super().audit(order, progress)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "SERMENT_VAULT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())


def bad(*names: str) -> Commands:
    return Commands([each for name in names for each in BAD[name][0].services])


BY = ("--authorised-by", "Dr Exemple")


def test_nothing_to_report_and_findings_have_their_codes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Commands().run("network", HOST, *BY) == 0
    assert "Nothing to report among what was checked." in capsys.readouterr().out
    assert bad("X01").run("network", HOST, *BY) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Critical  X01  192.168.1.20:11112  The image archive lists")
    assert "patients readable: 50+" in lines[0]
    assert " > Your image archive lists patients" in lines[0]
    assert lines[1].startswith("Medium    X06  192.168.1.20:11112")
    assert any(line == "View from outside: not checked from outside" for line in lines)
    assert "Authorised by: Dr Exemple" in lines


def test_in_french(capsys: pytest.CaptureFixture[str]) -> None:
    assert bad("X01").run("network", HOST, *BY, "--lang", "fr") == 1
    said = capsys.readouterr().out
    assert said.startswith("Critique  X01")
    assert "limitez-la aux appareils connus" in said
    assert "non vérifié de l’extérieur" in said


def test_one_json_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert bad("X01", "X17").run("network", HOST, *BY, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert [each["id"] for each in told["findings"]] == ["X01", "X17", "X06"]
    assert told["authorised_by"] == "Dr Exemple"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("network", HOST), 4),  # nobody authorised it
        (("network", "8.8.8.8", *BY), 4),
        (("network", "10.0.0.0/16", *BY), 4),  # not confirmed
        (("network", "300.1.1.1", *BY), 2),
        (("network", HOST, *BY, "--ports", "x"), 2),
        (("network", HOST, *BY, "--only", "X99"), 2),
        (("network", HOST, *BY, "--box-dmz", "perhaps"), 2),
        (("network", HOST, *BY, "--baseline", "/nowhere"), 10),
        (("network", HOST, *BY, "--outside", "/nowhere"), 10),
        (("network", HOST, *BY, "--sarif", "/nowhere/file"), 10),
        (("network", "nowhere.example", *BY), 8),
    ],
)
def test_each_mistake_has_its_code(words: Sequence[str], code: int) -> None:
    assert Commands().run(*words) == code


def test_options_reach_the_network(tmp_path: Path) -> None:
    targets = tmp_path / "targets"
    targets.write_text("192.168.1.20\n192.168.1.21 # the scanner\n")
    commands = Commands()
    commands.run(
        "network", str(targets), "--exclude", "192.168.1.21", "--ports", "104,4242", "--fast",
        "--try-default-accounts", *BY,
    )  # fmt: skip
    (order,) = commands.network.orders
    assert (order.addresses, order.ports) == ((HOST,), (104, 4242))
    assert order.fast
    assert order.default_accounts


def test_a_recheck_looks_at_one_thing(capsys: pytest.CaptureFixture[str]) -> None:
    commands = bad("X01", "X17")
    assert commands.run("network", "--only", "x17", "--host", HOST, *BY, "--json") == 1
    assert commands.network.orders[0].addresses == (HOST,)
    assert [each["id"] for each in json.loads(capsys.readouterr().out)["findings"]] == ["X17"]


@pytest.mark.parametrize(
    "words",
    [
        (HOST, "--host", "192.168.1.21"),
        ("",),
        (HOST, " "),
        ("--host", ""),
        (HOST, "--prove", "99999"),
        (HOST, "--prove", "0"),
    ],
)
def test_what_would_audit_something_else_is_refused(words: tuple[str, ...]) -> None:
    commands = bad("X01")
    assert commands.run("network", *words, *BY) == 2
    assert commands.network.orders == []


def test_a_baseline_leaves_what_is_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = tmp_path / "known.json"
    bad("X01").run("network", HOST, *BY, "--json")
    known.write_text(capsys.readouterr().out)
    assert bad("X01").run("network", HOST, *BY, "--baseline", str(known)) == 0
    assert "new" not in capsys.readouterr().out.splitlines()[0]
    assert bad("X01", "X17").run("network", HOST, *BY, "--baseline", str(known)) == 1
    assert "(new)" in next(x for x in capsys.readouterr().out.splitlines() if "X17" in x)
    known.write_text("[1")
    assert bad("X01").run("network", HOST, *BY, "--baseline", str(known)) == 7


def test_sarif_is_written_beside(tmp_path: Path) -> None:
    path = tmp_path / "out.sarif"
    assert bad("X01").run("network", HOST, *BY, "--sarif", str(path)) == 1
    assert json.loads(path.read_text())["runs"][0]["results"][0]["ruleId"] == "X01"


def test_a_scan_from_outside_raises_what_it_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shodan.json"
    path.write_text('{"ip_str": "203.0.113.7", "data": [{"port": 104}]}')
    words = ("network", HOST, *BY, "--outside", str(path), "--json")
    assert bad("X06").run(*words) == 1
    told = json.loads(capsys.readouterr().out)
    assert {each["outside"] for each in told["findings"]} == {"not_checked"}  # anybody's address
    assert "203.0.113.7 (104)" in str(told["not_checked"])
    assert bad("X06").alone().run(*words, "--outside-address", "203.0.113.7") == 1
    told = json.loads(capsys.readouterr().out)
    assert {each["id"]: (each["severity"], each["outside"]) for each in told["findings"]} == {
        "X06": ("high", "confirmed"),
        "X23": ("critical", "confirmed"),
    }
    assert told["outside"]["by"] == ["import"]


def test_an_address_is_named_for_a_scan_from_outside_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ("--outside-address", "203.0.113.7")
    assert bad("X06").run("network", HOST, *BY, *named) == 2
    assert "name the file as well" in capsys.readouterr().err
    (tmp_path / "shodan.json").write_text('{"ip_str": "203.0.113.7", "data": [{"port": 104}]}')
    commands = bad("X06")
    words = ("--outside", str(tmp_path / "shodan.json"), "--outside-address", "192.168.1.1")
    assert commands.run("network", HOST, *BY, *words) == 2
    assert "192.168.1.1 is no address of the Internet" in capsys.readouterr().err
    assert commands.network.orders == []


VAULT = ("--vault", "/a/vault")


def test_the_vault_tells_new_open_and_gone(capsys: pytest.CaptureFixture[str]) -> None:
    commands = bad("X17")
    assert commands.run("network", HOST, *BY, *VAULT) == 1
    assert "(new)" in capsys.readouterr().out
    commands.clock.advance(86400)
    commands.run("network", HOST, *BY, *VAULT)
    assert "open since 22\xa0November 2026" in capsys.readouterr().out
    commands.network.services = ()
    assert commands.run("network", HOST, *BY, *VAULT) == 0
    assert "Gone: X17 at 192.168.1.20:80" in capsys.readouterr().out
    assert commands.run("history", *VAULT, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["findings"] for each in told["scans"]] == [1, 1, 0]
    assert told["findings"][0]["gone"] is not None
    assert commands.run("history", *VAULT) == 0
    assert "gone since 23\xa0November 2026" in capsys.readouterr().out


def test_a_machine_that_is_off_is_as_exposed_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    """Its findings stay open, are told among what was not checked, and make the exit code 1."""
    commands, host = bad("X18"), "127.0.0.9"
    assert commands.run("network", host, *BY, *VAULT) == 1
    commands.clock.advance(86400)
    commands.network.off = frozenset({host})
    capsys.readouterr()
    assert commands.run("network", host, *BY, *VAULT, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert {"scope", "X18"} <= {each["check"] for each in told["not_checked"]}
    assert told["history"]["gone"] == []
    assert "X18" in {each["id"] for each in told["history"]["unseen"]}
    assert commands.run("network", host, *BY, *VAULT) == 1
    said = capsys.readouterr().out
    assert "Gone" not in said
    assert f"X18  {host}  found before at port 5432; nothing answers at that address" in said
    assert "Nothing to report" not in said
    commands.network.off = frozenset()
    commands.run("network", host, *BY, *VAULT)
    assert "open since 22\xa0November 2026" in capsys.readouterr().out


def test_who_was_named_and_did_not_answer_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    commands = Commands()
    commands.network.off = frozenset({HOST, "192.168.1.21"})
    commands.run("network", HOST, "192.168.1.16/28", *BY, "--json")
    told = json.loads(capsys.readouterr().out)["not_checked"]
    assert [each["host"] for each in told if each["check"] == "scope"] == [HOST]


def test_the_first_audit_of_a_vault_says_who_authorised_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands = bad("X17")
    assert commands.run("network", HOST, *VAULT) == 4
    assert commands.run("network", HOST, *BY, *VAULT) == 1
    assert commands.run("network", HOST, *VAULT) == 1
    assert "Authorised by: Dr Exemple" in capsys.readouterr().out
    assert commands.run("network", HOST) == 4


def test_what_somebody_accepted_no_longer_counts(capsys: pytest.CaptureFixture[str]) -> None:
    commands = bad("X17")
    commands.run("network", HOST, *BY, *VAULT)
    words = ("accept", "x17", "--host", HOST, "--port", "80", "--by", "Dr Exemple")
    assert commands.run(*words, "--why", "test files", "--until", "2026-12-31", *VAULT) == 0
    capsys.readouterr()
    assert commands.run("network", HOST, *BY, *VAULT) == 0
    assert "accepted until 31\xa0December 2026" in capsys.readouterr().out
    assert commands.run("history", *VAULT) == 0
    assert "accepted by Dr Exemple until" in capsys.readouterr().out
    commands.clock.advance(60 * 86400)
    assert commands.run("network", HOST, *BY, *VAULT) == 1
    assert commands.run(*words, "--why", "x", "--until", "soon", *VAULT) == 2
    assert commands.run(*words, "--why", "x", "--until", "2036-12-31", *VAULT) == 2


def test_an_audit_that_the_vault_cannot_keep_is_still_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = bad("X17")
    commands.run("network", HOST, *BY, *VAULT)
    capsys.readouterr()
    monkeypatch.setattr(commands, "desk", replace(commands.desk, held_key=new_key))
    assert commands.run("network", HOST, *BY, *VAULT, "--json") == 6
    told = json.loads(capsys.readouterr().out)
    assert [each["id"] for each in told["findings"]] == ["X17"]
    assert told["error"]["kind"] == "integrity-error"
    assert commands.run("network", HOST, *BY, *VAULT) == 6
    said = capsys.readouterr()
    assert "X17" in said.out
    assert "is not authentic" in said.err


def test_escape_sequences_and_markup_of_a_banner_do_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = service(
        "http", 8042, Http("nas", 200, BAD["X25"][0].services[0].facts.login),  # type: ignore[union-attr]
        product="\x1b]0;owned\x07\x1b[31mNAS\u202e<script>\r\nCritical  X01  fake",
    )  # fmt: skip
    commands = Commands([hostile])
    commands.run("network", HOST, *BY)
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert not any(line.startswith("Critical  X01") for line in said.splitlines())
    commands.run("network", HOST, *BY, "--json")
    answer = capsys.readouterr().out.rstrip("\n")
    assert answer.isprintable()
    assert "\\u001b" not in answer


PUBLIC = "203.0.113.7"
PEER = ("--peer", "colleague")


def test_a_helper_outside_is_told_with_what_it_tried(capsys: pytest.CaptureFixture[str]) -> None:
    commands = bad("X01").alone()
    commands.helpers.open_ports = frozenset({11112})
    assert commands.run("network", HOST, *BY, *PEER) == 1
    said = capsys.readouterr().out
    assert "reached from outside" in said.splitlines()[0]
    assert "View from outside: a helper outside that dialled back" in said
    ((name, ports),) = commands.helpers.orders
    assert (name, ports[0]) == ("colleague", 11112)
    assert f"The helper colleague tried {len(ports)} ports of {PUBLIC}: 1 open" in said


def test_a_helper_tries_again_what_was_reached_before() -> None:
    """UPnP is off since, and the rule it left leads to the archive still."""
    led = Gateway((Mapping(40104, HOST, 11112, "TCP"),), PUBLIC, YES)
    commands = Commands([*BAD["X01"][0].services, service("igd", 5000, led, host="192.168.1.1")])
    commands.helpers.open_ports = frozenset({40104})
    words = ("network", HOST, "192.168.1.1", *BY, *PEER, *VAULT)
    assert commands.run(*words) == 1
    commands.network.services = BAD["X01"][0].services
    assert commands.run(*words) == 1
    assert [ports[:2] for _, ports in commands.helpers.orders] == [(40104, 11112), (40104, 11112)]


def test_a_helper_that_cannot_be_asked_takes_nothing_from_the_audit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands = bad("X01")
    commands.helpers.failing = Busy("the helper {name} looks once an hour: again in {minutes} min",
                                    name="colleague", minutes=7)  # fmt: skip
    assert commands.run("network", HOST, *BY, *PEER, "--lang", "fr") == 1
    said = capsys.readouterr().out
    assert said.startswith("Critique  X01")
    assert "l’assistant colleague ne regarde qu’une fois par heure : de nouveau dans 7 min" in (
        said.replace("\u00a0", " ").replace("\u202f", " ")
    )
    assert "non vérifié de l’extérieur" in said


def test_an_unknown_helper_is_told_before_anything_is_asked() -> None:
    commands = Commands()
    assert commands.run("network", HOST, *BY, "--peer", "nobody") == 8
    assert commands.network.orders == []


def test_a_public_address_needs_its_proof_which_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    commands = Commands()
    assert commands.run("network", PUBLIC, *BY) == 4
    assert commands.run("network", PUBLIC, *PEER) == 4  # nobody authorised it
    assert commands.run("network", "203.0.113.8", *BY, *PEER) == 4  # another one's
    assert commands.run("network", "203.0.113.0/24", *BY, *PEER) == 4
    assert commands.network.orders == []
    capsys.readouterr()
    assert commands.run("network", PUBLIC, *BY, *PEER, "--prove", "8443") == 0
    assert (
        f"Control of {PUBLIC} was proved: our own listener on its port 8443 gave a fresh token to the "
        "helper colleague"
    ) in capsys.readouterr().out
    (order,) = commands.network.orders
    assert order.addresses == (PUBLIC,)


def test_a_person_is_asked_who_authorised_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = io.StringIO("yes\nDr Exemple\n")
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    commands = Commands()
    assert commands.run("network", "10.0.0.0/21") == 0
    said = capsys.readouterr()
    assert "2046 addresses will be looked at." in said.err
    assert "Authorised by: Dr Exemple" in said.out


@pytest.mark.parametrize(
    ("typed", "by", "found"),
    [
        ("yes\nno\n", ["questions"], "critical"),
        ("no\noui\n", ["questions"], "high"),
        ("unknown\n\n", [], None),
        ("inconnu\nno\n", ["questions"], None),
    ],
)
def test_a_person_is_asked_about_the_box(
    typed: str,
    by: list[str],
    found: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """DMZ mode first, rules made by hand next: UPnP tells neither. "I do not know" is no answer."""
    terminal = io.StringIO(typed)
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    Commands().run("network", HOST, *BY)
    said = capsys.readouterr()
    assert said.err.index("DMZ") < said.err.index("NAT/PAT")
    lines = [line for line in said.out.splitlines() if "X23" in line and ":" not in line[:9]]
    stated = [line for line in lines if line.startswith(("Critical", "High"))]
    assert [line.split()[0].lower() for line in stated] == ([found] if found else [])
    outside = "the answers about the box" if by else "not checked from outside"
    assert f"View from outside: {outside}" in said.out


@pytest.mark.parametrize(
    "words",
    [("network", "127.0.0.1"), ("network", HOST, *BY, "--only", "X01"),
     ("network", HOST, *BY, "--box-dmz", "unknown", "--box-rules", "no")],
    ids=["this machine", "another check", "answered"],
)  # fmt: skip
def test_nobody_is_asked_about_the_box_for_nothing(
    words: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    Commands().run(*words)
    assert "DMZ" not in capsys.readouterr().err


def test_progress_goes_from_stage_to_stage() -> None:
    told: list[str] = []

    class Bar:
        def __init__(self, label: str) -> None:
            self.label = label

        def __enter__(self) -> Bar:
            told.append(f"+{self.label}")
            return self

        def __exit__(self, *_: object) -> None:
            told.append(f"-{self.label}")

        def total(self, count: int) -> None:
            told.append(f"of {count}")

        def step(self, count: int = 1) -> None:
            told.append(str(count))

    stages = Stages(Bar)
    for label, done in (("a", 0), ("a", 3), ("a", 3), ("b", 1)):
        stages.at(label, done, 9)
    stages.close()
    assert [each for each in told if each != "of 9"] == ["+a", "3", "-a", "+b", "1", "-b"]
