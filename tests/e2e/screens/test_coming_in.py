"""Coming in and going out at the real server: passwords, codes, cookies, the lock, its authority."""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
from tests.e2e.screens.premises import PASSWORD, Premises
from tests.e2e.screens.relay import from_elsewhere
from tests.e2e.screens.walk import Door, Walk

pytestmark = pytest.mark.real("chromium", "node")

WRONG = "Platane-Digue-83-Mangue"
REFUSED = "L’identifiant ou le mot de passe n’est pas le bon."


def test_a_wrong_password_is_said_and_the_third_one_makes_wait(
    door: Door, practice: Premises
) -> None:
    with from_elsewhere(practice.url) as url:
        with door(url=url) as walk:
            walk.expected |= {403, 429}
            for _ in range(2):
                walk.sign_in("secretaire", WRONG)
                said = walk.text(".note-bad")
                assert REFUSED in said and "après trois échecs" in said
                assert walk.page.input_value("#password") == ""
            walk.sign_in("personne", WRONG)
            assert REFUSED in walk.text(".note-bad")
            walk.sign_in("dpo")
            assert "Trop d’essais manqués : attendez" in walk.text(".note-bad")
            walk.check("too many attempts")
        with door(lang="en", url=url) as walk:
            walk.expected.add(429)
            walk.sign_in("dpo")
            assert "Too many failed attempts: wait" in walk.text(".note-bad")
            assert walk.page.context.cookies() == []
    with door("dpo"):
        pass  # nobody at another workstation has to wait


def test_the_cookie_is_for_this_server_only_and_the_page_asked_for_follows(door: Door) -> None:
    with door() as walk:
        walk.go("/members")
        assert walk.page.url.endswith("/login?next=/members")
        walk.page.fill("#login", "admin")
        walk.page.fill("#password", PASSWORD)
        walk.page.click(".gate-form button")
        walk.has("Membres et appareils", "h1")
        (cookie,) = walk.page.context.cookies()
        assert cookie["name"] == "__Host-serment" and len(cookie["value"]) >= 40
        assert (cookie["secure"], cookie["httpOnly"], cookie["path"]) == (True, True, "/")
        assert (cookie["sameSite"], cookie["domain"]) == ("Strict", "127.0.0.1")
        assert cookie["expires"] == -1  # it ends with the browser


def test_locking_leaves_nothing_on_the_screen_or_behind_it(door: Door) -> None:
    with door("docteur") as walk:
        walk.go("/patients")
        walk.page.click("a.row-link:has-text('LEFÈVRE Hélène')")
        walk.has("Chronologie")
        walk.page.click(".btn-lock")
        walk.has("Vos clés ont quitté la mémoire de ce serveur.")
        assert walk.page.context.cookies() == []
        for _ in range(2):
            walk.page.go_back()
            walk.page.wait_for_selector("#login")
            assert "LEFÈVRE" not in walk.page.content()


def _secret(walk: Walk) -> str:
    walk.go("/settings")
    walk.page.click("#second-factor button")
    assert walk.page.locator(".qr-frame svg").is_visible()
    walk.open("Je ne peux pas scanner")
    return walk.text("#second-factor .token-value").replace(" ", "")


def _confirm(walk: Walk, code: str) -> None:
    walk.page.fill("#code", code)
    walk.page.click("#second-factor .steps button")


def test_the_second_factor_is_turned_on_and_then_asked_for(door: Door) -> None:
    with door("cardiologue") as walk:
        totp = pyotp.TOTP(_secret(walk))
        walk.check("turning the second factor on")
        _confirm(walk, totp.at(0))
        walk.expected.add(403)
        walk.has("Ce n’est pas le code du moment", "#second-factor .note-bad")
        assert walk.page.locator(".qr-frame svg").is_visible()  # the same secret, no new picture
        _confirm(walk, totp.at(int(time.time()) - 30))  # the code before, so that the next is new
        walk.has("activé", "#second-factor .state-good")
        walk.page.click(".btn-lock")
        walk.has("Verrouillé.")
        walk.sign_in("cardiologue")
        walk.has(REFUSED)
        code = totp.now()
        walk.sign_in("cardiologue", code=f"{code[:3]} {code[3:]}")
        walk.has("Que lirait maintenant un voleur de ce serveur")
    with door() as walk:
        walk.expected.add(403)
        walk.sign_in("cardiologue", code=code)
        walk.has("Ce code a déjà servi")


def test_the_authority_offered_is_the_one_that_vouches_for_this_server(
    door: Door, practice: Premises
) -> None:
    with door("admin") as walk:
        walk.go("/settings")
        shown = walk.text("#fingerprint").replace(" ", "").replace(":", "")
        offered = walk.fetch("/authority.crt")
        assert (offered["status"], offered["type"]) == (200, "application/x-x509-ca-cert")
    certificate = Path(practice.server.authority).read_text()
    assert offered["text"] == certificate
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()
    assert shown.lower() == digest
    where = urlsplit(practice.url)
    known = ssl.create_default_context(cadata=certificate)
    with (
        socket.create_connection((where.hostname, where.port)) as raw,
        known.wrap_socket(raw, server_hostname=where.hostname) as secure,
    ):
        assert secure.version() == "TLSv1.3"
