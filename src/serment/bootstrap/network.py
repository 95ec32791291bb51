"""Gives an audit the real network and the table of known flaws."""

from __future__ import annotations

from importlib.resources import files

from serment.adapters.network.local import LocalNetwork
from serment.core.exposure.products import Flaw, parse_flaws
from serment.ports.network import Network


def network() -> Network:
    """The network of this machine."""
    return LocalNetwork()


def known_flaws() -> tuple[Flaw, ...]:
    """The rows of `core/exposure/products.toml`."""
    table = files("serment.core.exposure").joinpath("products.toml")
    return parse_flaws(table.read_text(encoding="utf-8"))
