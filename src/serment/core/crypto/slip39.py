"""The recovery seed as three lists of words, any two of which give it back.

How the words are printed and kept is decided by the kit. One share alone tells nothing.

Source: SLIP-0039 (one group, 2 of 3, no passphrase), by the `shamir-mnemonic` package.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics

from serment.core.crypto.secret import SECRET_BYTES, Seed
from serment.errors import N_, FormatError, UsageError

THRESHOLD, COUNT = 2, 3
WORDS = 33
# The iterations only slow down guessing a passphrase; there is none.
_ITERATION_EXPONENT = 0
_WORD = re.compile(r"[a-z]+")


def split(seed: Seed) -> tuple[str, str, str]:
    """Return three shares of 33 words each, separated by spaces."""
    (group,) = generate_mnemonics(
        1, [(THRESHOLD, COUNT)], seed.reveal(), iteration_exponent=_ITERATION_EXPONENT
    )
    first, second, third = group
    return first, second, third


def combine(shares: Sequence[str]) -> Seed:
    """Return the seed of two or three shares; case, line breaks and numbering do not count.

    Raises:
        UsageError: fewer than two different shares, or more than three.
        FormatError: a share has a wrong word, or the shares are of different kits.
    """
    if len(shares) > COUNT:
        raise UsageError(N_("there are {found} shares; a kit has 3"), found=len(shares))
    mnemonics = [" ".join(_WORD.findall(share.lower())) for share in shares]
    parsed = [_parse(mnemonic, i + 1) for i, mnemonic in enumerate(mnemonics)]
    if len({share.identifier for share in parsed}) > 1:
        raise FormatError(
            N_("these shares belong to different kits"),
            hint=N_("the first two words of all shares of a kit are the same"),
        )
    different = {share.index: mnemonic for share, mnemonic in zip(parsed, mnemonics, strict=True)}
    if len(different) < THRESHOLD:
        raise UsageError(
            N_("two different shares are needed; there is {found}"),
            hint=N_("bring another share of the same kit"),
            found=len(different),
        )
    first, *others = different.values()
    seeds = {_combined([first, other]) for other in others}
    if len(seeds) > 1:
        raise _misfit()
    return seeds.pop()


def _parse(mnemonic: str, number: int) -> Share:
    try:
        share = Share.from_mnemonic(mnemonic)
    except MnemonicError as error:
        raise FormatError(
            N_("share {number} has {found} words and one of them is wrong or missing"),
            hint=N_("a share has 33 words; compare each with the paper"),
            number=number,
            found=mnemonic.count(" ") + 1 if mnemonic else 0,
        ) from error
    ours = (share.group_count, share.member_threshold, len(share.value)) == (
        1,
        THRESHOLD,
        SECRET_BYTES,
    )
    if not ours:
        raise FormatError(N_("share {number} is not of a Serment recovery kit"), number=number)
    return share


def _combined(pair: list[str]) -> Seed:
    try:
        return Seed(combine_mnemonics(pair))
    except MnemonicError as error:
        raise _misfit() from error


def _misfit() -> FormatError:
    return FormatError(N_("these shares do not fit together"))
