"""Plugs the parts together: which adapter stands behind which port, which process runs what."""
