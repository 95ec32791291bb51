"""Any two of the three shares give the seed back, and mistakes get a clear answer."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations

import pytest
from shamir_mnemonic import Share, generate_mnemonics

from serment.core.crypto import keys, selftest, slip39
from serment.core.crypto.secret import Seed
from serment.errors import FormatError, UsageError

SEED = keys.new_seed()
SHARES = slip39.split(SEED)


def test_a_share_has_33_words_and_the_kit_its_own_first_two():
    assert [len(share.split()) for share in SHARES] == [33, 33, 33]
    assert len({tuple(share.split()[:2]) for share in SHARES}) == 1
    assert len(set(SHARES)) == 3


@pytest.mark.parametrize("chosen", [*permutations(SHARES, 2), SHARES], ids=range(7))
def test_two_or_three_shares_give_the_seed(chosen):
    assert slip39.combine(chosen) == SEED


def test_known_shares_give_a_known_seed():
    assert slip39.combine(selftest.SHARES) == Seed(bytes(range(32)))


def test_paper_does_not_matter():
    numbered = "\n".join(f"{i + 1:2}. {w.upper()}" for i, w in enumerate(SHARES[0].split()))
    assert slip39.combine([numbered, f"  {SHARES[2]}\r\n"]) == SEED


@pytest.mark.parametrize("shares", [[], [SHARES[0]], [SHARES[1], SHARES[1].upper()]])
def test_too_few_shares(shares):
    with pytest.raises(UsageError, match="two different shares are needed"):
        slip39.combine(shares)


def test_too_many_shares():
    with pytest.raises(UsageError, match="there are 4 shares"):
        slip39.combine([*SHARES, SHARES[0]])


@pytest.mark.parametrize("position", [0, 1, 2, 5, 20, 32])
def test_one_wrong_word_is_found(position):
    words = SHARES[1].split()
    words[position] = "academic" if words[position] != "academic" else "acid"
    with pytest.raises(FormatError, match="share 2 has 33 words and one of them is wrong"):
        slip39.combine([SHARES[0], " ".join(words)])


@pytest.mark.parametrize(
    "share", ["", "académique", "academic " * 33, "zero", "x " * 100_000], ids=range(5)
)
def test_what_is_no_share(share):
    with pytest.raises(FormatError, match="share 1"):
        slip39.combine([share, SHARES[0]])


def test_shares_of_two_kits():
    for other in combinations(slip39.split(SEED), 1):
        with pytest.raises(FormatError, match="different kits"):
            slip39.combine([SHARES[0], *other])


@pytest.mark.parametrize(
    ("groups", "size"), [([(2, 3)], 16), ([(3, 5)], 32), ([(1, 1), (2, 3)], 32)], ids=str
)
def test_shares_that_are_not_ours(groups, size):
    shares = generate_mnemonics(1, groups, bytes(size), iteration_exponent=0)
    with pytest.raises(FormatError, match="not of a Serment recovery kit"):
        slip39.combine(shares[-1][:2])


def test_a_third_share_that_does_not_fit_is_noticed():
    # Same kit by its first words and its number, but not the same secret: a forged share.
    share = Share.from_mnemonic(SHARES[2])
    forged = replace(share, value=bytes(len(share.value))).mnemonic()
    with pytest.raises(FormatError, match="do not fit"):
        slip39.combine([SHARES[0], forged])
    with pytest.raises(FormatError, match="do not fit"):
        slip39.combine([SHARES[0], SHARES[1], forged])
