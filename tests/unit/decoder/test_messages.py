"""Parent and child's messages: what is sent arrives, what is hostile is refused."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.adapters.decoder.messages import HEADER_LIMIT, receive, send
from serment.adapters.decoder.process import _refusal
from serment.errors import FormatError, NotFound

LIMIT = 1 << 12
headers = st.dictionaries(st.text(max_size=9), st.integers() | st.text(max_size=20), max_size=4)


@given(st.lists(st.tuples(headers, st.binary(max_size=LIMIT)), max_size=4))
def test_what_is_sent_arrives(messages: list[tuple[dict[str, object], bytes]]) -> None:
    pipe = BytesIO()
    for header, payload in messages:
        send(pipe.write, header, payload)
    pipe.seek(0)
    for header, payload in messages:
        assert receive(pipe.read, LIMIT) == ({**header, "length": len(payload)}, payload)
    assert receive(pipe.read, LIMIT) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    for start in (data, len(data).to_bytes(4, "big") + data):
        try:
            received = receive(BytesIO(start).read, LIMIT)
        except ValueError:
            continue
        assert received is None or len(received[1]) <= LIMIT


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"7",
        b'{"length": -1}',
        b'{"length": %d}' % (LIMIT + 1),
        b'{"length": "1"}',
        b"{}",
        b"[" * 5000,
        b"x" * (HEADER_LIMIT + 1),
        b'{"length": 9}1234',
    ],
)
def test_hostile_headers_are_refused(header: bytes) -> None:
    size = header.index(b"}") + 1 if header.endswith(b"1234") else len(header)
    with pytest.raises(ValueError):
        receive(BytesIO(size.to_bytes(4, "big") + header).read, LIMIT)


def _answer(**changed: object) -> dict[str, object]:
    return {
        "error": "NotFound",
        "message": "there is no frame {frame}",
        "hint": "",
        "values": {"frame": "9"},
    } | changed


def test_a_refusal_keeps_kind_and_words() -> None:
    error = _refusal(_answer())
    assert isinstance(error, NotFound)
    assert str(error) == "there is no frame 9"


@pytest.mark.parametrize(
    "changed",
    [
        {"message": "{frame:>999999999}"},
        {"message": "{frame.__class__}"},
        {"message": "{0}"},
        {"message": "{"},
        {"message": "\x1b[2J"},
        {"message": "x" * 500},
        {"message": 7},
        {"values": {"frame": "y" * 90}},
        {"values": {"frame": "\n"}},
        {"values": None},
        {"message": "{hint}", "values": {"hint": "twice"}},
    ],
)
def test_a_hostile_refusal_is_replaced(changed: dict[str, object]) -> None:
    error = _refusal(_answer(**changed))
    assert isinstance(error, FormatError)
    assert "within the limits" in str(error)


def test_a_made_up_kind_is_a_format_error() -> None:
    for made_up in ("AccessDenied", "SystemExit", "", json.dumps({})):
        assert type(_refusal(_answer(error=made_up))) is FormatError
