"""Each screen says what it must, to those it must, and changes what it is asked to."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from html import unescape

import pytest
from demo_people import PASSWORD, WORDS
from demo_records import ref, studies
from web_client import Client

from serment.app.watch.sentences import WITH_IMAGES
from serment.core.journal.entries import EventKind
from serment.entrypoints.web import facts, sentences
from serment.entrypoints.web.problems import TITLES
from serment.entrypoints.web.views import FactName, JournalLine, JournalQuery, TodoName, Who
from serment.errors import SermentError

CT, DX, _, US = studies()[:4]
SLIPPED, NAMESAKE = studies()[11], studies()[16]
DENIED = "Your keys do not open this"


def words(html: str) -> str:
    """What a person reads, without tags and with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def signed_in(login: str) -> Client:
    client = Client()
    client.sign_in(login)
    return client


# Home


def test_home_answers_what_a_thief_would_read(doctor: Client) -> None:
    said = words(doctor.get("/").text)
    assert "What would a thief of this server read now? No patient's file" in said
    assert "Whether memory is written to an unencrypted swap file not checked" in said
    assert "Recovery kit declared printed on 22 September 2026, never tried." in re.sub(
        r" at [0-9:]+", "", said
    )
    doctor.practice.kit = type(doctor.practice.kit)(None, None, 2)
    said = words(doctor.get("/").text)
    assert "A thief reads everything: the kit is here." in said
    assert "Recovery kit not declared printed, never tried." in said
    doctor.practice.kit, doctor.practice.empty = type(doctor.practice.kit)(None, None, 0), True
    assert "Nothing: the vault is empty." in words(doctor.get("/").text)


def test_who_waits_reads_his_words() -> None:
    html = signed_in("l.bertin").get("/").text
    assert "You wait to be admitted" in html
    assert re.findall(r"<li>(\w+)</li>", html) == list(WORDS)


def test_every_fact_and_every_task_has_its_sentences() -> None:
    assert set(facts.FACTS) == set(FactName)
    assert set(facts.TASKS) == set(TodoName)


# Studies


def test_the_worklist_shows_what_the_keys_open(doctor: Client) -> None:
    html = doctor.get("/studies").text
    said = words(html)
    assert "LEFÈVRE Hélène woman · 14/03/1961 · 65 years CT TDM thoracique" in said
    assert "16 images 2 series filed" in said
    assert html.count('class="thumb"') == 6 and html.count("thumb-key") == 2
    assert "Page 1 of 3" in said


def test_a_secretary_sees_the_list_but_nothing_clinical() -> None:
    said = words(signed_in("m.laurent").get("/studies").text)
    assert "LEFÈVRE Hélène" in said and "no key" in said
    assert "TDM thoracique" not in said and "16 images" not in said


def test_a_search_is_posted_and_typed(doctor: Client) -> None:
    fields = {
        "name": " lefevre ",
        "birth_date": "1961-03-14",
        "date_from": "2026-11-01",
        "modality": "CT",
        "identifier": "FIC*",
        "to_file": "1",
        "page": "2",
    }
    doctor.post("/studies", fields, hx_request="true")
    query = doctor.practice.queries[-1]
    assert (query.name, query.identifier, query.modality) == ("lefevre", "FIC*", "CT")
    assert query.birth_date.isoformat() == "1961-03-14" and query.date_to is None
    assert query.to_file and query.page == 2
    assert "lefevre" not in repr(query)


def test_a_search_answers_with_the_list_alone_to_a_script(doctor: Client) -> None:
    part = doctor.post("/studies", {"name": "lefevre"}, hx_request="true").text
    assert "<html" not in part and "3 studies" in part
    whole = doctor.post("/studies", {"name": "lefevre"}).text
    assert "<html" in whole and 'value="lefevre"' in whole
    assert "Nothing matches" in doctor.post("/studies", {"name": "zzz"}).text


@pytest.mark.parametrize("field", ["birth_date", "date_from", "date_to"])
def test_what_is_no_date_is_said(doctor: Client, field: str) -> None:
    answer = doctor.post("/studies", {field: "31/31/2026"}, hx_request="true")
    assert answer.status == 400
    assert words(answer.text) == "This is not a date. Write it as day, month and year."


# Viewer


def test_the_viewer_lists_series_and_frames(doctor: Client) -> None:
    html = doctor.get(f"/studies/{CT.ref}").text
    assert "Not for diagnosis" in html
    assert '"user": "a.perichon"' in html
    assert html.count('"frame": 1') == 16
    assert f"/reports/{CT.objects[-1].id}" in html
    assert "1.2." not in html  # no UID anywhere


def test_without_the_key_the_viewer_explains(doctor: Client) -> None:
    html = doctor.get(f"/studies/{US.ref}").text
    assert "your session does not hold this key" in html
    assert "encrypted for the circle echo" in html and "ask a doctor of that circle" in html
    assert "/frames/" not in html and "Échographie" not in html
    assert doctor.script(f"/frames/{US.objects[0].id}/1").status == 403


def test_frames_come_at_the_window_and_size_asked(doctor: Client) -> None:
    path = f"/frames/{DX.objects[0].id}/1"
    whole = doctor.script(path)
    assert whole.header("content-type") == "image/png"
    small = doctor.script(f"{path}?s=64&c=100.5&w=50")
    assert len(small.body) < len(whole.body)
    assert small.header("cache-control") == "no-store"
    assert doctor.script(f"{path}?c=x&w=1e9&s=-4").body == whole.body
    for number in ("0", "-1", "9" * 5000, "x"):
        assert doctor.script(f"/frames/{DX.objects[0].id}/{number}").status == 400
    assert doctor.script("/frames/nonsense/1").status == 404


def test_an_error_of_a_picture_is_a_line_for_the_script(doctor: Client) -> None:
    doctor.practice.damaged = True
    answer = doctor.script(f"/frames/{CT.objects[0].id}/1")
    assert answer.status == 400
    assert answer.text == "this image cannot be decoded\nchoose another one\n"
    assert answer.header("content-type").startswith("text/plain")


def test_a_report_is_read_as_text(doctor: Client) -> None:
    said = words(doctor.get(f"/reports/{CT.objects[-1].id}").text)
    assert "Conclusion" in said and "Contrôle à trois mois recommandé" in said
    assert "Patient LEFÈVRE Hélène" in said and "14/03/1961" in said
    assert "a.perichon · 21 November 2026 at" in said


def test_the_authority_is_for_everybody(client: Client) -> None:
    got = client.get("/authority.crt")
    assert (got.status, got.text[:11]) == (200, "-----BEGIN ")
    assert got.header("content-type") == "application/x-x509-ca-cert"
    assert "/authority.crt" in client.get("/login").text


HOSTILE = "</script><script>alert(1)</script>\"'&{{7*7}}"


def test_what_a_device_sends_is_shown_as_text_whatever_it_is(doctor: Client) -> None:
    harmless = doctor.get(f"/studies/{CT.ref}").text
    study = doctor.practice.study(next(iter(doctor.practice.open)), CT.ref)
    series = tuple(replace(each, description=HOSTILE) for each in study.series)
    hostile = replace(study, who=Who(HOSTILE), description=HOSTILE, series=series)
    doctor.practice.study = lambda session, ref: hostile
    html = doctor.get(f"/studies/{CT.ref}").text
    assert "{{7*7}}" in html and "<script>alert" not in html
    assert html.count("<script") == harmless.count("<script")
    assert html.count("</script>") == harmless.count("</script>")
    data = re.search(r'id="study">(.*?)</script>', html, flags=re.DOTALL)[1]
    assert json.loads(data)["series"][0]["title"] == HOSTILE


# Patients


def test_a_patient_file_has_identity_timeline_and_readers(doctor: Client) -> None:
    said = words(doctor.get(f"/patients/{CT.patient}").text)
    assert "LEFÈVRE Hélène" in said and "FIC-20267-A" in said
    assert "TDM thoracique CT Scanner Nord · 16 images" in said
    assert "a.perichon doctor images · 3 times" in said


def test_the_secretary_stops_at_the_identity() -> None:
    said = words(signed_in("m.laurent").get(f"/patients/{CT.patient}").text)
    assert "LEFÈVRE Hélène" in said and "sealed: only a doctor's key opens it" in said
    assert "TDM" not in said and "Who opened this file" not in said
    assert "Add a document" in said


def test_patients_are_found_without_accents(doctor: Client) -> None:
    part = doctor.post("/patients", {"text": "guennedic"}, hx_request="true").text
    assert "LE GUÉNNÉDIC Maëlle" in part and "1 patient" in part


def test_a_document_streams_in_and_out(doctor: Client) -> None:
    pdf = b"%PDF-1.7\n" + b"x" * 20_000
    headers = {
        "content_type": "application/pdf",
        "x_serment_title": "Courrier%20du%20Dr%20P%C3%A9richon",
        "sec_fetch_mode": "cors",
    }
    answer = doctor.send("POST", f"/patients/{CT.patient}/documents", pdf, headers)
    assert answer.status == 201
    assert doctor.practice.uploads == [(CT.patient, "Courrier du Dr Périchon", pdf)]
    letter = next(each for each in studies()[2].objects if each.kind == "document")
    shown = doctor.get(f"/documents/{letter.id}")
    assert shown.body.startswith(b"%PDF") and shown.body.endswith(b"%%EOF")
    assert shown.header("content-disposition") == "inline"
    assert shown.header("content-type") == "application/pdf"


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ({"content_type": "image/png"}, b"%PDF-", "not a PDF"),
        ({"content_type": "application/pdf"}, b"%PDF-", "no title"),
        ({"content_type": "application/pdf", "x_serment_title": "a"}, b"MZ", "not a PDF"),
    ],
)
def test_what_is_no_document_is_refused_with_the_next_step(
    doctor: Client, headers: dict[str, str], body: bytes, said: str
) -> None:
    path = f"/patients/{CT.patient}/documents"
    answer = doctor.send("POST", path, body, {**headers, "sec_fetch_mode": "cors"})
    assert answer.status == 400
    assert said in answer.text and answer.text.count("\n") == 2
    assert not doctor.practice.uploads


# To file


def test_differences_stand_side_by_side_and_a_person_decides(doctor: Client) -> None:
    html = doctor.get("/to-file").text
    assert "different: </span>05/12/1950" in html and "12/05/1950" in html
    assert html.count("agree-bad") == 3 and html.count("agree-unknown") == 1
    answer = doctor.post(f"/to-file/{SLIPPED.ref}", {"patient": SLIPPED.patient})
    assert answer.header("location") == "/to-file"
    assert doctor.practice.filed == {SLIPPED.ref: SLIPPED.patient}
    doctor.post(f"/to-file/{NAMESAKE.ref}", {"patient": "new"})
    assert "Nothing to file" in doctor.get("/to-file").text
    doctor.post(f"/to-file/{SLIPPED.ref}/undo")
    assert set(doctor.practice.filed) == {NAMESAKE.ref}


def test_a_new_file_can_be_made(doctor: Client) -> None:
    doctor.post(f"/to-file/{SLIPPED.ref}", {"patient": "new"})
    assert doctor.practice.filed == {SLIPPED.ref: ref("new patient", SLIPPED.ref)}


def test_somebody_faster_is_said(doctor: Client) -> None:
    doctor.post(f"/to-file/{SLIPPED.ref}", {"patient": "new"})
    answer = doctor.post(f"/to-file/{SLIPPED.ref}", {"patient": SLIPPED.patient})
    assert answer.status == 409
    assert "Somebody was faster" in answer.text and "look at the list again" in answer.text.lower()
    assert doctor.post(f"/to-file/{SLIPPED.ref}", {"patient": "x"}).status == 400


# Journal


def test_every_kind_of_entry_is_a_sentence_in_both_languages() -> None:
    assert set(sentences.LOOKS) <= set(EventKind)
    for kind in EventKind:
        for lang in ("fr", "en"):
            for count in (1, 7):
                values = {"count": count, "what": "image", "reason": "no such device"}
                line = JournalLine(1, kind, None, "ACTOR", "SUBJECT", None, "", None, values)
                said = sentences.say(line, lang)
                assert said and "{" not in said
    keys = JournalLine(1, EventKind.OPENED, None, "A", "", None, "", None, {"what": WITH_IMAGES})
    assert sentences.say(keys, "en") == "A opened a session: with the key of images"
    read = replace(keys, kind=EventKind.READ, subject="B", values={"what": "images"})
    assert sentences.say(read, "en") == "A opened images of B"
    empty = JournalLine(1, EventKind.READ, None, "", "", None, "", None, {})
    assert sentences.say(empty, "en") == "… opened … of …"


def test_every_kind_stands_in_at_most_one_group() -> None:
    grouped = [kind for _, kinds in sentences.GROUPS.values() for kind in kinds]
    assert len(grouped) == len(set(grouped))


def test_the_journal_reads_as_sentences_and_is_narrowed(doctor: Client) -> None:
    said = words(doctor.get("/journal").text)
    assert "a.perichon opened images of LEFÈVRE Hélène (16 objects)" in said
    assert "INCONNU was refused 4 times" in said and "#1277" in said
    doctor.post(
        "/journal",
        {"day": "2026-11-20", "group": "doors", "patient": CT.patient, "member": "x' or"},
    )
    query = doctor.practice.looked[-1]
    assert query.day.isoformat() == "2026-11-20" and query.patient == CT.patient
    assert query.member == "" and query.kinds == sentences.GROUPS["doors"][1]


def test_the_thumbnails_of_one_list_stand_together(doctor: Client) -> None:
    view = doctor.practice.journal(next(iter(doctor.practice.open)), JournalQuery())
    seen = {"what": "thumbnail"}
    reads = [replace(view.lines[0], index=at, subject=f"P{at}", values=seen) for at in (9, 8, 7)]
    shown = replace(view, lines=(*reads, *view.lines))
    doctor.practice.journal = lambda session, query: shown
    said = words(doctor.get("/journal").text)
    assert "a.perichon saw thumbnails of 3 files in a list" in said and "#7–9" in said
    assert "a.perichon opened thumbnails of P8" in said


def test_others_see_their_own_acts_only() -> None:
    said = words(signed_in("c.delamarrege").get("/journal").text)
    assert "You see your own acts here" in said and "a.perichon" not in said


def test_verification_is_green_or_red_with_what_to_do(doctor: Client) -> None:
    part = doctor.post("/journal/verify", {"kept": ""}, hx_request="true").text
    assert "note-good" in part and "1,284 entries checked. 3 of them" in words(part)
    assert (
        "It continues the checkpoint you kept" in doctor.post("/journal/verify", {"kept": "x"}).text
    )
    doctor.practice.damaged = True
    part = doctor.post("/journal/verify", {"kept": ""}, hx_request="true").text
    assert "note-bad" in part and "entry 417 was changed" in part and "Art. 33" in part


def test_a_checkpoint_is_taken_away_as_a_file(doctor: Client) -> None:
    answer = doctor.get("/journal/checkpoint")
    assert answer.text.startswith("serment/demo\n1284\n")
    assert "attachment" in answer.header("content-disposition")


# After a breach


def test_the_breach_page_asks_and_answers(doctor: Client) -> None:
    said = words(doctor.get("/breach").text)
    assert "Whom did it reach?" in said and "the server or its disk was stolen" in said
    fields = [("what", "disk"), ("from", "2026-11-20T08:00"), ("known", "m.laurent")]
    page = doctor.post("/breach", fields).text
    said = words(page)
    assert "13 patients are concerned." in said and "LEFÈVRE Hélène" in said
    assert "Patients unknown: 2 arrivals that are filed with nobody, too." in said
    assert 'role="img"' in page and "style=" not in page
    (query,) = doctor.practice.breaches
    assert (query.what, query.known) == ("disk", ("m.laurent",))
    assert query.start == datetime.fromisoformat("2026-11-20T08:00").astimezone()
    said = words(doctor.post("/breach", fields[:2], hx_request="true").text)
    assert "No patient's data was read or readable." in said and "<html" not in said
    doctor.practice.kit = type(doctor.practice.kit)(None, None, 2)
    said = words(doctor.post("/breach", fields).text)
    assert "A thief reads everything: the kit is here." in said
    assert doctor.post("/breach", [("what", "disk"), ("from", "soon")]).status == 400


def test_who_may_not_ask_after_a_breach() -> None:
    secretary = signed_in("m.laurent")
    assert "/breach" not in secretary.get("/").text
    assert secretary.get("/breach").status == 403


# Members, devices, settings


def test_a_member_is_added_with_roles_and_a_hidden_password(doctor: Client) -> None:
    fields = [("login", "n.new"), ("role", "doctor"), ("role", "dpo"), ("circle", "echo")]
    fields += [("password", " un secret "), ("again", " un secret ")]
    assert doctor.post("/members", fields).status == 303
    new = doctor.practice.new_members[-1]
    assert [role.value for role in new.roles] == ["doctor", "dpo"] and new.circle == "echo"
    assert new.password.reveal() == " un secret " and "secret" not in repr(new)
    answer = doctor.post("/members", [("login", "x"), ("password", "a"), ("again", "b")])
    assert answer.status == 400 and "the same password twice" in answer.text


def test_a_newcomer_is_admitted_only_after_comparing(doctor: Client) -> None:
    path = f"/members/{ref('member', 'l.bertin')}/admit"
    assert "garlic" in doctor.get("/members").text
    assert doctor.post(path).status == 400
    assert doctor.practice.people["l.bertin"].waiting
    (words,) = re.findall(r'name="words" value="([^"]+)"', doctor.get("/members").text)
    assert doctor.post(path, {"compared": "1", "words": words}).status == 303
    assert doctor.practice.compared == tuple(words.split()) and "garlic" in words
    assert doctor.practice.people["l.bertin"].circles == ("secretariat",)


def test_members_and_devices_are_removed(doctor: Client) -> None:
    doctor.post(f"/members/{ref('member', 'm.laurent')}/remove")
    assert "m.laurent" not in doctor.practice.people
    doctor.post(f"/devices/{ref('Scanner Nord')}/remove")
    assert [each.name for each in doctor.practice.devices] == [
        "Échographe salle 2",
        "Table de radio",
    ]


def test_a_device_token_is_shown_once(doctor: Client) -> None:
    fields = {"name": "Panoramique", "ae_title": "PANO", "address": "192.168.1.9", "circle": "care"}
    assert "jeton-de-démonstration" in doctor.post("/devices", fields).text
    assert "jeton-de-démonstration" not in doctor.get("/members").text
    assert doctor.practice.devices[-1].ae_title == "PANO"


def test_the_second_factor_counts_after_a_code(doctor: Client) -> None:
    me = doctor.practice.people["a.perichon"]
    me.second_factor = False
    html = doctor.post("/settings/second-factor").text
    assert '<svg class="qr"' in html or 'class="qr"' in html
    assert "JBSW Y3DP EHPK 3PXP" in html and "otpauth" not in html
    assert doctor.post("/settings/second-factor/confirm", {"code": "111111"}).status == 403
    assert doctor.post("/settings/second-factor/confirm", {"code": "123 456"}).status == 303
    assert me.second_factor
    assert 'for="code"' in doctor.get("/settings").text  # changing it takes a code of this one
    refused = doctor.post("/settings/second-factor")
    assert refused.status == 403
    assert "this code is not right" in refused.text.lower() and "JBSW" not in refused.text
    assert "JBSW" in doctor.post("/settings/second-factor", {"code": "123 456"}).text


def test_the_kit_is_declared(doctor: Client) -> None:
    doctor.post("/settings/kit")
    assert doctor.practice.kit.printed == doctor.practice.now
    assert "I printed the kit" not in signed_in("m.laurent").get("/settings").text


# Doors that stay shut


def test_the_menu_shows_what_the_keys_open() -> None:
    def menu(login: str) -> list[str]:
        html = signed_in(login).get("/").text
        nav = html[html.index('<nav class="menu"') : html.index("</nav>")]
        return re.findall(r'href="([^"]+)"', nav)

    everything = ["/", "/studies", "/patients", "/to-file", "/journal", "/breach", "/members"]
    everything.append("/settings")
    assert menu("a.perichon") == everything
    assert menu("m.laurent") == [each for each in everything if each != "/breach"]
    assert menu("s.ozanneau") == [each for each in everything if each != "/to-file"]
    assert menu("l.bertin") == ["/", "/journal", "/members", "/settings"]


@pytest.mark.parametrize(
    ("login", "path"),
    [
        ("l.bertin", "/studies"),
        ("l.bertin", f"/patients/{CT.patient}"),
        ("s.ozanneau", "/to-file"),
        ("m.laurent", f"/reports/{CT.objects[-1].id}"),
        ("m.laurent", f"/documents/{studies()[2].objects[-1].id}"),
    ],
)
def test_a_missing_key_is_explained_with_the_next_step(login: str, path: str) -> None:
    answer = signed_in(login).get(path)
    assert answer.status == 403
    assert DENIED in answer.text and "Ask a" in answer.text


def test_what_is_not_there_is_said_with_the_menu(doctor: Client) -> None:
    for path in ("/nothing", f"/studies/{'0' * 32}", "/patients/LEFEVRE"):
        answer = doctor.get(path)
        assert answer.status == 404 and "There is nothing here" in answer.text
        assert "a.perichon" in answer.text
    assert doctor.send("DELETE", "/studies", b"", {}).status == 405


def test_every_status_of_an_error_has_a_title() -> None:
    def below(kind: type[SermentError]) -> set[int]:
        # the other services have errors of their own, which no page shows
        children = [c for c in kind.__subclasses__() if "dicomweb" not in c.__module__]
        return {kind.http_status}.union(*map(below, children))

    assert below(SermentError) <= set(TITLES)


def test_a_password_is_never_shown_again(client: Client) -> None:
    answer = client.post("/login", {"login": "a.perichon", "password": PASSWORD + "x"})
    assert PASSWORD not in answer.text and "a.perichon" not in answer.text


def test_nobody_is_shown_what_he_cannot_do() -> None:
    """The trial of the kit is the administrator's; arrivals are the secretariat's."""
    command = "serment recover"
    assert command in signed_in("a.perichon").get("/settings").text
    assert command not in signed_in("m.laurent").get("/settings").text
    for login, told in (("s.ozanneau", True), ("m.laurent", False)):
        said = words(signed_in(login).get("/").text)
        assert ("arrivals: the secretariat files them" in said) is told
