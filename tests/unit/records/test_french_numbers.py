"""NIR, INS, RPPS and FINESS. Every NIR here is made up for the tests, with its key computed."""

from __future__ import annotations

import pytest

from serment.core.records.check_digits import luhn_holds
from serment.core.records.finess import parse_finess
from serment.core.records.ins import (
    InsAuthority,
    StrictTraits,
    Trait,
    differing_traits,
    parse_ins,
)
from serment.core.records.nir import Nir, NirKind, is_nir, parse_nir
from serment.core.records.rpps import parse_rpps
from serment.errors import FormatError


def keyed(thirteen: str) -> str:
    """The rule once more, on its own: 97 less the number's remainder by 97."""
    number = int(thirteen.replace("2A", "19").replace("2B", "18"))
    return f"{thirteen}{97 - number % 97:02}"


def test_published_example() -> None:
    """The example that the article on the NIR of the French Wikipedia computes."""
    assert parse_nir("2 55 08 14 168 025 38") == Nir("2550814168025")


@pytest.mark.parametrize(
    ("thirteen", "sex", "month", "kind"),
    [
        ("1840275123456", "M", "02", NirKind.REGISTERED),
        ("2991299109001", "F", "12", NirKind.REGISTERED),
        ("1702075123456", "M", None, NirKind.REGISTERED),
        ("2704275123456", "F", None, NirKind.REGISTERED),
        ("2709975123456", "F", None, NirKind.REGISTERED),
        ("184022A004001", "M", "02", NirKind.REGISTERED),
        ("284022B033001", "F", "02", NirKind.REGISTERED),
        ("7840299100001", "M", "02", NirKind.WAITING),
        ("8840299100001", "F", "02", NirKind.WAITING),
    ],
)
def test_what_a_number_tells(thirteen: str, sex: str, month: str | None, kind: NirKind) -> None:
    nir = parse_nir(keyed(thirteen).lower())
    assert (nir.reveal(), nir.sex, nir.month, nir.kind) == (thirteen, sex, month, kind)
    assert thirteen + nir.key == keyed(thirteen)
    assert is_nir(keyed(thirteen))
    assert parse_nir(thirteen) == nir
    assert not is_nir(thirteen)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1" * 13 + "x",
        "0840275123456",
        "1841375123456",
        "1844375123456",
        "1840075123456",
        "184022C004001",
        "1840275123456 99 1",
        "１８４０２７５１２３４５６",
        "9" * 1000,
    ],
)
def test_other_shapes(text: str) -> None:
    with pytest.raises(FormatError, match="not a NIR"):
        parse_nir(text)
    assert not is_nir(text)


def test_every_single_mistyped_digit_is_caught() -> None:
    right = keyed("1840275123456")
    for position in range(1, 15):
        for digit in "0123456789":
            wrong = right[:position] + digit + right[position + 1 :]
            assert wrong == right or not is_nir(wrong)


def test_a_nir_is_never_printed() -> None:
    number = keyed("1840275123456")
    with pytest.raises(FormatError) as raised:
        parse_nir(number[:-2] + "00")
    assert "184" not in f"{parse_nir(number)!r} {raised.value} {raised.value.advice}"


def test_ins_goes_with_its_authority() -> None:
    ins = parse_ins(keyed("1840275123456"), "urn:oid:1.2.250.1.213.1.4.8")
    assert (ins.authority, ins.is_real) == (InsAuthority.NIR, True)
    assert "184" not in repr(ins)
    assert parse_ins(keyed("7840299100001"), "1.2.250.1.213.1.4.9").is_real
    assert not parse_ins(keyed("1840275123456"), "1.2.250.1.213.1.4.10").is_real
    for number, oid in [
        ("1840275123456", "1.2.250.1.213.1.4.9"),
        ("7840299100001", "1.2.250.1.213.1.4.8"),
        ("1840275123456", "1.2.3"),
    ]:
        with pytest.raises(FormatError):
            parse_ins(keyed(number), oid)


def test_strict_traits_are_held_against_the_number() -> None:
    ins = parse_ins(keyed("2840275123456"), InsAuthority.NIR)
    fits = StrictTraits("LEFÈVRE", "Lucie", "19840229", "F", "75123")
    assert differing_traits(ins, fits) == ()
    other = StrictTraits("", " ", "19850329", "M", "2A004")
    assert differing_traits(ins, other) == tuple(Trait)
    assert "LEF" not in repr(fits)


def test_strict_traits_of_an_incomplete_civil_status() -> None:
    ins = parse_ins(keyed("2842075123456"), InsAuthority.NIR)
    assert differing_traits(ins, StrictTraits("A", "B", "19840229", "F", "75123")) == ()


def test_rpps() -> None:
    assert luhn_holds("10001234565")
    assert parse_rpps("10 0012 3456 5") == "10001234565"
    assert parse_rpps("810001234565") == "10001234565"
    for text in ("", "10001234566", "1000123456", "1000123456x", "x" * 10**5):
        with pytest.raises(FormatError):
            parse_rpps(text)


def test_finess() -> None:
    assert parse_finess("75 071 218 4") == "750712184"
    assert parse_finess("2a0000014") == "2A0000014"
    for text in ("", "750712185", "2C0000014", "75071218", "7507121841"):
        with pytest.raises(FormatError):
            parse_finess(text)
