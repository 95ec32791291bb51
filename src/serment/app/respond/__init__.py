"""Answers a breach: steps only; what counts as read or readable is `core.breach`."""
