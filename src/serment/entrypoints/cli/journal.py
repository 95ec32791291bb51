"""Commands about the journal: list, verify, export, checkpoint, retention."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from serment.entrypoints.cli import asking
from serment.entrypoints.cli.output import FINDINGS, Output
from serment.entrypoints.cli.world import Context
from serment.entrypoints.desk.request import Request
from serment.errors import N_, Conflict, Unavailable

BY = Annotated[str | None, typer.Option("--by", "--as", help=N_("login of the acting member"))]
NOTE_LIMIT = 64 * 1024


def register(app: typer.Typer) -> None:
    journal = typer.Typer(
        help=N_("The journal: list, verify, export, checkpoint, retention"), no_args_is_help=True
    )
    journal.command("list", help=N_("Show the last entries"))(entries)
    journal.command("verify", help=N_("Prove that nothing was changed"))(verify)
    journal.command("export", help=N_("Write every entry as JSON Lines"))(export)
    journal.command("checkpoint", help=N_("Print a signed checkpoint to keep elsewhere"))(
        checkpoint
    )
    journal.command("retention", help=N_("Choose how long accesses are kept"))(retention)
    app.add_typer(journal, name="journal")


def entries(
    ctx: typer.Context,
    last: Annotated[int, typer.Option(help=N_("how many"))] = 50,
) -> int:
    context: Context = ctx.obj
    rows = context.world.ask(asking.vault(context), Request("journal list", {"last": last}))
    out = context.output
    out.value(rows)
    for row in rows:
        values = {key: _said(out, value) for key, value in row["values"].items()}
        sentence = out.text(row["message"], **values)
        out.plain(f"{row['index']:>8}  {row['at'] or ''}  {sentence}")
    return 0


def _said(out: Output, value: object) -> object:
    """Some values are message ids themselves."""
    return out.text(value) if isinstance(value, str) and "{" not in value else value


def verify(
    ctx: typer.Context,
    kept: Annotated[
        Path | None, typer.Option("--checkpoint", help=N_("a checkpoint kept elsewhere"))
    ] = None,
) -> int:
    context: Context = ctx.obj
    note = _read_note(kept) if kept else None
    verdict = context.world.ask(asking.vault(context), Request("journal verify", {"kept": note}))
    out = context.output
    out.value(verdict)
    if verdict["ok"]:
        out.line(
            N_("Whole: {entries} entries, {expired} of them expired"),
            entries=verdict["entries"],
            expired=verdict["expired"],
        )
        if verdict["unsigned"]:
            out.line(
                N_("{count} entries are newer than the last checkpoint"), count=verdict["unsigned"]
            )
        if verdict["late"]:
            out.line(
                N_(
                    "{count} entries were signed late: whether somebody had changed them before, "
                    "only a checkpoint kept elsewhere can tell"
                ),
                count=verdict["late"],
            )
        return 0
    out.line(N_("Not whole, from entry {index} on:"), index=verdict["first_bad"])
    out.plain("  " + out.text(verdict["reason"]))
    return FINDINGS


def _read_note(path: Path) -> str:
    try:
        with path.open("r", encoding="utf-8") as stream:
            return stream.read(NOTE_LIMIT)
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(
            N_("the checkpoint file cannot be read"), hint=N_("name a file made by `checkpoint`")
        ) from error


def export(
    ctx: typer.Context,
    target: Annotated[Path | None, typer.Option("-o", "--output", help=N_("file to write"))] = None,
) -> int:
    context: Context = ctx.obj
    chunks = context.world.ask(asking.vault(context), Request("journal export", {}))
    if target is None:
        for chunk in chunks:
            context.output.out.write(chunk.decode())
        return 0
    size = _write_new(target, chunks)
    context.output.value({"path": str(target), "size": size})
    context.output.line(N_("{size} bytes written"), size=size)
    return 0


def _write_new(target: Path, chunks: Iterable[bytes]) -> int:
    try:
        with target.open("xb") as stream:
            return sum(stream.write(chunk) for chunk in chunks)
    except FileExistsError as error:
        raise Conflict(
            N_("{path} exists already"), hint=N_("choose another name"), path=str(target)
        ) from error
    except OSError as error:
        raise Unavailable(
            N_("the journal cannot be written to {path}"),
            hint=N_("choose another folder with -o, or free some space"),
            path=str(target),
        ) from error


def checkpoint(ctx: typer.Context) -> int:
    context: Context = ctx.obj
    note = context.world.ask(asking.vault(context), Request("journal checkpoint", {}))
    context.output.value({"checkpoint": note})
    context.output.plain(note.rstrip("\n"))
    return 0


def retention(
    ctx: typer.Context,
    months: Annotated[int, typer.Argument(metavar="MONTHS", help=N_("6 to 36; 12 is usual"))],
    by: BY = None,
) -> int:
    context: Context = ctx.obj
    request = Request("journal retention", {"months": months}, by, asking.password(context))
    answer = context.world.ask(asking.vault(context), request)
    context.output.value(answer)
    context.output.line(N_("Accesses are kept {months} months from now on"), months=months)
    return 0
