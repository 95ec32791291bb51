"""Which of a machine's answers were recorded on a real one. A table of facts.

An answer counts once a file of tests/data/posture/recorded holds it, with its origin in the README
there; a test compares. A verdict that rests on anything else is shown as unknown, because nobody
has seen the parser meet the real thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from serment.core.exposure.posture.verdict import System

RECORDED: Final[Mapping[System, frozenset[str]]] = {
    System.LINUX: frozenset(
        {
            *("account", "apt-dates", "apt-history", "apt-pending", "block-devices", "chrony"),
            *("clock", "gnome-screensaver", "gnome-session", "listening", "login-screens"),
            *("nftables", "os-release", "pam", "pwquality", "samba", "services", "ufw"),
        }
    ),
    System.MACOS: frozenset(),
    System.WINDOWS: frozenset(),
}
