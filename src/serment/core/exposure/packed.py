"""What one audit leaves to be kept, small enough for the local socket (1 MiB): JSON, deflated.

Findings say the same few sentences again and again: a thousand take some 20 kB. Unpacking is
bounded, so that a small text cannot fill the memory (RFC 1951 has no bound of its own).
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from typing import Any, Final

from serment.errors import N_, FormatError

MOST_BYTES: Final = 64 << 20  # unpacked


def pack(value: Any) -> str:
    """A JSON value as a short text."""
    raw = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return b64encode(zlib.compress(raw, 6)).decode()


def unpack(text: str) -> Any:
    """The JSON value again.

    Raises:
        FormatError: it is none, or larger than any audit.
    """
    try:
        stream = zlib.decompressobj()
        raw = stream.decompress(b64decode(text, validate=True), MOST_BYTES)
        if not stream.eof:
            raise ValueError
        return json.loads(raw)
    except (TypeError, ValueError, RecursionError, zlib.error) as error:
        raise FormatError(N_("what the audit left cannot be read, or is far too large")) from error
