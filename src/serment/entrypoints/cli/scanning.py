"""The group `serment scan`, which several modules add their commands to."""

from __future__ import annotations

import typer

from serment.errors import N_


def group(app: typer.Typer) -> typer.Typer:
    """The group, made by whoever asks first."""
    for known in app.registered_groups:
        if known.name == "scan" and known.typer_instance is not None:
            return known.typer_instance
    scan = typer.Typer(
        help=N_("Look at what strangers could reach, and at how this machine is kept"),
        no_args_is_help=True,
    )
    app.add_typer(scan, name="scan")
    return scan
