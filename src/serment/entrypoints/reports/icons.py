"""Our own drawings of machines, 24 by 24, and the shapes of severities, 12 by 12: paths of SVG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from serment.core.exposure.findings import Severity
from serment.core.exposure.words import Kind

INTERNET: Final = (
    "M12 3.500a8.500 8.500 0 1 0 0 17a8.500 8.500 0 1 0 0-17zM3.500 12h17"
    "M12 3.500c3 2.400 3.800 5.300 3.800 8.500s-.8 6.100-3.800 8.500"
    "M12 3.500c-3 2.400-3.800 5.300-3.800 8.500s.8 6.100 3.800 8.500"
)
ICONS: Final[Mapping[Kind, str]] = {
    Kind.DICOM: "M4 4.500h16v11H4zM9 20h6M12 15.500V20M9 8.500c.6-1.300 5.400-1.300 6 0M8.500 11c.8-1.300 6.200-1.300 7 0M12 7v6",
    Kind.ARCHIVE: "M4 5h16v14H4zM4 8.500h16M6.200 6.800h.1M8.400 6.800h.1M6.500 17l3.500-4 2.500 2.500 2-2 3 3.500",
    Kind.RECORDS: "M6 3.500h8l4 4v13H6zM14 3.500v4h4M12 10.500v6M9 13.500h6",
    Kind.DATABASE: (
        "M5 6.500c0-3.300 14-3.300 14 0v11c0 3.300-14 3.300-14 0zM5 6.500c0 3.300 14 3.300 14 0"
        "M5 12c0 3.300 14 3.300 14 0"
    ),
    Kind.SHARE: "M3.500 18.500v-12h6l2 2.500h9v9.500zM8.500 14h7M13 11.500l2.500 2.500-2.500 2.500",
    Kind.REMOTE: "M4 5h16v11H4zM9 20h6M12 16v4M9.500 8v5.500l1.800-1.500 1.700 2.500",
    Kind.PRINTER: "M7.500 9V4h9v5M7.500 16H4V9h16v7h-3.500M7.500 13.500h9v6.500h-9z",
    Kind.BOX: "M3.500 12.500h17v6.500h-17zM7 15.800h.1M10 15.800h.1M7.500 12.500V6M16.500 12.500V6M9.800 7.500c1.200-1.200 3.200-1.200 4.400 0",
    Kind.WEB: "M4 5h16v14H4zM4 8.500h16M6.200 6.800h.1M8.400 6.800h.1M7 12h10M7 15.500h6",
    Kind.SERVER: "M4.500 4.500h15v6.500h-15zM4.500 13h15v6.500h-15zM7.500 7.700h.1M7.500 16.200h.1M11 7.700h5M11 16.200h5",
    Kind.MACHINE: "M4 5h16v10.500H4zM2.500 19h19M9.500 15.500l-.7 3.500M14.500 15.500l.7 3.500",
}
SHAPES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "M6 .5 11.800 11H.2z",  # triangle
    Severity.HIGH: "M6 0 12 6 6 12 0 6z",  # diamond
    Severity.MEDIUM: "M1 1h10v10H1z",  # square
    Severity.LOW: "M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10z",  # disc
    Severity.INFO: "M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10zM6 3a3 3 0 1 1 0 6a3 3 0 1 1 0-6z",  # ring
}
