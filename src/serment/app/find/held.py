"""What the server keeps of audits under its own key: written and read while the practice is locked.

One value each, replaced as a whole in the transaction of the entry that says so. What they hold is
`core.exposure.written`; none of it is a patient's.
"""

from __future__ import annotations

import json
from typing import Any

from serment.core.crypto.context import Context
from serment.core.crypto.secret import Key
from serment.core.crypto.wraps import open_value, seal_value
from serment.core.exposure.written import unreadable
from serment.core.records.vault import Setting


def opened(setting: Setting | None, name: str, vault: str, key: Key) -> Any:
    """The JSON value; None when there is none.

    Raises:
        IntegrityError: it was not sealed under this key, in this vault, for this.
        FormatError: it is no JSON.
    """
    if setting is None:
        return None
    try:
        return json.loads(open_value(setting.value, key, _context(vault, name)))
    except ValueError as error:
        raise unreadable() from error


def sealed(value: Any, name: str, vault: str, key: Key) -> Setting:
    """The setting that keeps it."""
    raw = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Setting(name, seal_value(raw, key, _context(vault, name)))


def _context(vault: str, name: str) -> Context:
    return Context(vault, name, "server", "")
