"""A day at the real server's screens: read, search, receive, file, add, watch, admit, lock all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from tests.e2e.screens.premises import LATE, PASSWORD, Premises
from tests.e2e.screens.walk import Door, names_somebody

from serment.entrypoints.demo.sending import send_stow

pytestmark = pytest.mark.real("chromium", "node")

BRIGHTNESS = """(() => {
  const canvas = document.getElementById("canvas");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += data[at];
  return sum / (data.length / 4);
})()"""
PICTURES = """Array.from(document.querySelectorAll("img.thumb")).map((one) => {
  one.loading = "eager";
  return one.complete && one.naturalWidth;
})"""


def line(patient: str) -> str:
    return f".row-study:has-text('{patient}')"


# The doctor reads


def test_the_worklist_shows_a_picture_of_every_study_and_a_key_where_there_is_none(
    door: Door,
) -> None:
    with door("docteur") as walk:
        walk.go("/studies")
        shown = walk.page.locator(".row-study").count()
        walk.until(f"{PICTURES}.every((width) => width > 20)")
        assert walk.page.locator("img.thumb").count() == shown - 1
        other = walk.page.locator(line("THIBAUDÉAUX"))
        assert other.locator(".thumb-key").is_visible()
        assert "scellé" in other.inner_text() and "pas de clé" in other.inner_text()
        filed = walk.page.locator(line("BÉRANGÉ-DUVAL")).inner_text()
        assert "TDM thoracique" in filed and "12 images" in filed and "classé" in filed


def test_a_search_names_nobody_in_an_address(door: Door) -> None:
    with door("secretaire") as walk:
        walk.go("/studies")
        walk.page.fill("#f-name", "lefevre")
        walk.page.press("#f-name", "Enter")
        walk.until("document.querySelectorAll('.row-study').length === 3")
        assert walk.text(".worklist").count("LEFÈVRE Hélène") == 2
        walk.open("Plus de critères")
        walk.page.fill("#f-name", "")
        walk.page.fill("#f-acc", "ACC084274F")
        walk.page.press("#f-acc", "Enter")
        walk.until("document.querySelectorAll('.row-study').length === 1")
        walk.go("/patients")
        walk.page.fill("#text", "FIC-20267-A")
        walk.page.press("#text", "Enter")
        walk.until("document.querySelectorAll('.row-patient').length === 1")
        assert "LEFÈVRE Hélène" in walk.text("#list")
        assert walk.page.url.endswith("/patients")
        named = f"{door.premises.url}/patients?text=B%C3%89RANG%C3%89-DUVAL+Fran%C3%A7ois"
        assert names_somebody([*walk.asked, named], door.search)  # it would have been noticed


def test_a_study_that_arrives_appears_by_itself_and_is_nobody_s_act(
    door: Door, practice: Premises
) -> None:
    left: list[int] = []
    with door("docteur") as walk:
        walk.go("/studies")
        walk.page.on(
            "response", lambda r: r.url.endswith("/pulse") and left.append(r.json()["left"])
        )
        before = walk.page.locator(".row-study").count()
        walk.page.evaluate("window.sameDocument = true")
        acknowledged = practice.send(LATE)
        assert acknowledged == len(practice.studies[LATE].objects)
        walk.until(f"document.querySelectorAll('.row-study').length === {before + 1}")
        walk.has("6 images", f"{line('QUÉMÉNEURAC')}:has-text('TDM')")
        walk.page.wait_for_timeout(3500)
        assert walk.page.evaluate("window.sameDocument") is True
        assert len(left) >= 2 and all(first > second for first, second in pairwise(left))


def test_the_viewer_shows_scrolls_and_windows_the_sealed_images(door: Door) -> None:
    with door("docteur") as walk:
        walk.go("/studies")
        walk.page.click(f"{line('BÉRANGÉ-DUVAL')} a.row-link")
        walk.until(f"{BRIGHTNESS} > 5")
        assert walk.text("#film-state") == "Image 7 sur 12"
        assert "Ne pas utiliser pour le diagnostic" in walk.text(".room-banner")
        first = walk.page.evaluate(BRIGHTNESS)
        with walk.page.expect_response(lambda r: "c=-600.0&w=1500.0" in r.url) as exact:
            walk.page.select_option("#preset", label="Poumon")
        assert exact.value.ok and exact.value.headers["content-type"] == "image/png"
        walk.until(f"{BRIGHTNESS} > {first} + 20")
        assert "Fenêtrage -600 / 1500" in walk.text("#corner-window")
        walk.page.click("#reset")
        walk.page.focus("#film")
        for key, state in (("Home", 1), ("ArrowDown", 2), ("End", 12)):
            walk.page.keyboard.press(key)
            walk.has(f"Image {state} sur 12", "#film-state")
        strip = walk.page.locator(".series li")
        assert [strip.nth(at).inner_text().split()[0] for at in range(3)] == [
            "TDM",
            "Compte",
            "Document",
        ]


def test_a_report_says_whose_it_is_and_who_looks(door: Door) -> None:
    with door("docteur") as walk:
        walk.go("/studies")
        walk.page.click(f"{line('BÉRANGÉ-DUVAL')} a.row-link")
        walk.go(walk.page.get_attribute("a[href^='/reports/']", "href") or "")
        assert walk.text(".strip").startswith("Patient BÉRANGÉ-DUVAL François")
        assert "23/07/1948" in walk.text(".strip") and "Conclusion" in walk.text(".report")
        assert "docteur · " in walk.page.text_content(".report-mark")
        walk.page.click(".crumb a")
        walk.page.wait_for_selector("#film")
        document = walk.page.get_attribute("a[href^='/documents/']", "href")
        got = walk.fetch(document or "")
        assert got["type"] == "application/pdf" and got["text"].startswith("%PDF-")


def test_what_the_doctor_sees_no_key_gives_the_secretary(door: Door) -> None:
    with door("docteur") as walk:
        walk.go("/studies")
        walk.page.click(f"{line('BÉRANGÉ-DUVAL')} a.row-link")
        walk.until("document.querySelector('.series img').naturalWidth > 20")
        study = walk.page.url.removeprefix(walk.visit.url)
        picture = walk.page.get_attribute(".series img", "src") or ""
        report = walk.page.get_attribute("a[href^='/reports/']", "href") or ""
        sealed = [picture, picture.replace("thumbnails", "frames") + "/1", report]
        assert [walk.fetch(path)["status"] for path in sealed] == [200, 200, 200]
    with door("secretaire") as walk:
        walk.go(study)
        walk.has("Scellé : votre session ne détient pas cette clé", "#main")
        assert "chiffré pour le cercle soin" in walk.text("#main")
        assert walk.page.locator(".series").count() == 0
        assert [walk.fetch(path)["status"] for path in sealed] == [403, 403, 403]
        assert "TDM" not in walk.page.content()


# Filing, and documents


def test_an_arrival_is_compared_filed_and_taken_off_again(door: Door) -> None:
    with door("secretaire") as walk:
        walk.go("/to-file")
        arrival = walk.page.locator(".arrival", has_text="SAINT-CHÉRONNET")
        assert "12/05/1950" in arrival.inner_text()
        assert (
            walk.text(".arrival:has-text('SAINT-CHÉRONNET') .agree-bad") == "différent: 05/12/1950"
        )
        assert arrival.locator(".agree-good").count() == 3
        namesake = walk.page.locator(".arrival", has_text="LEFEVRE Helene")
        assert namesake.locator(".agree-bad").count() == 2
        assert namesake.locator(".btn-primary").inner_text() == "Nouveau patient"
        arrival.locator("button", has_text="Classer ici").click()
        walk.until("document.querySelectorAll('.arrival').length === 1")
        filed = walk.page.locator(".row-filed").first
        assert "par secretaire" in filed.inner_text()
        filed.locator("button").click()
        walk.until("document.querySelectorAll('.arrival').length === 2")
        walk.page.locator(".arrival button", has_text="Nouveau patient").last.click()
        walk.until("document.querySelectorAll('.arrival').length === 1")
        walk.go("/patients")
        assert "14 patients" in walk.text()


def test_a_document_is_sealed_into_the_file(door: Door, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.7\n% fictional\n" + b"x" * 200_000)
    with door("docteur") as walk:
        walk.go("/patients")
        walk.page.click("a.row-link:has-text('VAUCLAIRVAL')")
        walk.page.fill("#document-title", "Courrier du médecin traitant")
        walk.page.set_input_files("#document-file", letter)
        walk.page.click("form.upload button")
        walk.has("Courrier du médecin traitant", ".timeline")
        held = walk.page.locator(".timeline a", has_text="Courrier du médecin").get_attribute(
            "href"
        )
        assert walk.fetch(held or "")["text"].startswith("%PDF-1.7\n% fictional")
        walk.page.reload()
        readers = walk.text(".columns aside")
        assert "Qui a ouvert ce dossier" in readers and "docteur médecin" in readers
        assert "un document" in readers and "l’identité" in readers
        letter.write_bytes(b"MZ not a PDF")
        walk.page.fill("#document-title", "x")
        walk.page.set_input_files("#document-file", letter)
        walk.page.click("form.upload button")
        walk.expected.add(400)
        walk.has("PDF", ".upload-said.is-bad")


# The house and its journal


def test_the_first_sentence_follows_the_kit(door: Door, practice: Premises) -> None:
    with door("admin") as walk:
        assert walk.text("h1") == "Un voleur lit tout : le kit est ici."
        walk.open("Comment le savons-nous")
        assert walk.page.locator(".evidence .plain li").count() == 8
        assert "taille des objets scellés" in walk.text(".evidence")
        with one_share_left(practice.vault.kit):
            walk.go("/")
            assert walk.text("h1") == "Aucun dossier de patient : tout est scellé."
            assert "0 dossier de patient lisible" in walk.text(".numbers")
            walk.go("/settings")
            assert "Une part est encore lisible sur cette machine." in walk.text("#kit")
            walk.page.click("#kit form button")
            walk.has("déclaré le", "#kit .pairs")
            walk.go("/")
            assert "impression déclarée le" in walk.text(".kit-line")


@contextmanager
def one_share_left(kit: Path) -> Iterator[None]:
    """Alone it opens nothing; the others are put back afterwards, since further tests find the kit here."""
    taken = {share: share.read_bytes() for share in sorted(kit.iterdir())[2:]}
    for share in taken:
        share.unlink()
    try:
        yield
    finally:
        for share, data in taken.items():
            share.write_bytes(data)


@contextmanager
def an_entry_changed(vault: Path) -> Iterator[int]:
    """One byte of one entry, as somebody with the disk could change it; put back afterwards."""
    with closing(sqlite3.connect(vault / "vault.sqlite3", timeout=20)) as store:
        ((number, body),) = store.execute("SELECT number, body FROM journal LIMIT 1 OFFSET 9")
        put = "UPDATE journal SET body = ? WHERE number = ?"
        store.execute(put, (body[:-2] + b"#}", number))
        store.commit()
        try:
            yield number
        finally:
            store.execute(put, (body, number))
            store.commit()


def test_the_journal_proves_itself_and_shows_where_it_was_touched(
    door: Door, practice: Premises
) -> None:
    with door("dpo") as walk:
        walk.go("/journal")
        assert "docteur a ouvert" in walk.text("#entries")
        kept = walk.fetch("/journal/checkpoint")["text"].encode("latin-1").decode()
        walk.page.click("#verify button")
        walk.has("Entier : personne n’y a touché.", "#verdict .note-good")
        with an_entry_changed(practice.vault.root):
            walk.page.click("#verify button")
            walk.has("Pas entier : l’entrée", "#verdict .note-bad")
            assert "72 heures" in walk.text("#verdict")
            walk.check("a journal that was touched")
        walk.open("Comparer avec un point de contrôle")
        walk.page.fill("#kept", kept)
        walk.page.click("#verify button")
        walk.has("Il prolonge le point de contrôle que vous avez gardé", "#verdict .note-good")
        walk.page.select_option("#f-group", "reads")
        walk.until("!document.getElementById('entries').innerText.includes('a commencé un envoi')")


def test_a_newcomer_is_admitted_by_eight_words(door: Door) -> None:
    with door("admin") as walk:
        walk.go("/members")
        walk.open("Ajouter un membre")
        walk.page.fill("#m-login", "nouvelle")
        walk.page.check("input[name=role][value=secretary]")
        for field in ("#m-password", "#m-again"):
            walk.page.fill(field, PASSWORD)
        walk.page.click("#add button")
        walk.has("attend d’être admis", ".row-member:has-text('nouvelle')")
    with door("nouvelle") as newcomer:
        newcomer.has("Vous attendez d’être admis")
        own = newcomer.text("main .words")
        newcomer.check("waiting")
        newcomer.go("/studies", 403)
        with door("docteur") as sitting:
            sitting.go("/members")
            assert sitting.text(".admit .words") == own
            sitting.page.check(".admit input[type=checkbox]")
            sitting.page.click(".admit button")
            sitting.has("actif", ".row-member:has-text('nouvelle')")
        newcomer.go("/studies")
        newcomer.has("LEFÈVRE Hélène")


def test_a_device_s_token_is_shown_once_and_sends(door: Door, practice: Premises) -> None:
    with door("admin") as walk:
        walk.go("/members")
        walk.open("Ajouter un appareil")
        walk.page.fill("#d-name", "Panoramique dentaire")
        walk.page.fill("#d-ae", "PANO1")
        walk.page.fill("#d-address", "127.0.0.1")
        assert walk.page.input_value("#d-circle") == "care"
        walk.page.locator("form[action='/devices'] button").click()
        token = walk.text(".token-value")
        walk.check("a token")
        walk.go("/members")
        assert "Panoramique dentaire" in walk.text() and token not in walk.page.content()
        server = practice.server
        assert send_stow(server.web, server.authority, token, practice.files(1)) == 1
        walk.page.reload()
        device = walk.page.locator(".row-device", has_text="Panoramique")
        assert "dernière arrivée" in device.inner_text()
        device.locator("summary").click()
        device.locator("button").click()
        walk.until("!document.body.innerText.includes('PANO1 ·')")


def test_locking_everything_ends_every_session_at_once(door: Door) -> None:
    with door("docteur") as reader, door("admin") as walk:
        reader.go("/studies")
        walk.go("/settings")
        walk.page.click("form[action='/lock-all'] button")
        walk.has("Verrouillé.", ".note-good")
        reader.expected.add(401)
        reader.page.wait_for_selector("#login")
        assert "LEFÈVRE" not in reader.page.content()
