"""A password alone opens nothing from another machine, nor through a proxy that says who calls."""

from __future__ import annotations

from urllib.parse import urlencode

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
