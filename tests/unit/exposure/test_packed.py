"""What an audit leaves fits the local socket whatever it found, and unpacking is bounded."""

from __future__ import annotations

import zlib
from base64 import b64encode
from dataclasses import replace

import pytest
from tests.unit.exposure.sights import BAD

from serment.core.exposure import packed
from serment.core.exposure.checking import View
from serment.core.exposure.findings import Place
from serment.core.exposure.packed import pack, unpack
from serment.core.exposure.registry import judge
from serment.core.exposure.written import write_finding
from serment.entrypoints.local.server import BODY_LIMIT
from serment.errors import FormatError


def test_it_comes_back_as_it_was() -> None:
    value = {"findings": [{"id": "X01", "é": [1, None, 2.5]}]}
    assert unpack(pack(value)) == value


def test_tens_of_thousands_of_findings_fit_the_local_socket() -> None:
    stated = [each for seen, _ in BAD.values() for each in judge(View(seen))[0]]
    many = [
        write_finding(replace(each, place=Place(f"10.{n}.{m}.{index}", 1000 + m, "x")))
        for n in range(8)
        for m in range(100)
        for index, each in enumerate(stated)
    ]
    assert len(many) > 20_000
    assert len(pack({"findings": many})) < BODY_LIMIT


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = b64encode(zlib.compress(b"[" + b" " * 3_000_000 + b"]", 9)).decode()
    assert unpack(bomb) == []
    monkeypatch.setattr(packed, "MOST_BYTES", 1 << 20)
    with pytest.raises(FormatError):
        unpack(bomb)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "é",
        "AAAA",
        b64encode(b"{}").decode(),
        b64encode(zlib.compress(b"{")).decode(),
        b64encode(zlib.compress(b"{}" * 999)[:-4]).decode(),
        b64encode(zlib.compress(b"[" * 100_000)).decode(),
        None,
        7,
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        unpack(text)
