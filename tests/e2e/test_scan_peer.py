"""`serment scan peer` as people use it, on loopback: a code shown and typed, pairings listed and forgotten."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.network.running import HOST, free_port
from tests.e2e.serving import Vault, new_vault


class Side:
    """One user's command line, with pairings of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.pairings = folder / name / "peers.json"
        self.environment = {
            **os.environ, "SERMENT_PEERS": str(self.pairings), "LC_ALL": "C", "SERMENT_VAULT": "",
        }  # fmt: skip

    def run(self, *words: str, code: int = 0, given: str = "") -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "serment", *words, "--json"],
            input=given, capture_output=True, text=True, check=False, env=self.environment, timeout=60,
        )  # fmt: skip
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    @contextmanager
    def serving(self, *words: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
        """`serment scan peer serve`: its JSON, and the process."""
        program = subprocess.Popen(
            [sys.executable, "-m", "serment", "scan", "peer", "serve", *words, "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment,
            preexec_fn=_in_the_background,
        )  # fmt: skip
        assert program.stdout
        try:
            yield json.loads(program.stdout.readline()), program
        finally:
            program.kill()
            program.communicate()


def _in_the_background() -> None:
    """As shells start a program with `&`: Ctrl-C is ignored unless it asks for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.fixture
def helper(tmp_path: Path) -> Side:
    return Side(tmp_path, "helper")


@pytest.fixture
def practice(tmp_path: Path) -> Side:
    return Side(tmp_path, "practice")


LISTEN = ("--listen", f"{HOST}:0")


def test_a_code_is_shown_on_one_side_and_typed_on_the_other(helper: Side, practice: Side) -> None:
    with helper.serving(*LISTEN, "--pair", "cabinet") as (shown, program):
        place = f"{HOST}:{shown['port']}"
        wrong = practice.run(
            "scan", "peer", "pair", "colleague", place, given="0000-0000-0000-0000\n", code=4
        )
        assert wrong["error"]["kind"] == "access-denied"
        practice.run("scan", "peer", "pair", "colleague", place, given="", code=2)
        made = practice.run("scan", "peer", "pair", "colleague", place, given=shown["code"] + "\n")
        assert (made["name"], made["place"]) == ("colleague", place)
        practice.run("scan", "peer", "pair", "colleague", place, given=shown["code"], code=9)
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=30)
        assert program.returncode == 0
    assert said.splitlines() == [
        "a pairing was refused: no code, or another one",
        "cabinet: paired",
    ]
    (ours,) = practice.run("scan", "peer", "list")["pairings"]
    (theirs,) = helper.run("scan", "peer", "list")["pairings"]
    assert (ours["role"], ours["place"]) == ("helper", place)
    assert (theirs["name"], theirs["role"], theirs["place"]) == ("cabinet", "practice", "")
    for side in (practice, helper):
        assert side.pairings.stat().st_mode & 0o777 == 0o600
        assert "secret" not in json.dumps(side.run("scan", "peer", "list"))
    assert practice.run("scan", "peer", "forget", "colleague") == {"forgotten": "colleague"}
    practice.run("scan", "peer", "forget", "colleague", code=8)
    assert practice.run("scan", "peer", "list") == {"pairings": []}


def test_each_mistake_has_its_code(helper: Side, practice: Side) -> None:
    code = "0000-0000-0000-0000\n"
    nobody = f"{HOST}:{free_port()}"
    practice.run("scan", "peer", "pair", "colleague", nobody, given=code, code=10)
    practice.run("scan", "peer", "pair", "colleague", "no place", given=code, code=2)
    practice.run("scan", "peer", "pair", "", nobody, given=code, code=2)
    practice.run("scan", "network", HOST, "--peer", "colleague", "--ports", "1", code=8)
    with socket.create_server((HOST, 0)) as taken:
        place = f"{HOST}:{taken.getsockname()[1]}"
        helper.run("scan", "peer", "serve", "--listen", place, code=10)


def test_a_helper_listens_on_loopback_unless_told_otherwise(helper: Side) -> None:
    with helper.serving() as (shown, _):
        assert (shown["address"], shown["code"]) == (HOST, "")


def test_a_server_of_another_kind_is_no_helper(practice: Side) -> None:
    with socket.create_server((HOST, 0)) as listener:
        place = f"{HOST}:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "serment", "scan", "peer", "pair", "x", place, "--json"]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=practice.environment,
        ) as asked:
            assert asked.stdin
            asked.stdin.write("0000-0000-0000-0000\n")
            asked.stdin.close()
            peer, _ = listener.accept()
            with peer:
                assert re.match(rb"SRM1\x05", peer.recv(4096))
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                assert asked.stdout
                assert json.loads(asked.stdout.read())["error"]["kind"] == "format-error"
            assert asked.wait(30) == 7


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return new_vault(tmp_path_factory.mktemp("peer"), people=False)


def test_with_a_vault_pairings_are_beside_the_servers_keys(vault: Vault, helper: Side) -> None:
    with helper.serving(*LISTEN, "--pair", "cabinet") as (shown, _):
        place = f"{HOST}:{shown['port']}"
        vault.json("scan", "peer", "pair", "colleague", place, text=shown["code"])
        answer = vault.json(
            "scan", "network", HOST, "--peer", "colleague", "--ports", str(shown["port"])
        )
        assert answer["outside"]["peer"]["shared"]  # loopback is nobody's address outside
        assert answer["outside"]["by"] == []
    path = vault.root / "server" / "peers.json"
    assert path.stat().st_mode & 0o777 == 0o600
    (known,) = vault.json("scan", "peer", "list")["pairings"]
    assert known["name"] == "colleague"
    told = vault.json("doctor", code=1)["findings"]  # the kit lies beside the vault, no more
    assert [each["values"] for each in told] == [{"shares": 3}]


def test_in_french(vault: Vault) -> None:
    said = vault.run("scan", "peer", "forget", "nobody", code=8, lang="fr").err
    assert "il n’y a pas d’appairage nommé nobody" in said
