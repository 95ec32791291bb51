"""Every page, every DICOMweb address and every command that reads, tried by the secretary on a
running server in which a doctor is signed in: none gives her a clinical value.

The same visits made by the doctor show all of them. A route without a decision here fails.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from starlette.routing import BaseRoute, Mount, Route
from tests.e2e.oath.client import BASE, Client
from tests.e2e.oath.exhibits import LETTER, Exhibits
from tests.e2e.oath.premises import Premises, ask
from tests.e2e.serving import Server, serving

from serment.bootstrap.world import RealWorld
from serment.core.records.vault import Envelope, Member, Patient, StoredObject
from serment.entrypoints.cli.app import build, main
from serment.entrypoints.dicomweb.app import dicomweb_routes
from serment.entrypoints.web.app import create_app

UPLOAD = b"%PDF-1.7\nun papier administratif\n%%EOF"
CARE_ONLY = 403


@dataclass(frozen=True)
class Visit:
    """One request and the statuses she and the doctor get (his None: he does not make it)."""

    path: str
    hers: int
    his: int | None = 200
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    accept: str = "*/*"


@dataclass
class Open:
    """A running server with everything of `Exhibits`, and both of them signed in."""

    premises: Premises
    exhibits: Exhibits
    server: Server
    patient: str
    envelopes: list[str]
    objects: dict[str, str]  # "image", "report", "document"
    document_uid: str
    members: dict[str, str]
    doctor: Client
    secretary: Client


@pytest.fixture(scope="module")
def opened(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    premises, exhibits = founded.copy(tmp_path_factory.mktemp("web")), Exhibits()
    image, report = premises.receive([exhibits.image, exhibits.report])
    with premises.desk() as desk:
        ask(desk, "search", "docteur", query="")
        (patient,) = (row.id for row in desk.house.store.find(Patient))
    (document,) = premises.receive([], pdf=(LETTER, patient))
    with premises.desk() as desk:
        ask(desk, "search", "docteur", query="")
        envelopes = [row.id for row in desk.house.store.find(Envelope)]
        members = {row.login: row.id for row in desk.house.store.find(Member)}
        assert desk.house.store.count(StoredObject) == 3
    objects = {
        "image": image.object_id,
        "report": report.object_id,
        "document": document.object_id,
    }
    with serving(premises.vault) as server:
        doctor, secretary = (
            Client(server, premises.vault.json("unlock", "--as", login, "--token")["token"])
            for login in ("docteur", "secretaire")
        )
        doctor.sign_in("docteur")
        secretary.sign_in("secretaire")
        uid = document.sop_instance
        yield Open(
            premises,
            exhibits,
            server,
            patient,
            envelopes,
            objects,
            uid,
            members,
            doctor,
            secretary,
        )


# The routes


def routes(found: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(method, path) of every route, those of what is mounted included."""
    for route in found:
        if isinstance(route, Mount):
            yield from routes(list(route.routes), prefix + route.path)
        else:
            assert isinstance(route, Route)
            for method in (route.methods or set()) - {"HEAD"}:
                yield method, prefix + route.path


def a_moment_ago() -> str:
    """As a page and a command take it: this machine's time, without a zone."""
    return (datetime.now() - timedelta(seconds=1)).isoformat(timespec="seconds")


def pages(vault: Open) -> dict[tuple[str, str], list[Visit]]:
    """What she is to get of each page."""
    each_object = list(vault.objects.values())
    strangers = [vault.patient, *vault.envelopes, "0" * 32]
    name = vault.exhibits.exam.patient.name.partition("^")[0]
    surgeon = vault.members["chirurgien"]
    return {
        ("GET", "/login"): [Visit("/login", 200)],
        ("POST", "/login"): [Visit("/login", 403, None, {"login": "personne", "password": "x"})],
        ("GET", "/pulse"): [Visit("/pulse", 200)],
        ("POST", "/active"): [Visit("/active", 204, 204)],
        ("POST", "/language"): [Visit("/language", 303, 303, {"language": "fr", "next": "/"})],
        ("GET", "/"): [Visit("/", 200)],
        ("GET", "/studies"): [Visit("/studies", 200)],
        ("POST", "/studies"): [Visit("/studies", 200, 200, {"name": name})],
        ("GET", "/studies/{study}"): [
            *(Visit(f"/studies/{each}", 200) for each in vault.envelopes),
            *(Visit(f"/studies/{each}", CARE_ONLY, 403) for each in each_object),
        ],
        ("GET", "/thumbnails/{object}"): [
            Visit(f"/thumbnails/{vault.objects['image']}", CARE_ONLY),
            *(Visit(f"/thumbnails/{each}", CARE_ONLY, 403) for each in strangers),
        ],
        ("GET", "/frames/{object}/{frame}"): [
            Visit(f"/frames/{vault.objects['image']}/1", CARE_ONLY),
            Visit(f"/frames/{vault.objects['image']}/1?c=40&w=400&s=64", CARE_ONLY),
            *(Visit(f"/frames/{each}/1", CARE_ONLY, 403) for each in strangers),
        ],
        ("GET", "/reports/{object}"): [
            Visit(f"/reports/{vault.objects['report']}", CARE_ONLY),
            *(Visit(f"/reports/{each}", CARE_ONLY, 403) for each in strangers),
        ],
        ("GET", "/documents/{object}"): [
            Visit(f"/documents/{vault.objects['document']}", CARE_ONLY),
            *(Visit(f"/documents/{each}", CARE_ONLY, 403) for each in strangers),
        ],
        ("GET", "/patients"): [Visit("/patients", 200)],
        ("POST", "/patients"): [Visit("/patients", 200, 200, {"text": name})],
        ("GET", "/patients/{patient}"): [Visit(f"/patients/{vault.patient}", 200)],
        ("POST", "/patients/{patient}/documents"): [
            Visit(f"/patients/{vault.patient}/documents", 201, None, body=UPLOAD)
        ],
        ("GET", "/to-file"): [Visit("/to-file", 200)],
        ("POST", "/to-file/{envelope}/undo"): [
            Visit(f"/to-file/{vault.envelopes[0]}/undo", 303, None)
        ],
        ("POST", "/to-file/{envelope}"): [
            Visit(f"/to-file/{vault.envelopes[0]}", 303, None, {"patient": vault.patient})
        ],
        ("GET", "/journal"): [Visit("/journal", 200)],
        ("POST", "/journal"): [
            Visit("/journal", 200, 200, {"patient": vault.patient}),
            Visit("/journal", 200, 200, {"member": vault.members["docteur"]}),
        ],
        ("POST", "/journal/verify"): [Visit("/journal/verify", 200)],
        ("GET", "/journal/checkpoint"): [Visit("/journal/checkpoint", 200)],
        # Whom a breach reached is for the doctor, the DPO and the administrator to ask.
        ("GET", "/breach"): [Visit("/breach", 403)],
        ("POST", "/breach"): [
            Visit("/breach", 403, 200, {"what": "backup", "from": a_moment_ago()})
        ],
        # Audits are the administrator's, and the DPO reads them.
        ("GET", "/exposure"): [Visit("/exposure", 403, 403)],
        ("GET", "/exposure/progress"): [Visit("/exposure/progress", 403, 403)],
        ("GET", "/exposure/report/{kind}"): [Visit("/exposure/report/json", 403, 403)],
        **{
            ("POST", f"/exposure/{act}"): [Visit(f"/exposure/{act}", 403, 403, {"on": "1"})]
            for act in ("audit", "recheck", "accept", "weekly", "host")
        },
        ("GET", "/members"): [Visit("/members", 200)],
        ("POST", "/members"): [
            Visit(
                "/members",
                403,
                None,
                {"login": "x", "password": "Azur-71-Marge-Tri", "again": "Azur-71-Marge-Tri"}
                | {"role": "doctor"},
            )
        ],
        ("POST", "/members/{member}/admit"): [
            Visit(f"/members/{surgeon}/admit", 409, None, {"compared": "1"})  # he is admitted
        ],
        ("POST", "/members/{member}/remove"): [Visit(f"/members/{surgeon}/remove", 403, None)],
        ("POST", "/devices"): [
            Visit("/devices", 403, None, {"name": "x", "ae_title": "X", "address": "127.0.0.1"})
        ],
        ("POST", "/devices/{device}/remove"): [Visit(f"/devices/{surgeon}/remove", 403, None)],
        ("GET", "/settings"): [Visit("/settings", 200)],
        ("GET", "/opening"): [Visit("/opening", 303, 303)],  # nothing is being opened
        ("GET", "/opening/progress"): [Visit("/opening/progress", 401, 401)],
        ("GET", "/authority.crt"): [Visit("/authority.crt", 200)],
        ("POST", "/settings/second-factor"): [Visit("/settings/second-factor", 200, None)],
        ("POST", "/settings/second-factor/confirm"): [
            Visit("/settings/second-factor/confirm", 403, None, {"code": "000000"})
        ],
        ("POST", "/settings/kit"): [Visit("/settings/kit", 403, None)],
        ("GET", "/static/{digest}/{path:path}"): [Visit("/static/0/nothing.js", 404, 404)],
        ("POST", "/lock"): [],  # tried last: they end the sessions
        ("POST", "/lock-all"): [],
    }


def dicomweb(vault: Open) -> dict[tuple[str, str], list[Visit]]:
    """What she is to get of each DICOMweb address: studies, as a list, and nothing below."""
    uids = vault.exhibits.uids
    s = f"{BASE}/studies/{vault.exhibits.exam.uid}"
    r = f"{s}/series/{uids['series']}"
    i = f"{r}/instances/{uids['instance']}"
    text = f"{s}/series/" + uids["report's series"]
    below = {
        f"{BASE}/series": [f"{BASE}/series", f"{BASE}/series?includefield=all"],
        f"{BASE}/instances": [
            f"{BASE}/instances?includefield=all",
            f"{BASE}/instances?SOPInstanceUID={vault.document_uid}",
        ],
        f"{S}/series": [f"{s}/series"],
        f"{S}/instances": [f"{s}/instances"],
        f"{R}/instances": [f"{r}/instances?includefield=all"],
        f"{S}/metadata": [f"{s}/metadata"],
        f"{R}/metadata": [f"{r}/metadata"],
        f"{I}/metadata": [f"{i}/metadata"],
        f"{S}/rendered": [f"{s}/rendered"],
        f"{R}/rendered": [f"{r}/rendered"],
        f"{I}/rendered": [f"{i}/rendered"],
        f"{S}/thumbnail": [f"{s}/thumbnail"],
        f"{R}/thumbnail": [f"{r}/thumbnail"],
        f"{I}/thumbnail": [f"{i}/thumbnail"],
        f"{I}/frames/{{frames}}/rendered": [f"{i}/frames/1/rendered"],
        f"{I}/frames/{{frames}}/thumbnail": [f"{i}/frames/1/thumbnail"],
        f"{I}/frames/{{frames}}": [f"{i}/frames/1"],
        f"{I}/bulkdata/{{path:path}}": [f"{i}/bulkdata/7FE00010"],
        S: [s],
        R: [r, text],
        I: [i],
    }
    found = {
        ("GET", route): [Visit(path, CARE_ONLY) for path in paths] for route, paths in below.items()
    }
    search = f"{BASE}/studies"
    found["GET", search] = [
        Visit(search, 200),
        Visit(f"{search}?includefield=all&StudyInstanceUID={vault.exhibits.exam.uid}", 200),
    ]
    found["POST", search] = [Visit(search, 401, 401)]  # a device's token is needed, and only sends
    found["POST", S] = [Visit(s, 401, 401)]
    return found


S = f"{BASE}/studies/{{study}}"
R = S + "/series/{series}"
I = R + "/instances/{instance}"  # noqa: E741 - study, series, instance as in PS3.18


def visits(vault: Open) -> dict[tuple[str, str], list[Visit]]:
    return {**pages(vault), **dicomweb(vault)}


def made(client: Client, method: str, visit: Visit) -> tuple[int, bytes]:
    """The status and everything that came back."""
    if visit.body:
        headers = {"Content-Type": "application/pdf", "X-Serment-Title": "Papier"}
        answer = client.send(method, visit.path, visit.body, headers)
    elif method == "POST" and not visit.path.startswith(BASE):
        answer = client.post(visit.path, visit.fields)
    else:
        answer = client.get(visit.path, method, Accept=visit.accept)
    return answer.status, answer.everything


def test_every_route_has_a_decision(opened: Open) -> None:
    nowhere = SimpleNamespace(practice=SimpleNamespace(on_close=[]))
    app = create_app(None, ["127.0.0.1"], dicomweb_routes(nowhere, None, None))
    assert set(visits(opened)) == set(routes(list(app.routes)))


def test_the_doctor_sees_every_clinical_value(opened: Open) -> None:
    answers = []
    for (method, _), each in visits(opened).items():
        for visit in each:
            if visit.his is not None:
                status, answer = made(opened.doctor, method, visit)
                assert status == visit.his, (method, visit.path)
                answers.append(answer)
    assert opened.exhibits.seen(*answers) == opened.exhibits.clinical


def test_the_secretary_sees_none_though_a_doctor_is_signed_in(opened: Open) -> None:
    answers = []
    for (method, _), each in visits(opened).items():
        for visit in each:
            for verb in (method, *(["HEAD"] if method == "GET" else [])):
                status, answer = made(opened.secretary, verb, visit)
                assert status == visit.hers, (verb, visit.path, answer[:2000])
                answers.append(answer)
    name = opened.exhibits.exam.patient.name.partition("^")[0].encode()
    assert name in b"".join(answers)  # identities are hers to see
    assert opened.exhibits.seen(*answers) == set()


@pytest.mark.parametrize("login", ["admin", "dpo", "chirurgien"])
def test_neither_do_the_others_without_a_key_of_that_circle(opened: Open, login: str) -> None:
    """The administrator, the DPO, and the doctor of another circle read every page and address,
    and search; the administrator, who has no key of the secretariat, learns no name either."""
    who = Client(opened.server).sign_in(login)
    who.token = opened.premises.vault.json("unlock", "--as", login, "--token")["token"]
    answers = []
    for (method, route), each in visits(opened).items():
        if method == "GET" or route == "/studies":
            found = [made(who, method, visit) for visit in each]
            assert max(status for status, _ in found) < 500, route
            answers += [answer for _, answer in found]
    assert opened.exhibits.seen(*answers) == set()
    name = opened.exhibits.exam.patient.name.partition("^")[0].encode()
    assert (name in b"".join(answers)) == (login != "admin")


def test_whoever_is_not_signed_in_gets_nothing_at_all(opened: Open) -> None:
    """No cookie, no token; then a device's token, which only sends, and the wrong kind of each."""
    nobody, device = Client(opened.server), Client(opened.server, opened.premises.token)
    stolen = Client(opened.server, opened.premises.token, f"__Host-serment={'0' * 43}")
    answers = []
    for (method, route), each in visits(opened).items():
        open_to_all = route in ("/login", "/language", "/authority.crt") or route.startswith(
            "/static"
        )
        for client in (nobody, device, stolen):
            for visit in each[:1]:
                if method == "POST" and route.startswith(BASE) and client is not nobody:
                    continue  # a device's token sends
                status, answer = made(client, method, visit)
                assert open_to_all or status in (303, 401, 403), (method, route, status)
                answers.append(answer)
    assert opened.exhibits.seen(*answers) == set()
    name = opened.exhibits.exam.patient.name.encode()
    assert name not in b"".join(answers)


# The command line


def leaves(command: typer.core.TyperGroup, before: str = "") -> Iterator[str]:
    """The name of every command."""
    for name, child in getattr(command, "commands", {}).items():
        if getattr(child, "commands", None):
            yield from leaves(child, f"{before}{name} ")
        else:
            yield before + name


def commands(vault: Open, folder: Path) -> dict[str, list[tuple[list[str], int]] | str]:
    """What she types and the exit code she gets (4 = no key, no right); or why not to try."""
    uids, study_uid = vault.exhibits.uids, vault.exhibits.exam.uid
    hers, below = ["--as", "secretaire"], ("series", "instance")
    instances = [uids["instance"], uids["report's instance"], vault.document_uid]
    share = str(vault.premises.vault.kit / "serment-share-1-of-3.txt")
    known, out = folder / "known.dcm", str(folder / "out")
    known.write_bytes(vault.exhibits.report)
    return {
        "init": "makes another vault",
        "serve": "a server runs already",
        "demo": "has a vault of its own",
        "status": [([], 0)],
        "unlock": [([*hers, "--token"], 0)],
        "import": [([str(known), *hers], 0)],
        "recover": [([share, share, "-o", out], 9)],
        "doctor": [([], 1)],
        "search": [
            (["", *hers], 0),
            *((["", "--level", level, *hers], 4) for level in below),
            *(([study_uid, "--level", level, *hers], 4) for level in below),
        ],
        "show": [
            ([study_uid, *hers], 0),
            ([vault.patient, *hers], 0),
            *(([uid, *hers], 4) for uid in (*instances, uids["series"])),
        ],
        "fetch": [
            ([uid, "-o", f"{out}{number}", *hers], 4) for number, uid in enumerate(instances)
        ],
        "waiting": [(hers, 0)],
        "unfile": [([vault.envelopes[0], *hers], 0)],
        "file": [([vault.envelopes[0], "--patient", vault.patient, *hers], 0)],
        "member add": [(["x", "--role", "doctor", *hers], 4)],
        "member admit": [(["docteur", *hers], 9)],
        "member list": [([], 0)],
        "member remove": [(["docteur", *hers], 4)],
        "member rescue": [(["docteur", "--share", share, "--share", share], 9)],
        "device add": [(["x", "--ae", "X", "--address", "127.0.0.1", *hers], 4)],
        "device list": [([], 0)],
        "member password": [(hers, 2)],  # her own only, and a new one is needed
        "certificate renew": [(hers, 9)],  # a server runs
        "circle list": [([], 0)],
        "circle accept": [(["care", *hers], 8)],
        "device remove": [(["Scanner", *hers], 4)],
        "journal list": [(["--last", "10000"], 0)],
        "journal verify": [([], 0)],
        "journal export": [([], 0)],
        "journal checkpoint": [([], 0)],
        "journal retention": [(["24", *hers], 4)],
        # Counts and random ids, for whoever owns the machine: no session of hers is asked for.
        "breach radius": [
            (["--stolen", "backup", "--at", a_moment_ago(), "--patients"], 1),  # cheap passwords
            (["--server", "--from", a_moment_ago(), "--patients"], 1),
        ],
        "scan host": [([], 1)],  # of this machine, whoever asks
        "scan network": [(["127.0.0.1", "--ports", "9"], 0)],
        "scan history": [([], 0)],
        "scan schedule": [([], 0)],
        "scan accept": [
            (
                ["X01", "--host", "127.0.0.1", "--why", "x", "--by", "y", "--until", "2027-01-01"],
                8,
            )
        ],
        "scan peer list": [([], 0)],
        "scan peer forget": [(["nobody"], 8)],
        "scan peer pair": "talks to another machine, and has nothing of the vault's",
        "scan peer serve": "waits for another machine, and has nothing of the vault's",
        "lock": "tried elsewhere: it would end the sessions of these tests",
    }


def typed(*words: str) -> tuple[int, bytes]:
    """The exit code, and all that was printed."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(RealWorld(), list(words))
    return code, (out.getvalue() + err.getvalue()).encode()


def test_no_command_gives_her_a_clinical_value(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in opened.premises.vault.environment.items():
        monkeypatch.setenv(name, value)
    table = commands(opened, tmp_path)
    assert set(table) == set(leaves(typer.main.get_command(build())))
    answers = []
    for command, lines in table.items():
        for words, code in lines if isinstance(lines, list) else []:
            for extra in ([], ["--json"]):
                ended, said = typed(*command.split(), *words, *extra)
                done_already = extra and (command in ("file", "unfile") or "-o" in words)
                assert ended == (9 if done_already and not code else code), (command, words, said)
                answers.append(said)
    answers += [path.read_bytes() for path in tmp_path.glob("out*") if path.is_file()]
    assert opened.exhibits.seen(*answers) == set()
    # the same commands show the doctor what is there
    his = [
        typed(*words)[1]
        for words in (
            ["search", "", "--level", "series", "--as", "docteur", "--json"],
            ["search", "", "--level", "instance", "--as", "docteur", "--json"],
            ["search", "", "--as", "docteur", "--json"],
        )
    ]
    for number, uid in enumerate(opened.exhibits.uids.values()):
        typed("fetch", uid, "-o", str(tmp_path / f"his{number}"), "--as", "docteur")
    typed("fetch", opened.document_uid, "-o", str(tmp_path / "his"), "--as", "docteur")
    his += [path.read_bytes() for path in tmp_path.glob("his*")]
    assert opened.exhibits.seen(*his) == opened.exhibits.clinical - {"picture"}


def test_after_the_lock_nobody_is_signed_in(opened: Open) -> None:
    """Last in this file: she ends her session, then the doctor ends everybody's."""
    assert opened.secretary.post("/lock").status == 303
    assert opened.secretary.get("/studies").status == 303
    assert opened.doctor.get("/studies").status == 200
    assert opened.doctor.post("/lock-all").status == 303
    assert opened.doctor.get("/studies").status == 303
    image = f"{BASE}/studies/{opened.exhibits.exam.uid}/metadata"
    assert opened.doctor.get(image).status == 401
