"""The contract for scripts: every command of docs/cli.md, its JSON and its exit code."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.e2e.serving import PASSWORD, Vault, new_vault, serving
from tests.practices import patient, report, study


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return new_vault(tmp_path_factory.mktemp("contract"))


def _write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_init_says_where_everything_is(tmp_path: Path) -> None:
    vault = new_vault(tmp_path, people=False)
    names = sorted(path.name for path in vault.kit.iterdir())
    assert names == [f"serment-share-{n}-of-3{s}" for n in (1, 2, 3) for s in (".pdf", ".txt")]
    modes = {path.stat().st_mode & 0o077 for path in vault.root.rglob("*")}
    assert modes == {0}
    again = vault.json("init", vault.root, "--practice", "x", "--kit", tmp_path / "k2", code=9)
    assert again["error"]["kind"] == "conflict"


def test_a_kit_inside_the_vault_is_refused(vault: Vault, tmp_path: Path) -> None:
    root = tmp_path / "v"
    answer = vault.json("init", root, "--practice", "x", "--kit", root / "kit", code=2)
    assert "inside the vault" in answer["error"]["message"]
    assert not root.exists()


def test_the_kit_of_another_vault_is_never_overwritten(tmp_path: Path) -> None:
    kit = tmp_path / "stick"
    kit.mkdir(mode=0o755)
    kit.chmod(0o755)
    share = _write(kit, "serment-share-2-of-3.txt", b"the only one left")
    password = _write(tmp_path, "password", PASSWORD.encode())
    vault = Vault(tmp_path / "v", kit, {"SERMENT_PASSWORD_FILE": str(password)})
    refused = vault.json("init", vault.root, "--practice", "x", "--kit", kit, code=9)
    assert refused["error"]["kind"] == "conflict"
    assert "--kit" in refused["error"]["hint"]
    assert not vault.root.exists()
    assert share.read_bytes() == b"the only one left"
    share.unlink()
    vault.json("init", vault.root, "--practice", "x", "--kit", kit)
    assert kit.stat().st_mode & 0o777 == 0o755


def test_members_wait_and_are_admitted(vault: Vault) -> None:
    added = vault.json("member", "add", "remplacant", "--role", "doctor")
    assert added["state"] == "pending"
    admitted = vault.json("member", "admit", "remplacant", "--as", "docteur")
    assert admitted["state"] == "active"
    assert admitted["words"] == added["words"]
    listed = {row["login"]: row["state"] for row in vault.json("member", "list")}
    assert listed["remplacant"] == "active"
    assert vault.json("member", "remove", "remplacant")["state"] == "removed"


def test_a_newcomer_has_his_own_password(vault: Vault, tmp_path: Path) -> None:
    own = _write(tmp_path, "own", b"Citron-Lampe-58-Falaise\n")
    vault.environment["SERMENT_NEW_PASSWORD_FILE"] = str(own)
    try:
        vault.json("member", "add", "invite", "--role", "secretary", "--by", "docteur")
    finally:
        del vault.environment["SERMENT_NEW_PASSWORD_FILE"]
    assert vault.json("search", "x", "--as", "invite", code=4)["error"]["kind"] == "access-denied"


def test_import_search_show_fetch(vault: Vault, tmp_path: Path) -> None:
    someone = study(patient(7, "GARÇON^Zoé"), 70)
    data = [report(someone, number) for number in (1, 2)]
    folder = tmp_path / "in"
    for number, one in enumerate(data):
        _write(folder, f"{number}.dcm", one)
    _write(folder, "again.dcm", data[0])
    _write(folder, "other.dcm", report(someone, 1, "Autre texte."))
    _write(folder, "readme.txt", b"not an image")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a/3.dcm", report(someone, 3))
        packed.writestr("inner.zip", b"PK\x03\x04rest")
    _write(folder, "set.zip", archive.getvalue())
    summary = vault.json("import", folder, code=1)
    assert summary["imported"] == 4
    assert (summary["duplicates"], summary["conflicts"]) == (1, 1)
    assert summary["against_vault"] is False
    reasons = {Path(row["path"]).name: row["reason"] for row in summary["refused"]}
    assert set(reasons) == {"readme.txt", "set.zip!inner.zip"}
    (found,) = vault.json("search", "garcon*", "--as", "docteur")
    assert found["PatientName"] == "GARÇON^Zoé"
    assert found["StudyInstanceUID"] == someone.uid
    assert vault.json("search", "-", "--as", "docteur", text="id:FICTIF0007\n") == [found]
    series = vault.json("search", f"study:{someone.uid}", "--level", "series", "--as", "docteur")
    assert [row["NumberOfSeriesRelatedInstances"] for row in series] == [4]
    rows = vault.json("search", someone.uid, "--level", "instance", "--as", "docteur")
    assert len(rows) == 4
    for limit, told in ((3, True), (4, False)):
        words = ("search", someone.uid, "--level", "instance", "--limit", str(limit))
        cut = vault.run(*words, "--as", "docteur", "--json")
        assert cut.json == rows[:limit]
        assert ("There are more than 3: narrow the search, or use --limit N" in cut.err) is told
    uid = rows[1]["SOPInstanceUID"]
    assert vault.json("show", uid, "--as", "docteur")["SOPInstanceUID"] == uid
    target = tmp_path / "out.dcm"
    vault.run("fetch", uid, "-o", target, "--as", "docteur")
    assert target.read_bytes() in data
    assert vault.json("fetch", uid, "-o", target, "--as", "docteur", code=9)
    again = vault.json("import", folder / "0.dcm", "--as", "docteur")
    of = [row for row in vault.json("journal", "list") if row["kind"] == "reception-closed"][-1]
    assert of["values"]["actor"] == "docteur"
    assert (of["details"]["peer"], of["details"]["local"]) == ("local", "local")
    with_another = {**vault.environment, "SERMENT_PASSWORD_FILE": str(folder / "readme.txt")}
    stranger = replace(vault, environment=with_another)
    before = len(vault.json("journal", "list", "--last", "10000"))
    assert stranger.run("import", folder / "0.dcm", "--as", "docteur", code=None).code == 4
    after = vault.json("journal", "list", "--last", "10000")[before:]
    assert "reception-opened" not in {row["kind"] for row in after}
    assert again == {
        "imported": 0,
        "duplicates": 1,
        "conflicts": 0,
        "against_vault": True,
        "refused": [],
    }


def test_a_pdf_goes_to_its_patient(vault: Vault, tmp_path: Path) -> None:
    _write(tmp_path, "one.dcm", report(study(patient(8, "PETIT^Luc"), 80)))
    vault.json("import", tmp_path / "one.dcm", "--as", "docteur")
    (found,) = vault.json("search", "petit*", "--as", "docteur")
    letter = _write(tmp_path, "lettre.pdf", b"%PDF-1.7 imaginaire")
    refused = vault.json("import", letter, code=1)["refused"]
    assert "--patient" in refused[0]["reason"]
    assert vault.json("import", letter, "--patient", found["Patient"])["imported"] == 1
    shown = vault.json("show", found["Patient"], "--as", "docteur")
    assert shown["PatientName"] == "PETIT^Luc"
    assert len(shown["Studies"]) == 2


def test_the_secretary_searches_studies_and_nothing_below(vault: Vault) -> None:
    vault.json("search", "", "--as", "secretaire")
    for level in ("series", "instance"):
        answer = vault.json("search", "", "--level", level, "--as", "secretaire", code=4)
        assert answer["error"]["kind"] == "access-denied"


def test_filing_by_hand(vault: Vault, tmp_path: Path) -> None:
    one = study(patient(9, "MOREAU^Ève", "19610102"), 90)
    two = study(patient(9, "MOREAU^Ève", "19610103"), 91)
    for number, of in enumerate((one, two)):
        vault.json("import", _write(tmp_path, f"{number}.dcm", report(of)), "--as", "docteur")
    (waiting,) = [
        row
        for row in vault.json("waiting", "--as", "secretaire")
        if row["PatientName"] == "MOREAU^Ève"
    ]
    (candidate,) = waiting["candidates"]
    assert candidate["differs"] == ["birth_date"]
    filed = vault.json(
        "file", waiting["envelope"], "--patient", candidate["patient"], "--as", "secretaire"
    )
    assert filed["patient"] == candidate["patient"]
    vault.json("unfile", waiting["envelope"], "--as", "secretaire")
    assert vault.json("file", waiting["envelope"], "--as", "secretaire")["patient"]


def test_serve_unlock_status_lock(vault: Vault) -> None:
    token = vault.json("device", "add", "CT", "--ae", "CT1", "--address", "127.0.0.1")["token"]
    assert len(token) >= 40
    assert vault.json("status")["receiving"] is False
    with serving(vault) as server:
        assert Path(server.authority).is_file()
        status = vault.json("status")
        assert status["locked"] is True
        assert status["circles"] == []
        assert status["receiving"] is True
        assert isinstance(status["unfiled"], int)
        opened = vault.json("unlock", "--as", "docteur", "--token")
        assert opened["token"]
        status = vault.json("status")
        assert (status["locked"], status["circles"]) == (False, ["care", "secretariat"])
        busy = vault.run("serve", "--web", f"127.0.0.1:{server.web_port}", code=9)
        assert "another Serment process" in busy.err
        assert vault.json("lock")["locked"] is True
        assert vault.json("status")["locked"] is True
    assert "no server runs" in vault.run("unlock", "--as", "docteur", code=10).err


def test_journal_verify_export_checkpoint(vault: Vault, tmp_path: Path) -> None:
    verdict = vault.json("journal", "verify")
    assert verdict["ok"] is True
    assert verdict["first_bad"] is None
    kept = tmp_path / "kept"
    kept.write_text(vault.json("journal", "checkpoint")["checkpoint"])
    assert vault.json("journal", "verify", "--checkpoint", kept)["ok"] is True
    lines = vault.run("journal", "export").out.splitlines()
    assert len(lines) > verdict["entries"]
    assert all(json.loads(line) for line in lines)
    exported = tmp_path / "journal.jsonl"
    vault.json("journal", "export", "-o", exported)
    before = exported.read_bytes()
    assert before.splitlines()
    vault.json("journal", "export", "-o", exported, code=9)
    assert exported.read_bytes() == before
    for lang, said in (("en", "The vault was founded"), ("fr", "Le coffre a été fondé")):
        assert said in vault.run("journal", "list", "--last", "10000", lang=lang).out


def test_recover_and_rescue_with_two_shares(vault: Vault, tmp_path: Path) -> None:
    shares = [vault.kit / f"serment-share-{n}-of-3.txt" for n in (1, 3)]
    out = tmp_path / "out"
    result = vault.json("recover", *shares, "-o", out)
    files = list(out.rglob("*.dcm")) + list(out.rglob("*.pdf"))
    assert len(files) == result["objects"] > 0
    assert vault.json("recover", shares[0], "-o", tmp_path / "x", code=2)["error"]
    new = _write(tmp_path, "new", b"Brume-Soleil-19-Cascade")
    vault.environment["SERMENT_NEW_PASSWORD_FILE"] = str(new)
    try:
        options = [word for share in shares for word in ("--share", share)]
        assert vault.json("member", "rescue", "secretaire", *options)["login"] == "secretaire"
        vault.environment["SERMENT_PASSWORD_FILE"] = str(new)
        vault.json("search", "", "--as", "secretaire")
    finally:
        del vault.environment["SERMENT_NEW_PASSWORD_FILE"]
        vault.environment["SERMENT_PASSWORD_FILE"] = str(vault.root.parent / "password")


def test_a_member_changes_his_own_password(vault: Vault, tmp_path: Path) -> None:
    vault.json("member", "add", "partant", "--role", "secretary", "--by", "docteur")
    assert vault.json("member", "password", code=2)["error"]
    assert vault.json("member", "password", "--as", "partant", code=2)["error"]  # the same again
    new = _write(tmp_path, "new", b"Brume-Soleil-19-Cascade")
    vault.environment["SERMENT_NEW_PASSWORD_FILE"] = str(new)
    try:
        changed = vault.json("member", "password", "--as", "partant")
    finally:
        del vault.environment["SERMENT_NEW_PASSWORD_FILE"]
    assert changed == {"login": "partant"}
    vault.json("search", "", "--as", "partant", code=4)
    vault.environment["SERMENT_PASSWORD_FILE"] = str(new)
    try:
        vault.json("search", "", "--as", "partant")
    finally:
        vault.environment["SERMENT_PASSWORD_FILE"] = str(vault.root.parent / "password")


def test_doctor_warns_of_the_kit_and_finds_damage(vault: Vault) -> None:
    report_ = vault.json("doctor", code=1)
    assert any("the kit is here" in f["message"] for f in report_["findings"])
    pack = next((vault.root / "packs").rglob("*.pack"))
    data = bytearray(pack.read_bytes())
    data[500] ^= 1
    pack.write_bytes(data)
    damaged = vault.json("doctor", code=1)
    assert any(
        "changed or damaged" in f["message"] or "torn" in f["message"] for f in damaged["findings"]
    )
    data[500] ^= 1
    pack.write_bytes(data)


def test_keys_are_restored_only_for_a_lost_database_and_that_is_journalled(
    tmp_path: Path,
) -> None:
    vault = new_vault(tmp_path, people=False)
    vault.json("member", "add", "docteur", "--role", "doctor")
    refused = vault.json("doctor", "--restore-keys", code=9)["error"]
    assert "sound" in refused["message"]
    assert [row["login"] for row in vault.json("member", "list")] == ["admin", "docteur"]
    (vault.root / "vault.sqlite3").write_bytes(b"damaged " * 1000)
    assert vault.json("doctor", "--restore-keys", code=1)["repairs"]
    last = vault.json("journal", "list", "--last", "3")
    (said,) = (row for row in last if "second copy" in str(row["values"]))
    assert said["message"].startswith("The vault was repaired")
    assert vault.json("journal", "verify")["ok"] is True


LABELS = {
    "fr": ("serment: erreur\u00a0: ", "serment: conseil\u00a0: "),
    "en": ("serment: error: ", "serment: hint: "),
}  # the sentences themselves: test_messages.py


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_mistakes_get_a_sentence_and_a_next_step(vault: Vault, lang: str, tmp_path: Path) -> None:
    wrong = _write(tmp_path, "wrong", b"Wrong-Password-12-Wrong")
    cases = {
        ("search", "x", "--as", "nobody"): 4,
        ("status", "--vault", str(tmp_path / "nowhere")): 8,
        ("member", "add", "x1", "--role", "king"): 2,
        ("device", "add", "X", "--ae", "A" * 17, "--address", "127.0.0.1"): 2,
        ("device", "add", "X", "--ae", "A", "--address", "elsewhere"): 2,
        ("device", "remove", "nothing"): 8,
        ("serve", "--web", "nowhere"): 2,
        ("fetch", "1.2.3", "-o", str(tmp_path / "f"), "--as", "docteur"): 8,
        ("nonsense",): 2,
        ("import", str(tmp_path / "absent")): 1,
    }
    for words, code in cases.items():
        done = vault.run(*words, code=code, lang=lang)
        if code != 1:
            error, hint = done.err.splitlines()
            assert error.startswith(LABELS[lang][0]), done
            assert hint.startswith(LABELS[lang][1]), done
    before = vault.environment["SERMENT_PASSWORD_FILE"]
    vault.environment["SERMENT_PASSWORD_FILE"] = str(wrong)
    try:
        done = vault.run("member", "add", "x2", "--role", "dpo", code=4, lang=lang)
    finally:
        vault.environment["SERMENT_PASSWORD_FILE"] = before
    assert PASSWORD not in done.err + done.out


def test_a_port_in_use_is_said(vault: Vault) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = vault.run("serve", "--dicom", f"127.0.0.1:{port}", "--web", "127.0.0.1:0", code=10)
    assert "cannot listen" in done.err
    assert "--dicom" in done.err


def test_nothing_listens_beyond_this_machine_yet(vault: Vault) -> None:
    done = vault.run("serve", "--web", "0.0.0.0:0", "--dicom", "127.0.0.1:0", code=10)
    assert "second factor" in done.err


def test_a_newer_vault_is_refused(vault: Vault) -> None:
    path = vault.root / "serment.toml"
    text = path.read_text()
    path.write_text(text.replace("format = 1", "format = 2"))
    try:
        done = vault.run("status", code=7)
    finally:
        path.write_text(text)
    assert "newer Serment" in done.err
