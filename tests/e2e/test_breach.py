"""`serment breach radius` as a script uses it, with a server running and without: JSON, exit codes,
both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.e2e.serving import Vault, new_vault, serving
from tests.practices import patient, report, study

KEYS = {
    "vectors",
    "patients",
    "unfiled",
    "categories",
    "metadata",
    "evidence",
    "weakest_password",
    "journal",
    "harmless",
}
CLASSES = ("read", "readable", "unintelligible")


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """One filed report, another that came after; the kit was carried away."""
    folder = tmp_path_factory.mktemp("breach")
    vault = new_vault(folder)
    path = folder / "report.dcm"
    path.write_bytes(report(study(patient())))
    vault.json("import", path)
    vault.json("search", "LEFEVRE", "--as", "docteur")
    vault.kit.rename(folder.parent / f"{folder.name}-safe")
    yield vault
    (folder.parent / f"{folder.name}-safe").rename(vault.kit)


def now() -> str:
    return datetime.now(UTC).isoformat()


def patients(said: dict[str, dict[str, int]]) -> list[int]:
    return [said["patients"][each] for each in CLASSES]


def test_the_contract(vault: Vault) -> None:
    said = vault.json("breach", "radius", "--stolen", "disk", "--at", now())
    assert set(said) == KEYS
    assert patients(said) == [0, 0, 1]
    assert said["patients"]["unfiled_envelopes"] == 0
    assert said["harmless"] and said["journal"]["ok"]
    assert set(said["categories"]) == {"identity", "images", "reports", "documents"}
    reports = said["categories"]["reports"]
    assert reports["special"] is True
    assert reports["unintelligible"] == {"patients": 1, "envelopes": 1, "objects": 1}
    assert said["metadata"]["readable"] and said["metadata"]["members"] == 4
    for each in said["evidence"]:
        assert set(each) == {"code", "what", "count", "entries"}
        assert "{" not in each["what"]
    assert said["weakest_password"] == {
        "rule": "cnil-2022-100/80-bits",
        "kdf": "argon2id m=64MiB t=3 p=4",
        "current": True,
    }


def test_findings_have_an_exit_code_and_ids_when_asked(vault: Vault) -> None:
    theft = ("breach", "radius", "--stolen", "backup", "--at", now(), "--known", "docteur")
    said = vault.json(*theft, code=1)
    assert patients(said) == [0, 1, 0] and "patient_ids" not in said
    assert said["vectors"][0]["known"] == ["docteur"]
    with_ids = vault.json(*theft, "--patients", code=1)["patient_ids"]
    (known,) = vault.json("search", "LEFEVRE", "--as", "docteur")
    assert with_ids == {"read": [], "readable": [known["Patient"]], "unintelligible": []}
    assert "LEFÈVRE" not in str(said) and "LEFÈVRE" not in str(with_ids)


def test_a_kit_left_on_the_machine_opens_everything(vault: Vault) -> None:
    away = vault.kit.parent.parent / f"{vault.kit.parent.name}-safe"
    away.rename(vault.kit)
    try:
        done = vault.run("breach", "radius", "--stolen", "disk", "--at", now(), code=1, lang="fr")
    finally:
        vault.kit.rename(away)
    assert "Un voleur lit tout : le kit est ici." in done.out.replace("\u00a0", " ")
    assert "inintelligibles" in done.out


def test_the_same_through_a_running_server(vault: Vault) -> None:
    start = now()
    alone = vault.json("breach", "radius", "--stolen", "disk", "--at", start)
    with serving(vault) as server:
        asked = vault.json("breach", "radius", "--stolen", "disk", "--at", start)
        assert asked["patients"] == alone["patients"]
        assert asked["categories"] == alone["categories"]
        assert patients(vault.json("breach", "radius", "--server", "--from", start)) == [0, 0, 1]
        vault.json("search", "LEFEVRE", "--as", "docteur")
        said = vault.json("breach", "radius", "--server", "--from", start, code=1)
        assert patients(said) == [1, 0, 0]
        said = vault.json("breach", "radius", "--account", "docteur", "--from", start, code=1)
        assert patients(said) == [1, 0, 0]
        assert said["vectors"][0]["login"] == "docteur"
        refused = vault.json(
            "breach", "radius", "--listener", server.dicom, "--from", start, code=8
        )
        assert refused["error"]["kind"] == "not-found"
        # Said in the reader's language, with the last word in the journal.
        text = vault.run("journal", "list", "--last", "1", lang="fr").out
        assert "a calculé ce qu’une violation a atteint" in text


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        (("--stolen", "disk"), 2),
        (("--stolen", "disk", "--at", "tomorrow"), 2),
        (("--stolen", "disk", "--at", "2999-01-01T00:00"), 2),
        (("--stolen", "disk", "--at", "2001-01-01T00:00"), 2),
        (("--account", "nobody", "--from", "2026-01-01"), 8),
    ],
)
def test_bad_questions(vault: Vault, words: tuple[str, ...], code: int) -> None:
    said = vault.json("breach", "radius", *words, code=code)
    assert said["error"]["message"] and said["error"]["hint"]


def test_a_time_without_zone_is_this_machines(vault: Vault, tmp_path: Path) -> None:
    local = datetime.now().isoformat(timespec="seconds")
    said = vault.json("breach", "radius", "--stolen", "disk", "--at", local)
    assert datetime.fromisoformat(said["vectors"][0]["at"]).tzinfo is not None
    assert abs(datetime.fromisoformat(said["vectors"][0]["at"]) - datetime.now(UTC)).seconds < 60
