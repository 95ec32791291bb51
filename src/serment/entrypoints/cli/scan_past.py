"""`serment scan history` and `serment scan accept`: what audits stated over time, and who answers for it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from serment.entrypoints.cli import asking
from serment.entrypoints.cli.output import DONE
from serment.entrypoints.cli.world import Context
from serment.entrypoints.desk.request import Request
from serment.errors import N_, UsageError


def history(
    ctx: typer.Context,
    report: Annotated[
        list[Path] | None,
        typer.Option("--report", help=N_("write a report to hand on: FILE.html or FILE.pdf")),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help=N_("replace a report that exists"))
    ] = False,
) -> int:
    """`serment scan history`."""
    from serment.core.exposure.report import finding_json
    from serment.core.exposure.written import read_finding
    from serment.entrypoints.cli.scan_shown import saying

    context: Context = ctx.obj
    if report:
        from serment.entrypoints.cli.scan_report import check_files, write_kept

        check_files(report, force)
        write_kept(context, report, force)
    told = context.world.ask(asking.vault(context), Request("scan history", {}))
    out = context.output
    for each in told["findings"]:
        each.update(finding_json(read_finding(each), saying(out)))
        del each["values"], each["reached_by"]
    out.value(told)
    for each in sorted(told["findings"], key=lambda each: (each["gone"] is not None, each["id"])):
        times = {name: _moment(each[name]) for name in ("since", "gone", "not_before")}
        state = (
            out.text(N_("gone since {gone} (open since {since})"), **times)
            if each["gone"]
            else out.text(N_("open since {since}"), since=times["since"])
        )
        place = f"{each['host']}:{each['port']}" if each["port"] else each["host"]
        out.plain(f"{each['id']}  {place}  {each['title']}  {state}")
        if each["not_before"]:
            out.plain("     " + out.text(N_("not there on {when}"), when=times["not_before"]))
    if not told["findings"]:
        out.line(N_("No audit has stated anything yet"))
    for each in told["accepted"]:
        out.line(
            N_("{what} accepted by {who} until {until}: {why}"),
            what=" ".join(map(str, each["key"])),
            who=each["who"],
            until=date.fromisoformat(each["until"]),
            why=each["why"],
        )
    return DONE


def accept(
    ctx: typer.Context,
    check: Annotated[str, typer.Argument(metavar="CHECK", help=N_("its id, as X06"))],
    host: Annotated[str, typer.Option("--host", help=N_("the address it concerns"))],
    why: Annotated[str, typer.Option("--why", help=N_("why it may stay"))],
    by: Annotated[str, typer.Option("--by", help=N_("who answers for it"))],
    until: Annotated[str, typer.Option("--until", help=N_("the last day, as 2027-01-31"))],
    port: Annotated[int, typer.Option("--port", help=N_("its port; 0 for the machine"))] = 0,
) -> int:
    """`serment scan accept`."""
    context: Context = ctx.obj
    try:
        day = date.fromisoformat(until)
    except ValueError as error:
        raise UsageError(N_("this is not a day"), hint=N_("write it as 2027-01-31")) from error
    key = [check.upper(), host, port]
    options = {"key": key, "who": by, "why": why, "until": day.isoformat()}
    told = context.world.ask(asking.vault(context), Request("scan accept", options))
    context.output.value(told)
    context.output.line(N_("Accepted until {until}; it is journalled"), until=day)
    return DONE


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
