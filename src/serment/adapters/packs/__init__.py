"""Packs in a local folder; see `local` for the port, `group` for how flushes are shared."""

from serment.adapters.packs.local import LocalPacks

__all__ = ["LocalPacks"]
