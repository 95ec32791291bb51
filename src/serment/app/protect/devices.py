"""Modalities and workstations that may send: named by AE titles, address and token."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace

from serment.app import circles
from serment.app.house import House
from serment.core.access.rights import check_may
from serment.core.crypto.entropy import new_id, new_token, same, token_hash
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import CircleKind, Device, Member
from serment.errors import N_, AccessDenied, Conflict, NotFound, UsageError
from serment.ports import Store

CALLED = "SERMENT"
DEFAULT_CIRCLE = "care"


@dataclass(frozen=True, slots=True)
class NewDevice:
    row: Device
    token: str  # shown once; only its hash is kept


def add(
    house: House,
    acting: Member,
    name: str,
    ae_title: str,
    address: str,
    circle: str = DEFAULT_CIRCLE,
    called: str = CALLED,
) -> NewDevice:
    """Allow one more device; its arrivals are sealed to the care circle named.

    Raises:
        UsageError: an AE title (PS3.5 6.2: 1 to 16 characters) or address that cannot be.
        NotFound: there are care circles, and this is none of them.
        Conflict: these AE titles and this address are allowed already.
    """
    check_may(acting.roles, "devices")
    for title in (ae_title, called):
        _check_title(title)
    _check_circle(house.store, circle)
    token = new_token()
    row = Device(
        new_id(),
        name,
        ae_title.strip(),
        called.strip(),
        _address(address),
        circle,
        token_hash(token),
        house.clock.now(),
    )
    for other in active(house.store):
        if (other.ae_title, other.called_ae_title, other.address) == (
            row.ae_title,
            row.called_ae_title,
            row.address,
        ):
            raise Conflict(
                N_("a device with this AE title and address exists already: {name}"),
                hint=N_("remove it first with `serment device remove {name}`"),
                name=other.name,
            )
    details = {"device": row.id, "name": name, "ae": row.ae_title, "address": row.address}
    entry = Entry(EventKind.DEVICE_ADDED, house.clock.now(), acting.id, details)
    with house.store.change(entry) as tx:
        tx.add(row)
    return NewDevice(row, token)


def _check_circle(store: Store, circle: str) -> None:
    """Before the first doctor there is no care circle: the device may be declared first."""
    known = [c.id for c in circles.current(store).values() if c.kind is CircleKind.CARE]
    if known and circle not in known:
        raise NotFound(
            N_("there is no care circle {circle}"),
            hint=N_("the care circles are: {circles}"),
            circle=circle,
            circles=", ".join(sorted(known)),
        )


def _check_title(title: str) -> None:
    clean = title.strip()
    if not 1 <= len(clean) <= 16 or not clean.isascii() or not clean.isprintable() or "\\" in clean:
        raise UsageError(
            N_("an AE title has 1 to 16 plain characters"),
            hint=N_("read it in the settings of the device, for example CT1"),
        )


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise UsageError(
            N_("this is not an IP address"), hint=N_("for example --address 192.168.1.20")
        ) from None


def active(store: Store) -> list[Device]:
    return [d for d in store.find(Device) if d.removed is None]


def check_still_allowed(store: Store, device: str) -> None:
    """Raise `AccessDenied` once the device has been removed."""
    row = store.get(Device, device)
    if row is None or row.removed is not None:
        raise AccessDenied(
            N_("this device has been removed"), hint=N_("`serment device list` shows them")
        )


def remove(house: House, acting: Member, name: str) -> Device:
    """Refuse this device from now on."""
    check_may(acting.roles, "devices")
    for device in active(house.store):
        if name in (device.name, device.id):
            gone = replace(device, removed=house.clock.now())
            entry = Entry(
                EventKind.DEVICE_REMOVED, house.clock.now(), acting.id, {"device": device.id}
            )
            with house.store.change(entry) as tx:
                tx.put(gone)
            return gone
    raise NotFound(
        N_("there is no device {name}"), hint=N_("`serment device list` shows them"), name=name
    )


def of_token(store: Store, token: str) -> Device:
    """The device that holds this token. `AccessDenied` when none does."""
    hashed = token_hash(token)
    found = [d for d in active(store) if same(d.token_hash, hashed)]
    if not found:
        raise AccessDenied(
            N_("this device token is not known"),
            hint=N_("add the device again: `serment device add` prints a new token"),
        )
    return found[0]


def of_caller(store: Store, calling: str, called: str, address: str) -> Device:
    """The device that calls under these titles from this address; the reason in plain words
    otherwise, without any value of the peer."""
    known = active(store)
    named = [d for d in known if d.ae_title == calling]
    here = [d for d in named if d.address == address]
    exact = [d for d in here if d.called_ae_title == called]
    if exact:
        return exact[0]
    hint = N_("compare the device's settings with `serment device list`")
    if not known:
        raise AccessDenied(N_("no device is allowed yet"), hint=N_("`serment device add`"))
    if not named:
        raise AccessDenied(N_("no device has this calling AE title"), hint=hint)
    if not here:
        raise AccessDenied(N_("this calling AE title is allowed from another address"), hint=hint)
    raise AccessDenied(
        N_("the called AE title is not the one this device should use"), hint=hint, wrong="called"
    )
