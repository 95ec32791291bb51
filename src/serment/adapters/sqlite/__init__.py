"""The store in one SQLite file: see `store` for the port, `schema` for the tables."""

from serment.adapters.sqlite.keycopy import restore
from serment.adapters.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "restore"]
