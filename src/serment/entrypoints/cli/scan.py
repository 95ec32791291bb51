"""`serment scan`: what strangers can reach of this practice."""

from __future__ import annotations

import typer

from serment.entrypoints.cli import posture, scan_network, scan_past, scan_peer, scan_schedule
from serment.errors import N_


def register(app: typer.Typer) -> None:
    scan = typer.Typer(help=N_("What strangers can reach of this practice"), no_args_is_help=True)
    scan.command("network", help=N_("Audit the machines of the network"))(scan_network.network)
    scan.command("host", help=posture.HELP)(posture.host)
    scan.command("history", help=N_("What is open since when, and what is gone"))(scan_past.history)
    scan.command("accept", help=N_("Answer for leaving a finding as it is, for a time"))(
        scan_past.accept
    )
    scan.command("schedule", help=N_("The weekly audit: show it, set it, switch it off"))(
        scan_schedule.schedule
    )
    scan_peer.register(scan)
    app.add_typer(scan, name="scan")
