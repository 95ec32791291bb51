"""Signatures, and notes that other tools of transparency logs can read."""

from __future__ import annotations

import base64

import pytest

from serment.core.crypto import signing
from serment.core.crypto.secret import Seed
from serment.errors import FormatError, IntegrityError, UsageError

SEED = signing.new_signing_key()
PUBLIC = signing.verify_key(SEED)
TEXT = "serment.example/cabinet\n12\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
NAME = "serment.example/cabinet"
NOTE = signing.sign_note(TEXT, NAME, SEED)

# The note and verifier key shown in the documentation of Go's golang.org/x/mod/sumdb/note.
NEUMANN = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
NEUMANN_KEY = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]


def test_a_signature_holds_for_its_message_and_key():
    signature = signing.sign(SEED, b"entry")
    assert len(signature) == 64 and len(PUBLIC) == 32
    assert signing.verify(PUBLIC, b"entry", signature)
    assert not signing.verify(PUBLIC, b"entry.", signature)
    assert not signing.verify(signing.verify_key(Seed(bytes(32))), b"entry", signature)
    assert not signing.verify(PUBLIC, b"entry", signature[:-1])
    assert not signing.verify(b"short", b"entry", signature)


def test_a_note_of_another_tool_opens():
    text = signing.open_note(NEUMANN, "PeterNeumann", NEUMANN_KEY)
    assert text == NEUMANN.partition("\n\n")[0] + "\n"


def test_our_note_opens_for_its_name_and_key():
    assert NOTE.startswith(TEXT + "\n— serment.example/cabinet ")
    assert signing.open_note(NOTE, NAME, PUBLIC) == TEXT


def test_signatures_of_others_are_ignored():
    others = NEUMANN.rpartition("\n\n")[2]
    assert signing.open_note(NOTE + others, NAME, PUBLIC) == TEXT
    head, tail = NOTE.rsplit("\n\n", 1)
    assert signing.open_note(f"{head}\n\n{others}{tail}", NAME, PUBLIC) == TEXT


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("\n12\n", "\n13\n"),
        NOTE.replace(f"— {NAME}", "— somebody"),
        NEUMANN,
        NOTE.replace(TEXT, TEXT + "\n", 1),
    ],
    ids=["text changed", "name changed", "another note", "line added"],
)
def test_what_that_key_has_not_signed(note):
    with pytest.raises(IntegrityError, match="not signed by"):
        signing.open_note(note, NAME, PUBLIC)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        TEXT,
        TEXT + "\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("— ", "- "),
        NOTE.replace("12", "1\x002"),
        NOTE.replace("12", "\ud800"),
        NOTE + "— name !!!\n",
        NOTE + "— name AAAA\n",
        NOTE + "— name\n",
        NOTE + "—  AAAAAAAA\n",
        NOTE + "— né AAAAAAé=\n",
        NOTE + "— n AAAAAAAA\n" * 200,
        "x" * 2_000_000,
    ],
    ids=range(16),
)
def test_what_is_no_note(note):
    with pytest.raises(FormatError, match="not a signed note"):
        signing.open_note(note, NAME, PUBLIC)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b"])
def test_a_name_that_notes_cannot_hold(name):
    with pytest.raises(UsageError):
        signing.sign_note(TEXT, name, SEED)


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "\ud800\n"])
def test_a_text_that_notes_cannot_hold(text):
    with pytest.raises(UsageError):
        signing.sign_note(text, NAME, SEED)
