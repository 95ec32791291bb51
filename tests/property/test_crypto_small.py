"""For any input: values open only where they were sealed, trees and notes tell the truth."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from serment.core.crypto import bech32, keys, merkle, password, signing, slip39, wraps
from serment.core.crypto.context import Context, encode_fields
from serment.core.crypto.secret import Key, Seed
from serment.core.masked import Masked
from serment.errors import AccessDenied, FormatError, IntegrityError, SermentError, UsageError

KEY = Key(bytes(32))
SIGNER = signing.new_signing_key()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
contexts = st.builds(Context, texts, texts, texts, texts, st.integers(0, 2**64 - 1))
hashes = st.binary(min_size=32, max_size=32)


@given(contexts, contexts)
def test_contexts_are_told_apart(one, other):
    assert (one.encode() == other.encode()) == (one == other)


@given(
    st.lists(texts | st.binary(max_size=9), max_size=4),
    st.lists(texts | st.binary(max_size=9), max_size=4),
)
def test_fields_are_told_apart(one, other):
    def raw(fields):
        return [field.encode() if isinstance(field, str) else field for field in fields]

    assert (encode_fields(*one) == encode_fields(*other)) == (raw(one) == raw(other))


@given(st.binary(max_size=500), contexts, contexts)
def test_a_value_opens_only_in_its_context(plain, here, there):
    blob = wraps.seal_value(plain, KEY, here)
    assert wraps.open_value(blob, KEY, here) == plain
    if here != there:
        try:
            wraps.open_value(blob, KEY, there)
        except IntegrityError:
            return
        raise AssertionError("opened elsewhere")


@given(st.binary(max_size=1300), contexts)
def test_no_bytes_are_a_wrap_of_ours(untrusted, context):
    seed = Seed(bytes(32))
    for opening in (
        lambda: wraps.open_value(untrusted, KEY, context),
        lambda: wraps.unwrap_under_key(untrusted, KEY, context),
        lambda: wraps.unwrap_with_seed(untrusted, seed, context),
    ):
        try:
            opening()
        except IntegrityError:
            continue
        raise AssertionError("opened without having been sealed")


@given(
    st.binary(max_size=90)
    | st.binary(min_size=76, max_size=76).map(lambda b: b"\1\1\0\1\0\0 \0" + b)
)
def test_no_bytes_unlock_a_member(untrusted):
    try:
        password.open_with_password(untrusted, Masked("x"), Context("", "", "", ""))
    except (AccessDenied, FormatError):
        return
    raise AssertionError("unlocked without having been sealed")


def recursive_root(leaves):
    """RFC 6962 section 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + recursive_root(leaves[:k]) + recursive_root(leaves[k:])).digest()


@given(st.lists(hashes, max_size=70), st.data())
def test_trees_are_those_of_the_standard(leaves, data):
    root = merkle.root(leaves)
    assert root == recursive_root(leaves)
    old = data.draw(st.integers(0, len(leaves)))
    proof = merkle.consistency_proof(leaves, old, len(leaves))
    assert merkle.verify_consistency(old, len(leaves), proof, recursive_root(leaves[:old]), root)
    if leaves:
        index = data.draw(st.integers(0, len(leaves) - 1))
        proof = merkle.inclusion_proof(leaves, index, len(leaves))
        assert merkle.verify_inclusion(leaves[index], index, len(leaves), proof, root)


numbers = st.integers(-2, 40)


@given(hashes, numbers, numbers, st.lists(hashes, max_size=8), hashes, hashes)
def test_no_random_proof_proves_anything(leaf, one, other, proof, old_root, new_root):
    assert not merkle.verify_inclusion(leaf, one, other, proof, new_root)
    true_anyway = one == 0 < other and not proof and old_root == merkle.root(())
    assert merkle.verify_consistency(one, other, proof, old_root, new_root) == (
        true_anyway or (one == other > 0 and not proof and old_root == new_root)
    )


@given(st.text(max_size=200), texts)
def test_a_note_opens_to_its_text_or_is_not_written(text, name):
    try:
        note = signing.sign_note(text, name, SIGNER)
    except UsageError:
        return
    assert signing.open_note(note, name, signing.verify_key(SIGNER)) == text


@given(
    st.lists(st.sampled_from(["a\n", "\n", "— ", "n ", "AAAAAAAA", "\n\n"]) | st.text(max_size=9))
)
def test_no_text_is_a_note_of_ours(pieces):
    try:
        signing.open_note("".join(pieces), "n", signing.verify_key(SIGNER))
    except (FormatError, IntegrityError):
        return
    raise AssertionError("opened without having been signed")


@given(st.binary(max_size=100), st.sampled_from(["age", "age1pq", "age-secret-key-"]))
def test_key_lines_come_back_in_either_case(data, hrp):
    line = bech32.encode(hrp, data)
    assert bech32.decode(hrp, line) == bech32.decode(hrp, line.upper()) == data


@given(st.text(max_size=90) | st.text("qpzry9x8gf2tvdw0s3jn54khce6mua7l1", max_size=90))
def test_any_line_is_refused_with_our_error_only(line):
    for text in (line, "age1" + line):
        try:
            bech32.decode("age", text)
        except FormatError:
            continue
        raise AssertionError("a random line has a valid checksum")


@given(hashes, st.lists(st.sampled_from(range(3)), min_size=2, max_size=2, unique=True))
def test_any_seed_survives_its_words(raw, chosen):
    shares = slip39.split(Seed(raw))
    assert slip39.combine([shares[i] for i in chosen]).reveal() == raw


words = st.sampled_from(["academic", "acid", "zero", "union", "xyz", "é", "1."])


@given(st.lists(st.lists(words, max_size=40).map(" ".join), max_size=4))
def test_any_words_are_refused_with_our_errors_only(shares):
    try:
        slip39.combine(shares)
    except SermentError:
        return
    raise AssertionError("random words gave a seed")


@given(hashes, texts, texts)
def test_subkeys_differ_by_label(raw, one, other):
    same = keys.subkey(Seed(raw), one) == keys.subkey(Seed(raw), other)
    assert same == (one == other)
