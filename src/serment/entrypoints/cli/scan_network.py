"""`serment scan network`: its options. What is done with them is next door (`scan_run`), imported when it
runs: every other command starts without it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from serment.errors import N_, UsageError


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of one command line."""

    targets: tuple[str, ...]
    exclude: tuple[str, ...]
    ports: str
    authorised_by: str
    large: bool
    fast: bool
    default_accounts: bool
    only: tuple[str, ...]
    box_dmz: str | None
    box_rules: str | None
    outside: Path | None
    outside_addresses: tuple[str, ...]
    peer: str | None
    prove: int
    baseline: Path | None
    sarif: Path | None
    reports: tuple[Path, ...]
    practice: str
    force: bool


def network(
    ctx: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGETS]...",
            help=N_("addresses, ranges, names, or a file of them; the own networks unless given"),
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help=N_("leave these addresses out"))
    ] = None,
    ports: Annotated[
        str, typer.Option("--ports", help=N_("common, all, or a list as 104,8000-8100"))
    ] = "common",
    authorised_by: Annotated[
        str | None, typer.Option("--authorised-by", help=N_("who answers for this network"))
    ] = None,
    large: Annotated[
        bool, typer.Option("--large", help=N_("yes, more than 1024 addresses"))
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help=N_("several connections at once to a medical device"))
    ] = False,
    default_accounts: Annotated[
        bool,
        typer.Option(
            "--try-default-accounts",
            help=N_("try the documented accounts of each product, once each"),
        ),
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help=N_("only this check, as X01"))
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option("--host", help=N_("only this address: a recheck"))
    ] = None,
    box_dmz: Annotated[
        str | None, typer.Option("--box-dmz", help=N_("is the box in DMZ mode: yes, no or unknown"))
    ] = None,
    box_rules: Annotated[
        str | None,
        typer.Option("--box-rules", help=N_("were ports opened on it by hand: yes, no or unknown")),
    ] = None,
    outside: Annotated[
        Path | None,
        typer.Option("--outside", help=N_("a scan made from outside: nmap XML, Shodan, Censys")),
    ] = None,
    outside_address: Annotated[
        list[str] | None,
        typer.Option(
            "--outside-address",
            help=N_("the practice's own Internet address, which that scan is of"),
        ),
    ] = None,
    peer: Annotated[
        str | None, typer.Option("--peer", help=N_("have this helper outside look back"))
    ] = None,
    prove: Annotated[
        int,
        typer.Option("--prove", help=N_("the port on which a public address is proved to it")),
    ] = 7312,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", help=N_("an earlier --json: only what is new counts")),
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option("--sarif", help=N_("also write the findings as SARIF to FILE"))
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option("--report", help=N_("also write a report to hand on: FILE.html or FILE.pdf")),
    ] = None,
    practice: Annotated[
        str, typer.Option("--practice", help=N_("the practice's name, for the report"))
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help=N_("replace a report that exists"))
    ] = False,
) -> int:
    from serment.entrypoints.cli.scan_run import run

    _check_targets(targets or [], host or [])
    asked = Asked(
        (*(targets or ()), *(host or ())),
        (*(exclude or ()),),
        ports,
        (authorised_by or "").strip(),
        large,
        fast,
        default_accounts,
        tuple(each.upper() for each in only or ()),
        box_dmz,
        box_rules,
        outside,
        (*(outside_address or ()),),
        peer,
        prove,
        baseline,
        sarif,
        (*(report or ()),),
        practice.strip(),
        force,
    )
    _check(asked)
    return run(ctx.obj, asked)


def _check_targets(targets: list[str], hosts: list[str]) -> None:
    """Refuse what would audit something else than was meant."""
    if targets and hosts:
        raise UsageError(
            N_("an address goes either before --host or after it"),
            hint=N_("a recheck: `serment scan network --only X01 --host ADDRESS`"),
        )
    if not all(each.strip() for each in (*targets, *hosts)):
        raise UsageError(
            N_("a target is empty"),
            hint=N_("name an address, or leave it out for the practice's own networks"),
        )


def _check(asked: Asked) -> None:
    """Refuse what would do nothing."""
    if not asked.ports.strip() or not all(each.strip() for each in asked.only):
        raise UsageError(
            N_("--ports and --only need a value"),
            hint=N_("for example: --ports 104,4242 --only X01; or leave them out"),
        )
    if asked.outside_addresses and not asked.outside:
        raise UsageError(
            N_("--outside-address says whose scan --outside is"),
            hint=N_("name the file as well: --outside FILE"),
        )
    if not 0 < asked.prove <= 65535:
        raise UsageError(
            N_("{port} is no port"), hint=N_("a port is a number from 1 to 65535"), port=asked.prove
        )
