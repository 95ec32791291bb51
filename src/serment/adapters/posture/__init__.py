"""Asks this machine about itself, read-only, for `core.exposure.posture`."""
