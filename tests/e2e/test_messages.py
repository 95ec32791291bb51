"""What people read when something does not work: the whole sentence and the next step, in both
languages, from the command line and, where devices are concerned, from DICOM and the journal."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pynetdicom import AE
from pynetdicom.association import Association
from tests.e2e.oath.small_disk import run_in_a_namespace, small_disk
from tests.e2e.serving import Done, Vault, new_vault, serving
from tests.practices import patient, report, study

from serment.core.records.pack import parse_record

NB = "\u00a0"
NARROW = "\u202f"

# case: exit code, and in each language the message and the hint
SAID = {
    "wrong password": (
        4,
        "the login or the password is not right",
        "check both; after three failures the account waits a minute",
        "l’identifiant ou le mot de passe n’est pas le bon",
        f"vérifiez les deux{NARROW}; après trois échecs, le compte attend une minute",
    ),
    "locked": (
        10,
        "no server runs for this vault: the practice is locked",
        "start it with `serment serve`",
        f"aucun serveur ne tourne pour ce coffre{NB}: le cabinet est verrouillé",
        "démarrez-le avec `serment serve`",
    ),
    "no key": (
        4,
        "no key of yours opens this",
        "only the care circle that received it can open it",
        "aucune de vos clés n’ouvre cet élément",
        "seul le cercle de soin qui l’a reçu peut l’ouvrir",
    ),
    "no doctor yet": (
        4,
        "no doctor yet: nobody could open what arrives",
        "add the first doctor: `serment member add LOGIN --role doctor`",
        f"pas encore de médecin{NB}: personne ne pourrait ouvrir ce qui arrive",
        f"ajoutez le premier médecin{NB}: `serment member add LOGIN --role doctor`",
    ),
    "full disk": (
        12,
        "the disk that holds the vault is full",
        "free some space; what was acknowledged is safe, receiving resumes by itself",
        "le disque qui contient le coffre est plein",
        f"libérez de la place{NARROW}; ce qui a été acquitté est sauf, "
        "la réception reprend d’elle-même",
    ),
    "damaged pack": (
        6,
        "the object {object} is not the one that was sealed",
        "it was changed or damaged: restore it from a backup",
        "l’objet {object} n’est pas celui qui a été scellé",
        f"il a été changé ou abîmé{NB}: restaurez-le d’une sauvegarde",
    ),
    "DICOM port in use": (
        10,
        "cannot listen for DICOM on 127.0.0.1:{port}",
        "another program may use this port; choose one with --dicom HOST:PORT",
        "impossible d’écouter en DICOM sur 127.0.0.1:{port}",
        f"un autre programme utilise peut-être ce port{NARROW}; "
        "choisissez-en un avec --dicom HOST:PORT",
    ),
    "web port in use": (
        10,
        "cannot listen for the pages on 127.0.0.1:{port}",
        "another program may use this port; choose one with --web HOST:PORT",
        "impossible de servir les pages sur 127.0.0.1:{port}",
        f"un autre programme utilise peut-être ce port{NARROW}; "
        "choisissez-en un avec --web HOST:PORT",
    ),
    "newer format": (
        7,
        "this vault has format 2, this program knows up to 1",
        "install the newer Serment that wrote it; nothing was changed",
        "ce coffre a le format 2, ce programme connaît jusqu’au 1",
        f"installez le Serment plus récent qui l’a écrit{NARROW}; rien n’a été changé",
    ),
}
LANGUAGES = ("en", "fr")
DISK = 40 * 1024 * 1024  # bytes of the one that fills up


def check(case: str, vault: Vault, *words: str | Path, **values: object) -> None:
    """Both languages, word for word."""
    code, message, hint, french, conseil = SAID[case]
    told = {
        "en": f"serment: error: {message}\nserment: hint: {hint}\n",
        "fr": f"serment: erreur{NB}: {french}\nserment: conseil{NB}: {conseil}\n",
    }
    for lang in LANGUAGES:
        done = vault.run(*words, code=code, lang=lang)
        assert done.err == told[lang].format(**values), case
        assert done.out == ""


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """With everybody, and one report."""
    folder = tmp_path_factory.mktemp("messages")
    vault = new_vault(folder)
    vault.json("import", _file(folder))
    return vault


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Without a doctor."""
    return new_vault(tmp_path_factory.mktemp("empty"), people=False)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """One that somebody else listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def _file(folder: Path, number: int = 1) -> Path:
    path = folder / f"{number}.dcm"
    path.write_bytes(report(study(patient(number), number)))
    return path


def test_a_wrong_password(vault: Vault, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("Wrong-Password-12-Wrong")
    other = Vault(vault.root, vault.kit, {**vault.environment, "SERMENT_PASSWORD_FILE": str(wrong)})
    check("wrong password", other, "search", "x", "--as", "docteur")
    check("wrong password", other, "search", "x", "--as", "nobody")


def test_a_locked_practice(vault: Vault) -> None:
    check("locked", vault, "unlock", "--as", "docteur")


def test_no_key(vault: Vault) -> None:
    for level in ("series", "instance"):
        check("no key", vault, "search", "", "--level", level, "--as", "secretaire")


def test_no_doctor_yet(empty: Vault, tmp_path: Path) -> None:
    check("no doctor yet", empty, "import", _file(tmp_path))


def test_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", DISK) as disk:
        vault = new_vault(disk.folder)
        file = _file(tmp_path)
        disk.fill(0)
        check("full disk", vault, "import", file)
        check("full disk", vault, "search", "", "--as", "docteur")


def test_a_full_disk_where_only_a_namespace_may_mount(tmp_path: Path) -> None:
    run_in_a_namespace(f"{__file__}::test_a_full_disk", tmp_path)


def test_a_damaged_pack(vault: Vault, tmp_path: Path) -> None:
    (row,) = vault.json("search", "", "--level", "instance", "--as", "docteur")
    pack = next((vault.root / "packs").rglob("*.pack"))
    sound = pack.read_bytes()
    data = bytearray(sound)
    record = parse_record(lambda at, size: sound[at : at + size], 0, len(sound))
    data[record.age_offset + record.age_size // 2] ^= 1
    pack.write_bytes(data)
    try:
        words = ("fetch", row["SOPInstanceUID"], "-o", tmp_path / "out", "--as", "docteur")
        check("damaged pack", vault, *words, object=row["Object"])
    finally:
        pack.write_bytes(sound)
    assert not list(tmp_path.iterdir())


def test_a_port_in_use(empty: Vault, port: int) -> None:
    free, taken = "127.0.0.1:0", f"127.0.0.1:{port}"
    check("DICOM port in use", empty, "serve", "--dicom", taken, "--web", free, port=port)
    check("web port in use", empty, "serve", "--dicom", free, "--web", taken, port=port)


def test_a_vault_of_a_newer_format(empty: Vault) -> None:
    path = empty.root / "serment.toml"
    text = path.read_text()
    path.write_text(text.replace("format = 1", "format = 2"))
    try:
        check("newer format", empty, "status")
    finally:
        path.write_text(text)


def _associate(port: str, calling: str, path: Path) -> tuple[Association, Any]:
    data = dcmread(path)
    ae = AE(calling)
    ae.add_requested_context(data.SOPClassUID, data.file_meta.TransferSyntaxUID)
    return ae.associate("127.0.0.1", int(port), ae_title="SERMENT"), data


def test_what_devices_and_the_journal_are_told(empty: Vault, tmp_path: Path) -> None:
    """An unknown device is named in the journal with the reason; a device that comes before any
    doctor is told so in the answer to each image."""
    file = _file(tmp_path)
    empty.json("device", "add", "CT", "--ae", "CT1", "--address", "127.0.0.1")
    with serving(empty) as server:
        unknown, _ = _associate(server.dicom_port, "UNKNOWN", file)
        assert unknown.is_rejected
        known, data = _associate(server.dicom_port, "CT1", file)
        status = known.send_c_store(data)
        known.release()
    assert (status.Status, status.ErrorComment) == (0x0124, SAID["no doctor yet"][1])
    told = {
        "en": "UNKNOWN was refused: no device has this calling AE title",
        "fr": f"UNKNOWN a essuyé un refus{NB}: aucun appareil n’a cet AE title appelant",
    }
    for lang in LANGUAGES:
        lines: Done = empty.run("journal", "list", "--last", "8", lang=lang)
        assert [line for line in lines.out.splitlines() if line.endswith(told[lang])]
