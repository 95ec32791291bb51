"""Makes what a stranger's service says of itself safe to show: no control, no length, no markup.

HTML is escaped where it is rendered; here go escape sequences, line breaks, direction marks and
everything beyond the limit.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SPACES: Final = re.compile(" {2,}")  # those that do not break a line are typography, and stay
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(untrusted: bytes | str, limit: int) -> str:
    """Return one printable line of at most `limit` characters.

    >>> clean(b"220 \\x1b[31mftp\\r\\nmore", 9)
    '220 [31mf'
    """
    text = untrusted.decode("utf-8", "replace") if isinstance(untrusted, bytes) else untrusted
    kept = (" " if c in "\r\n\t" else c for c in text[: 8 * limit])
    line = "".join(c for c in kept if unicodedata.category(c) not in _DROPPED)
    return _SPACES.sub(" ", line).strip()[:limit]
