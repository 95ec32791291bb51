"""Every cryptographic act of Serment; the only importer of `cryptography` and `secrets`."""
