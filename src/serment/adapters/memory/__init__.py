"""Ports kept in memory: the twins that tests and the demo use, and the search tables of a session."""
