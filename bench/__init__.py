"""Measures Serment beside the archives people use today, on this machine, in one run."""
