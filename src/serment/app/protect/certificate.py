"""A new certificate of the server, issued with the authority's key that administrators hold.

Which names and addresses an authority may certify is decided in `core.crypto.certificates`; where
the files go is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence

from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.protect.founding import CERTIFICATE_DAYS
from serment.core.access.rights import Act, check_may
from serment.core.crypto.certificates import issue
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.names import AUTHORITY
from serment.core.records.vault import Member, Setting, WrapKind
from serment.errors import N_, AccessDenied, NotFound

LOCAL = ("127.0.0.1", "::1")


def renew(
    house: House, acting: Member, ring: Keyring, names: Sequence[str], addresses: Sequence[str]
) -> tuple[bytes, bytes]:
    """Certificate and key (PEM) for this machine, and the names and addresses given.

    Raises:
        AccessDenied: no administrator, or the authority's key was never shared with him.
        UsageError: a name or an address the authority may not certify.
    """
    check_may(acting.roles, Act.SETTINGS)
    key = ring.key(house.store, WrapKind.CA_KEY, AUTHORITY)
    if key is None:
        raise AccessDenied(
            N_("this session does not hold the authority's key"),
            hint=N_("ask the administrator who founded the vault"),
        )
    authority = house.store.get(Setting, "authority")
    if authority is None:
        raise NotFound(N_("this vault has no authority"), hint=N_("restore it from a backup"))
    now = house.clock.now()
    wanted = [name.lower() for name in names]
    made = issue(
        authority.value,
        Seed(key.reveal()),
        ["localhost", *wanted],
        [*LOCAL, *addresses],
        now,
        CERTIFICATE_DAYS,
    )
    hosts = [*wanted, *(f"[{one}]" if ":" in one else one for one in addresses)]
    details = {"names": wanted, "addresses": list(addresses)}
    entry = Entry(EventKind.CERTIFICATE_ISSUED, now, acting.id, details)
    with house.store.change(entry) as tx:
        tx.put(Setting("names", "\n".join(hosts).encode()))
    return made
