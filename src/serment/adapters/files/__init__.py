"""Folders and files outside the vault: reading what is searched or imported, writing exports."""
