"""Bech32 without a length limit: how age writes recipients and identities as one line.

Source: BIP 173, as the age specification uses it. Only the key types know their prefixes.
"""

from __future__ import annotations

from serment.errors import N_, FormatError

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(CHARSET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6
MAX_LENGTH = 4096  # an age1pq recipient has 1959 characters


def encode(hrp: str, data: bytes) -> str:
    """Return the lower-case line of `data` (whole bytes) under a lower-case prefix."""
    values = _regroup(data, 8, 5, pad=True)
    check = _polymod(_expand(hrp) + values + [0] * _CHECKSUM) ^ 1
    values += [check >> 5 * (_CHECKSUM - 1 - i) & 31 for i in range(_CHECKSUM)]
    return hrp + "1" + "".join(CHARSET[value] for value in values)


def decode(hrp: str, line: str) -> bytes:
    """Return the bytes of a line that has this (lower-case) prefix.

    Raises:
        FormatError: another prefix, mixed case, a wrong character, checksum or padding.
    """
    lowered = line.lower()
    if len(line) > MAX_LENGTH or line not in (lowered, line.upper()):
        raise _not_a_key(hrp)
    prefix, separator, rest = lowered.rpartition("1")
    values = [_VALUES[character] for character in rest if character in _VALUES]
    if prefix != hrp or not separator or len(values) != len(rest) or len(rest) < _CHECKSUM:
        raise _not_a_key(hrp)
    if _polymod(_expand(hrp) + values) != 1:
        raise _not_a_key(hrp)
    try:
        return bytes(_regroup(values[:-_CHECKSUM], 5, 8, pad=False))
    except ValueError as error:
        raise _not_a_key(hrp) from error


def _not_a_key(hrp: str) -> FormatError:
    return FormatError(
        N_("this is not a key line that starts with {prefix}1"),
        hint=N_("copy the whole line again, without spaces"),
        prefix=hrp,
    )


def _expand(hrp: str) -> list[int]:
    codes = hrp.encode()
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate(_GENERATOR):
            if top >> i & 1:
                check ^= generator
    return check


def _regroup(values: bytes | list[int], width: int, into: int, *, pad: bool) -> list[int]:
    number = bits = 0
    out = []
    for value in values:
        number = (number << width | value) & (1 << width + into) - 1
        bits += width
        while bits >= into:
            bits -= into
            out.append(number >> bits & (1 << into) - 1)
    rest = number & (1 << bits) - 1
    if pad:
        return [*out, rest << into - bits] if bits else out
    if bits >= width or rest:
        raise ValueError("padding is not zero or too long")
    return out
