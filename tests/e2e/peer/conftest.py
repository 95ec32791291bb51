"""One Internet for all tests of the helper, with an archive, a web server and a box inside."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.network.running import script
from tests.e2e.peer.internet import ARCHIVE, PRACTICE6, WEB, Internet, internet


@pytest.fixture(scope="session")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    """See `internet`."""
    with internet(tmp_path_factory.mktemp("internet")) as made:
        archives = [{"host": host, "port": 104, "patients": 3} for host in (ARCHIVE, PRACTICE6)]
        made.start("practice", *script("archive.py"), json.dumps(archives))
        folder = tmp_path_factory.mktemp("web")
        (folder / "patients.csv").write_text("nom;prenom\n")
        web = (sys.executable, "-m", "http.server", "8080", "--bind", WEB)
        made.start("practice", *web, "--directory", folder)
        made.wait_for("practice", PRACTICE6, 104)
        made.wait_for("practice", WEB, 8080)
        yield made


@pytest.fixture
def box_script() -> Path:
    """The simulator of a box that speaks UPnP."""
    return Path(__file__).resolve().parent.parent.parent / "lan" / "box.py"
