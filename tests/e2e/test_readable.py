"""The byte search that ends each test of faults sees one careless file among a vault's."""

from __future__ import annotations

import gzip
import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.readable import check_nothing_readable
from tests.e2e.receiving.conftest import data_set
from tests.practices import patient, report, study

SENT = [report(study(patient())), data_set("2.25.123456789012", pixels=300)]
CARELESS: dict[str, Callable[[], bytes]] = {
    "the object": lambda: SENT[0],
    "compressed": lambda: gzip.compress(SENT[0]),
    "a name in a log": lambda: b'{"event": "stored", "of": "lefevre helene"}',
    "a UID in UTF-16": lambda: "2.25.123456789012".encode("utf-16-le"),
    "a number in base64": lambda: b64encode(b'{"id": "FICTIF0001"}'),
    "a piece of the pixels": lambda: SENT[1][-200:-44],
}


@pytest.mark.parametrize("what", CARELESS)
@pytest.mark.parametrize("where", ["vault/packs/05/left.tmp", "server.log"])
def test_it_is_seen(tmp_path: Path, what: str, where: str) -> None:
    root = tmp_path / "vault"
    path = tmp_path / where
    for folder in (root, path.parent):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "sealed").write_bytes(os.urandom(100_000))
    check_nothing_readable(root, SENT)
    path.write_bytes(os.urandom(3000) + CARELESS[what]() + os.urandom(3000))
    with pytest.raises(AssertionError):
        check_nothing_readable(root, SENT)
