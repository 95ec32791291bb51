"""Key lines: the strings of BIP 173, and every typing error is noticed."""

from __future__ import annotations

import pytest

from serment.core.crypto import bech32
from serment.errors import FormatError

LINE = bech32.encode("age", bytes(range(32)))


@pytest.mark.parametrize(
    ("hrp", "line", "data"),
    [
        ("a", "A12UEL5L", b""),
        ("a", "a12uel5l", b""),
        ("abcdef", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
         bytes.fromhex("00443214c74254b635cf84653a56d7c675be77df")),
    ],
)  # fmt: skip
def test_strings_of_bip_173(hrp, line, data):
    assert bech32.decode(hrp, line) == data
    assert bech32.encode(hrp, data) == line.lower()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "1",
        "age",
        "age1",
        "age1qqq",
        "pzry9x0s0muk",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        "de1lg7wtÿ",
        "x1b4n0q5v",
        "li1dgmt3",
        "a12ueL5L",
        "age1" + "q" * 5000,
    ],
    ids=range(14),
)
def test_what_is_no_line(line):
    for hrp in ("age", "a", "x"):
        with pytest.raises(FormatError):
            bech32.decode(hrp, line)


def test_another_prefix_is_refused():
    with pytest.raises(FormatError, match="age1pq1"):
        bech32.decode("age1pq", LINE)


def test_every_single_wrong_character_is_noticed():
    for i in range(4, len(LINE)):
        wrong = "q" if LINE[i] != "q" else "p"
        with pytest.raises(FormatError):
            bech32.decode("age", LINE[:i] + wrong + LINE[i + 1 :])


def test_padding_that_is_not_zero_is_refused():
    # 32 bytes are 52 characters with 4 spare bits; set one and mend the checksum.
    values = bech32._regroup(bytes(32), 8, 5, pad=True)
    values[-1] |= 1
    check = bech32._polymod(bech32._expand("age") + values + [0] * 6) ^ 1
    values += [check >> 5 * (5 - i) & 31 for i in range(6)]
    with pytest.raises(FormatError):
        bech32.decode("age", "age1" + "".join(bech32.CHARSET[value] for value in values))
