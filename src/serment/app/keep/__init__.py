"""KEEP: recovery, the second copy of the keys, the health of a vault."""
