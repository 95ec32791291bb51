"""`serment demo` as scripts and people use it; the vault is searched here once more, by other code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serment.entrypoints.demo.studies import manifest

COUNTS = ("received", "patients", "planted", "found_in_clear", "found_in_plain_copy")
READY_LINES = 7
SHORTEST = 8  # bytes: shorter ones occur by chance


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "serment", "demo", *map(str, words)]


@dataclass(frozen=True)
class Shown:
    """What one `demo --once` printed and left."""

    answer: dict[str, Any]
    vault: Path
    planted: list[dict[str, str]]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Made while somebody else listens on the port of the pages, or already did."""
    folder = tmp_path_factory.mktemp("demo")
    vault, planted = folder / "vault", folder / "planted.jsonl"
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8443))
            taken.listen()
        except OSError:  # somebody has it: just as well
            pass
        done = subprocess.run(
            command("--once", "--json", "--vault", vault, "--manifest", planted),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = planted.read_text(encoding="utf-8").splitlines()
    yield Shown(json.loads(done.stdout), vault, [json.loads(line) for line in lines])


def test_the_answer_has_the_keys_and_values_that_were_promised(shown: Shown) -> None:
    answer = shown.answer
    assert {key: type(answer[key]) for key in COUNTS} == dict.fromkeys(COUNTS, int)
    assert answer["received"] > answer["patients"] >= 12
    assert answer["found_in_clear"] == 0
    assert answer["planted"] > 100
    assert 0.99 * answer["planted"] <= answer["found_in_plain_copy"] <= answer["planted"]
    assert 0 < answer["seconds"] < 240


def test_the_manifest_names_every_planted_identifier_once(shown: Shown) -> None:
    assert len(shown.planted) == shown.answer["planted"]
    assert all(set(entry) == {"kind", "value", "patient"} for entry in shown.planted)
    assert all(all(map(str, entry.values())) for entry in shown.planted)
    assert len({tuple(entry.values()) for entry in shown.planted}) == len(shown.planted)
    patients = {entry["patient"] for entry in shown.planted}
    assert len(patients) >= shown.answer["patients"]  # some wait to be filed by a person


def test_no_file_of_the_vault_holds_any_of_them(shown: Shown) -> None:
    held = [(path, path.read_bytes()) for path in shown.vault.rglob("*") if path.is_file()]
    assert sum(len(data) for _, data in held) > 1_000_000
    for entry in shown.planted:
        for encoding in ("utf-8", "latin-1"):
            value = entry["value"].encode(encoding, "ignore")
            if len(value) >= SHORTEST:
                assert [path for path, data in held if value in data] == [], entry["kind"]


def test_the_same_search_finds_them_where_they_are_in_clear(shown: Shown, tmp_path: Path) -> None:
    """Positive control: the manifest's values are what the studies hold, in their own bytes."""
    from serment.entrypoints.demo.studies import practice

    plain = b"".join(data for study in practice() for data in study.files())
    found = [
        entry
        for entry in shown.planted
        if any(entry["value"].encode(e, "ignore") in plain for e in ("utf-8", "latin-1"))
    ]
    assert len(found) >= 0.9 * len(shown.planted)
    assert len(manifest()) == len(shown.planted)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_it_serves_until_ctrl_c_and_says_so(lang: str, tmp_path: Path) -> None:
    words = command("--vault", tmp_path / "vault", "--web", "127.0.0.1:0", "--lang", lang)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline().strip() for _ in range(READY_LINES)]
            assert process.poll() is None
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(60)
    assert code == 0
    assert said[-1] == {"en": "Serves until Ctrl-C", "fr": "En service jusqu’à Ctrl-C"}[lang]
    assert any("https://127.0.0.1:" in line for line in said)
