"""Serment keeps the medical secret of French practices, imaging centres and laboratories."""

__version__ = "0.1.0"
