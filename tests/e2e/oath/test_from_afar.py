"""A password alone opens nothing from another machine, nor through a proxy that says who calls."""

from __future__ import annotations

import re
import time
from urllib.parse import urlencode

import pyotp
from tests.e2e.oath.client import FORM, Client
from tests.e2e.oath.premises import Premises
from tests.e2e.serving import PASSWORD, serving

from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of

ELSEWHERE = "198.51.100.7"


def test_a_proxy_of_this_machine_makes_nobody_local(premises: Premises) -> None:
    form = urlencode({"login": "docteur", "password": PASSWORD, "code": ""}).encode()
    with serving(premises.vault) as server:
        client = Client(server)
        headers = {"Content-Type": FORM, "X-Forwarded-For": ELSEWHERE}
        assert client.send("POST", "/login", form, headers).status == 403
        assert client.sign_in("docteur").cookie  # the same person here: the password was right
    with premises.desk() as desk:
        entries = [entry_of(row) for row in desk.house.store.journal()]
    failed = [e for e in entries if e is not None and e.kind is EventKind.LOGIN_FAILED]
    assert [entry.details["peer"].rpartition(":")[0] for entry in failed] == [ELSEWHERE]


def test_a_token_opened_without_a_code_serves_this_machine_only(premises: Premises) -> None:
    """And with a code every machine; it is never a cookie, nor a cookie a token."""
    vault, forwarded = premises.vault, {"X-Forwarded-For": ELSEWHERE}
    with serving(vault) as server:
        pages = Client(server).sign_in("docteur")
        shown = pages.post("/settings/second-factor").body.decode()
        (secret,) = re.findall(r'class="token-value">([A-Z2-7]+)<', shown)
        totp, now = pyotp.TOTP(secret), int(time.time())
        early = {"code": totp.at(now - 30)}  # so that the next one is new
        assert pages.post("/settings/second-factor/confirm", early).status == 303

        here = vault.json("unlock", "--as", "docteur", "--token")
        assert here["anywhere"] is False
        refused = Client(server, here["token"]).get("/dicom-web/studies", **forwarded)
        assert refused.status == 403
        assert "serves the server itself only" in refused.body.decode()
        assert "--code" in refused.body.decode()
        assert Client(server, here["token"]).get("/dicom-web/studies").status in (200, 204)

        proven = vault.json("unlock", "--as", "docteur", "--token", "--code", totp.at(now))
        assert proven["anywhere"] is True
        answer = Client(server, proven["token"]).get("/dicom-web/studies", **forwarded)
        assert answer.status in (200, 204)

        for token in (here["token"], proven["token"]):
            cookie = Client(server, cookie=f"__Host-serment={token}")
            assert cookie.get("/patients").headers["location"].startswith("/login")
        value = pages.cookie.partition("=")[2]
        assert Client(server, value).get("/dicom-web/studies").status == 401
        assert pages.get("/patients", **forwarded).headers["location"].startswith("/login")
        assert pages.get("/patients").status == 200
