"""Calls a probe on a service of loopback, as `recognise` does."""

from __future__ import annotations

from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Budget
from serment.adapters.network.probing import Call
from serment.adapters.network.scope import Scope
from serment.core.exposure.findings import Place
from serment.ports.network import Order

HOST = "127.0.0.1"


def call(port: int, banner: bytes = b"", host: str = HOST, **order: object) -> Call:
    """A call to one port, with the time a service has that says nothing."""
    wanted = Order((host,), (port,), **order)  # type: ignore[arg-type]
    return Call(
        Place(host, port, "tcp"),
        wanted,
        Dialer(Scope(wanted.addresses)),
        Budget(wanted.silent_seconds, 1.0),
        banner,
    )
