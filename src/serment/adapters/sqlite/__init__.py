"""The store in one SQLite file: see `store` for the port, `schema` for the tables."""

from serment.adapters.sqlite.store import SqliteStore, create_store, open_store

__all__ = ["SqliteStore", "create_store", "open_store"]
