"""Which ports are looked at: the usual ones of a practice, all, or a list."""

from __future__ import annotations

from typing import Final

from serment.errors import N_, UsageError

ALL: Final = tuple(range(1, 65_536))

# Where the protocols that are recognised usually listen; what listens there is found by talking.
_DICOM = (104, 105, 106, 2104, 2345, 2761, 2762, 4006, 4100, 4242, 4243, 4444, 5678, 6000, 7777)
_DICOM_HIGH = (8104, 10104, 11110, 11111, 11112, 11113, 11114, 11115, 12000, 22104, 33000, 40000)
_MESSAGES = (2575, 2576, 6060, 6661, 6662, 6663, 7100)
_WEB = (80, 81, 82, 88, 443, 591, 631, 3000, 3001, 4200, 5000, 5001, 5601, 7000, 7001, 7080, 7443)
_WEB_HIGH = (8000, 8001, 8008, 8010, 8020, 8042, 8043, 8069, 8080, 8081, 8082, 8083, 8085, 8088)
_WEB_HIGHER = (8090, 8181, 8443, 8444, 8800, 8880, 8888, 9000, 9001, 9080, 9090, 9200, 9443, 10443)
_FILES = (20, 21, 990, 2121, 139, 445, 111, 2049, 873, 548)
_REMOTE = (22, 23, 2222, 2323, 3389, 3390, 5800, 5900, 5901, 5902)
_DATABASES = (1433, 1521, 3306, 3307, 5432, 5433, 5984, 6379, 6380, 9300, 11211, 27017, 27018)
_BOX = (1900, 2869, 5431, 49000, 49152, 52869)
_PRINTERS = (515, 9100, 9101, 9102, 9103, 9104, 9105, 9106, 9107)  # connected to, never spoken to
_OTHERS = (25, 53, 110, 143, 161, 389, 636, 554, 1883, 3260)

COMMON: Final = tuple(
    sorted(
        {
            *_DICOM, *_DICOM_HIGH, *_MESSAGES, *_WEB, *_WEB_HIGH, *_WEB_HIGHER, *_FILES, *_REMOTE,
            *_DATABASES, *_BOX, *_PRINTERS, *_OTHERS,
        }
    )
)  # fmt: skip


def parse_ports(text: str) -> tuple[int, ...]:
    """Ports in rising order of "common", "all", or a list as 104,4242,8000-8100.

    Raises:
        UsageError: it is none of these.
    """
    match text.strip().casefold():
        case "common":
            return COMMON
        case "all":
            return ALL
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = (each.strip() for each in part.partition("-"))
        low = _port(first, text)
        high = _port(last, text) if dash else low
        if low > high:
            raise _unreadable(text)
        found.update(range(low, high + 1))
    return tuple(sorted(found))


def _port(digits: str, text: str) -> int:
    if not (
        digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 65_536
    ):
        raise _unreadable(text)
    return int(digits)


def _unreadable(text: str) -> UsageError:
    return UsageError(
        N_("{ports} is no list of ports"),
        hint=N_("write common, all, or 104,4242,8000-8100"),
        ports=text[:80],
    )
