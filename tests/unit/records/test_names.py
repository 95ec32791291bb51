"""One spelling for what a key belongs to."""

from __future__ import annotations

import pytest

from serment.core.records import names
from serment.core.records.names import Name, NameKind, parse_name
from serment.errors import FormatError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (names.member("m1"), Name(NameKind.MEMBER, "m1")),
        (names.password("m1"), Name(NameKind.PASSWORD, "m1")),
        (names.circle("care-2"), Name(NameKind.CIRCLE, "care-2")),
        (names.circle("recovery"), Name(NameKind.RECOVERY)),
        (names.circle_seed("care", 3), Name(NameKind.CIRCLE, "care", 3)),
        (names.envelope("e"), Name(NameKind.ENVELOPE, "e")),
        (names.patient("p"), Name(NameKind.PATIENT, "p")),
        (names.compartment("c"), Name(NameKind.COMPARTMENT, "c")),
        (names.AUTHORITY, Name(NameKind.AUTHORITY)),
    ],
)
def test_written_and_read(text: str, name: Name) -> None:
    assert parse_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "member",
        "member:",
        "recovery:x",
        "nobody:x",
        ":x",
        "circle:care@",
        "circle:care@x",
        "patient:p@1",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_name(text)
