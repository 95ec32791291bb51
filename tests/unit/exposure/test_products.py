"""Versions compared whatever a peer says; the table of flaws is dated and sourced."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.core.exposure.products import (
    Flaw,
    compare,
    is_packaged,
    parse_flaws,
    parse_version,
)
from serment.errors import FormatError

TEXT = files("serment.core.exposure").joinpath("products.toml").read_text(encoding="utf-8")
TABLE = parse_flaws(TEXT)


def flaws(product: str, version: str) -> set[str]:
    return {cve for each in TABLE if each.concerns(product, version) for cve in each.cves}


def test_at_least_ten_products_each_with_its_source_and_date() -> None:
    assert len({each.product for each in TABLE}) >= 10
    for each in TABLE:
        assert len(each.source) > 10
        assert each.checked >= date(2026, 11, 1)
        assert each.cves or each.ended
        assert all(cve.startswith("CVE-") for cve in each.cves)


@pytest.mark.parametrize(
    ("product", "bad", "good"),
    [
        ("Orthanc", "1.12.10", "1.12.11"),
        ("orthanc", "1.5.7", "mainline"),
        ("DCMTK", "3.7.0", "3.7.1"),
        ("Conquest", "1.4.19d", "1.5.0"),
        ("Sante PACS Server", "4.2.2", "4.2.3"),
        ("OpenEMR", "7.0.2", "8.0.0"),
        ("Mirth Connect", "4.4.0", "4.4.1"),
        ("Samba", "4.9.5", "4.13.17"),
        ("vsftpd", "2.3.4", "3.0.3"),
        ("vsftpd", "2.3.4", "2.3.5"),
        ("Synology DSM", "7.2.1-69057-6", "7.2.1-69057-7"),
        ("Synology DSM", "7.2.2-72806", "7.2.2-72806-3"),
        ("pynetdicom", "3.0.3", "3.0.4"),
        ("Dicoogle", "2.5.0", "3.0.0"),
        ("PacsOne", "6.6.2", "7.1.1"),
        ("MedDream", "6.7.1.1", "8.0"),
        ("QNAP QTS", "5.1.6.2722", "5.1.7.2770"),
        ("Dropbear", "2016.73", "2016.74"),
        ("MongoDB", "7.0.27", "7.0.28"),
        ("MongoDB", "8.0.16", "8.1.0"),
        ("MongoDB", "4.2.24", "3.4.24"),  # the flaw came with 3.6
    ],
)
def test_vulnerable_and_mended(product: str, bad: str, good: str) -> None:
    assert flaws(product, bad)
    assert not flaws(product, good)


@pytest.mark.parametrize(
    ("version", "ended"),
    [
        ("8.0.2039", date(2016, 4, 12)),
        ("10.50.6000", date(2019, 7, 9)),
        ("11.0.7001", date(2022, 7, 12)),
        ("12.0.6024", date(2024, 7, 9)),
        ("13.0.6300", date(2026, 7, 14)),
        ("14.0.1000", None),
        ("16.0.4085", None),
        ("", None),
    ],
)
def test_the_day_after_which_a_version_is_no_longer_mended(
    version: str, ended: date | None
) -> None:
    known = [each for each in TABLE if each.concerns("Microsoft SQL Server", version)]
    assert [each.ended for each in known] == ([ended] if ended else [])


def test_another_product_with_a_similar_name_is_not_meant() -> None:
    assert not flaws("Orthancoid", "1.0")
    assert not flaws("", "1.0")
    assert flaws("Orthanc Explorer", "1.0")
    assert flaws("  ORTHANC/1", "1.0")


@pytest.mark.parametrize("version", ["", "unknown", "v", "\x00", "...", "-", "٣.٣", "9" * 400])
def test_a_version_without_number_is_no_flaw(version: str) -> None:
    assert not flaws("vsftpd", version)


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_version_breaks_it(one: str, other: str) -> None:
    left, right = parse_version(one), parse_version(other)
    assert compare(left, right) == -compare(right, left)
    flaws("orthanc", one)
    is_packaged(one)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6))
def test_a_version_is_itself_with_zeros_behind(numbers: list[int]) -> None:
    text = ".".join(map(str, numbers))
    assert compare(parse_version(text), parse_version(text + ".0")) == 0
    assert compare(parse_version(text), parse_version(text + ".1")) == -1


@pytest.mark.parametrize("version", ["4.17.12-Debian", "9.2p1 Debian-2+deb12u3", "1.10.1+dfsg-2"])
def test_a_packaged_version_is_known_as_such(version: str) -> None:
    assert is_packaged(version)
    assert not is_packaged("4.17.12")


@pytest.mark.parametrize(
    "text",
    [
        "not toml [",
        "checked = 2026-01-01",
        'checked = 2026-01-01\n[[flaw]]\nproduct="a"\nname="a"\ncves=[]\nsource="x"',
        'checked = 2026-01-01\n[[flaw]]\nproduct="a"\nname="a"\ncves=[]\nsource=""\nfixed="1"',
        'checked = 2026-01-01\n[[flaw]]\nproduct="a"\nname="a"\ncves=[]\nsource="x"\nlast="1"',
        'checked = 2026-01-01\n[[flaw]]\nproduct="a"\nname="a"\ncves=[]\nsource="x"\nlast="1"\nended="x"',
    ],
)
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_flaws(text)


def test_a_row_has_one_limit() -> None:
    assert all(
        sum(bool(limit) for limit in (each.fixed, each.last, each.only)) == 1
        for each in TABLE
        if isinstance(each, Flaw)
    )
