"""Base64 with one way to write each value."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.core.crypto.canonical import canonical_base64


@given(st.binary(max_size=40))
def test_what_was_written_is_read(raw: bytes) -> None:
    assert canonical_base64(base64.b64encode(raw)) == raw


@pytest.mark.parametrize("text", [b"AB==", b"AAB=", b"AA", b"AA=", b"AA==\n", b"A A=", b"AA==AA=="])
def test_no_other_text_says_the_same(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        canonical_base64(text)
