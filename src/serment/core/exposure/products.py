"""Which versions of which products have published flaws, or are no longer mended: the table's form,
and comparing versions.

The facts are `products.toml`, dated, each row with its source; who reads the file hands the text in.
Versions are what a peer says of itself, so comparing them never fails: what holds no number is
unknown, and unknown is no flaw.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from serment.errors import N_, FormatError

Version = tuple[int, ...]

_NUMBERS: Final = re.compile(r"\d{1,9}")
_VERSION: Final = re.compile(r"\d{1,9}(?:[.\-_]\d{1,9}){0,7}")
_PACKAGED: Final = re.compile(
    r"debian|ubuntu|\bdeb\d|\+dfsg|\.el\d|\.fc\d|suse|~bpo", re.IGNORECASE
)
_LIMITS: Final = ("fixed", "last", "only", "branch", "first")
_LONGEST: Final = 200  # characters of a version that are looked at


@dataclass(frozen=True, slots=True)
class Flaw:
    """One row: versions of a product that are known to be vulnerable, or that their maker no longer
    mends since the day they `ended`; such a row needs no `cves`.

    `product` is matched against the first words of what a service calls itself, without case.
    Vulnerable is what is older than `fixed` (of the same branch, the numbers that `branch` names),
    or up to `last`, or exactly `only`; nothing older than `first`. `library`: the name told is that
    of a library inside another program.
    """

    product: str
    name: str
    cves: tuple[str, ...]
    source: str
    checked: date
    fixed: Version = ()
    last: Version = ()
    only: Version = ()
    branch: Version = ()
    first: Version = ()
    library: bool = False
    advice: str = ""  # the version to go to, as the source writes it
    ended: date | None = None

    def concerns(self, product: str, version: str) -> bool:
        """Whether that product in that version is the vulnerable one."""
        found = parse_version(version)
        if not found or not _is_product(self.product, product):
            return False
        if self.only:
            return compare(found, self.only) == 0
        if self.branch and found[: len(self.branch)] != self.branch:
            return False
        if self.first and compare(found, self.first) < 0:
            return False
        if self.fixed:
            return compare(found, self.fixed) < 0
        return compare(found[: len(self.last)], self.last) <= 0


def parse_version(untrusted: str) -> Version:
    """The numbers of a version, most significant first; () when there are none.

    >>> parse_version("v4.17.12-Debian"), parse_version("7.2.1-69057"), parse_version("unknown")
    ((4, 17, 12), (7, 2, 1, 69057), ())
    """
    found = _VERSION.search(untrusted[:_LONGEST])
    return tuple(int(part) for part in _NUMBERS.findall(found.group())) if found else ()


def compare(one: Version, other: Version) -> int:
    """-1, 0 or 1; missing numbers count as 0, so that 1.2 is 1.2.0."""
    length = max(len(one), len(other))
    left, right = (each + (0,) * (length - len(each)) for each in (one, other))
    return (left > right) - (left < right)


def is_packaged(version: str) -> bool:
    """Whether a distribution made it, which mends flaws without changing the number."""
    return _PACKAGED.search(version[:_LONGEST]) is not None


def parse_flaws(text: str) -> tuple[Flaw, ...]:
    """The rows of the table.

    Raises:
        FormatError: it is not a table of flaws.
    """
    try:
        table = tomllib.loads(text)
        return tuple(_flaw(row, table["checked"]) for row in table["flaw"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise FormatError(N_("the table of known flaws cannot be read")) from error


def _flaw(row: dict[str, Any], checked: date) -> Flaw:
    limits = {key: parse_version(row.get(key, "")) for key in _LIMITS}
    if sum(bool(limits[key]) for key in ("fixed", "last", "only")) != 1 or not row["source"]:
        raise ValueError(row["product"])
    ended = row.get("ended")
    if not isinstance(ended, date | None) or not (row["cves"] or ended):
        raise ValueError(row["product"])
    return Flaw(
        product=row["product"].casefold(),
        name=row["name"],
        cves=tuple(row["cves"]),
        source=row["source"],
        checked=row.get("checked", checked),
        library=row.get("library", False),
        advice=row.get("fixed", ""),
        ended=ended,
        **limits,
    )


def _is_product(wanted: str, told: str) -> bool:
    said = " ".join(told[:_LONGEST].casefold().split())
    return said == wanted or said.startswith((wanted + " ", wanted + "/"))
