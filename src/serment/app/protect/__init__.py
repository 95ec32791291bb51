"""PROTECT: founding, members, devices, reception, opening, filing, searching, reading."""
