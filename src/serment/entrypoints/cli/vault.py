"""Commands about the vault as a whole: init, serve, import, recover, doctor, demo, status, lock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from serment.entrypoints.cli import asking
from serment.entrypoints.cli.output import FAILED, FINDINGS
from serment.entrypoints.cli.world import Context, ImportOrder
from serment.entrypoints.desk.request import Request
from serment.errors import N_

REFUSED_SHOWN = 50  # files; a wrong folder may hold thousands


def register(app: typer.Typer) -> None:
    app.command("init", help=N_("Make a vault and its recovery kit"))(init)
    app.command("serve", help=N_("Receive images and serve the pages"))(serve)
    app.command("status", help=N_("Say whether the practice is locked and receiving"))(status)
    app.command("unlock", help=N_("Open the running practice for a member"))(unlock)
    app.command("lock", help=N_("Drop every session's keys"))(lock)
    app.command("import", help=N_("Seal folders, DICOMDIR sets, zip files or PDF documents"))(bring)
    app.command("recover", help=N_("Export everything with two shares of the recovery kit"))(
        recover
    )
    app.command("doctor", help=N_("Check a vault and say what to do"))(doctor)
    app.command("demo", help=N_("Show a fictional practice at work"))(demo)


def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=N_("new folder of the vault"))],
    practice: Annotated[str, typer.Option(help=N_("name of the practice"))],
    admin: Annotated[str, typer.Option(help=N_("login of the first administrator"))] = "admin",
    kit: Annotated[
        Path | None, typer.Option(help=N_("folder of the recovery kit, outside the vault"))
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help=N_("further host name of this server"))
    ] = None,
) -> int:
    context: Context = ctx.obj
    password = asking.new_password(context)
    where = kit or folder.resolve().parent / f"{folder.resolve().name}-kit"
    made = context.world.init(
        folder, practice, admin, password, where, context.output.lang, name or []
    )
    out = context.output
    out.value(made)
    out.line(N_("The vault is made: {folder}"), folder=made["folder"])
    out.line(N_("The recovery kit is in {kit}: print the three shares,"), kit=made["kit"])
    out.line(N_("put them in three places, delete the files. Two of them open everything."))
    out.line(N_("Next: add the first doctor: `serment member add LOGIN --role doctor`"))
    return 0


def serve(
    ctx: typer.Context,
    dicom: Annotated[str, typer.Option(help=N_("HOST:PORT for devices"))] = "127.0.0.1:11112",
    web: Annotated[str, typer.Option(help=N_("HOST:PORT for the pages"))] = "127.0.0.1:8443",
) -> int:
    context: Context = ctx.obj
    out = context.output

    def ready(facts: dict[str, Any]) -> None:
        out.value(facts)
        out.line(N_("Receiving from devices on {dicom}"), dicom=facts["dicom"])
        out.line(
            N_("Pages on {web} (certificate authority: {ca})"), web=facts["web"], ca=facts["ca"]
        )
        out.line(N_("Stop with Ctrl-C"))

    return context.world.serve(asking.vault(context), dicom, web, ready)


def status(ctx: typer.Context) -> int:
    context: Context = ctx.obj
    facts = context.world.ask(asking.vault(context), Request("status", {}))
    out = context.output
    out.value(facts)
    out.line(N_("The practice is locked") if facts["locked"] else N_("The practice is open"))
    if facts["circles"]:
        out.line(N_("Open circles: {circles}"), circles=", ".join(facts["circles"]))
    out.line(N_("Receiving") if facts["receiving"] else N_("Not receiving: no server runs"))
    out.line(N_("To file: {unfiled}"), unfiled=facts["unfiled"])
    return 0


def unlock(
    ctx: typer.Context,
    login: Annotated[str | None, typer.Option("--as", help=N_("login of the member"))] = None,
    token: Annotated[
        bool, typer.Option("--token", help=N_("print a bearer token for DICOMweb"))
    ] = False,
    code: Annotated[
        str | None,
        typer.Option(help=N_("code of the second factor: the token then serves other machines")),
    ] = None,
) -> int:
    context: Context = ctx.obj
    password = asking.password(context)
    if token and code is None and asking.somebody_is_there(context):
        code = asking.line(context, N_("Six-digit code (empty: for this machine only)"))
    options = {"token": token, "code": code or ""}
    request = Request("unlock", options, login, password)
    answer = asking.ask(context, request)
    out = context.output
    out.value(answer)
    out.line(
        N_("{login} opened: {circles}"),
        login=answer["login"],
        circles=", ".join(answer["circles"]) or "-",
    )
    if token:
        out.plain(answer["token"])
        out.note(N_("The token lives in memory and dies with the session."))
        if not answer["anywhere"]:
            out.note(N_("Opened without a code, it serves this machine only."))
    return 0


def lock(ctx: typer.Context) -> int:
    context: Context = ctx.obj
    answer = context.world.ask(asking.vault(context), Request("lock", {}))
    context.output.value(answer)
    context.output.line(N_("Locked; receiving goes on"))
    return 0


def bring(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...")],
    circle: Annotated[str | None, typer.Option(help=N_("care circle that receives"))] = None,
    patient: Annotated[str | None, typer.Option(help=N_("patient id, for PDF documents"))] = None,
    login: Annotated[
        str | None, typer.Option("--as", help=N_("check for duplicates as this member"))
    ] = None,
) -> int:
    context: Context = ctx.obj
    password = asking.password(context) if login else None
    order = ImportOrder(tuple(paths), circle, patient, login, password)
    summary = context.world.bring(asking.vault(context), order, context.progress)
    out = context.output
    failure = summary.pop("error", None)
    out.value(summary if failure is None else {**summary, "error": out.described(failure)})
    out.line(
        N_("Imported {imported}, duplicates {duplicates}, conflicts {conflicts}"),
        imported=summary["imported"],
        duplicates=summary["duplicates"],
        conflicts=summary["conflicts"],
    )
    refused = summary["refused"]
    if refused:
        out.line(N_("Refused: {count}"), count=len(refused))
        out.table(
            [N_("File name"), N_("Reason")],
            [(row["path"], out.text(row["reason"])) for row in refused[:REFUSED_SHOWN]],
        )
        if len(refused) > REFUSED_SHOWN:
            more = len(refused) - REFUSED_SHOWN
            out.line(N_("and {count} more; --json lists them all"), count=more)
    if failure is not None:
        out.line(N_("Files that were not imported: {count}"), count=summary["unanswered"])
        return out.talk_of(failure)
    return FINDINGS if refused else 0


def recover(
    ctx: typer.Context,
    shares: Annotated[list[Path], typer.Argument(metavar="SHARE SHARE")],
    target: Annotated[Path, typer.Option("-o", "--output", help=N_("new folder to write to"))],
    sealed: Annotated[
        bool, typer.Option("--sealed", help=N_("age files with their identities"))
    ] = False,
) -> int:
    context: Context = ctx.obj
    result = context.world.recover(asking.vault(context), shares, target, sealed, context.progress)
    out = context.output
    out.value(result)
    out.line(
        N_("Recovered {objects} objects into {folder}"),
        objects=result["objects"],
        folder=str(target),
    )
    for damaged in result["damaged"]:
        out.line(N_("Could not be recovered: {id}"), id=damaged)
    return FAILED if result["damaged"] else 0


def doctor(
    ctx: typer.Context,
    quick: Annotated[
        bool, typer.Option("--quick", help=N_("do not recompute every digest"))
    ] = False,
    restore: Annotated[
        bool,
        typer.Option("--restore-keys", help=N_("put keys.copy in the place of a lost database")),
    ] = False,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget-damaged", help=N_("delete the damaged databases that restored ones replaced")
        ),
    ] = False,
) -> int:
    context: Context = ctx.obj
    report = context.world.doctor(
        asking.vault(context), not quick, restore, forget, context.progress
    )
    out = context.output
    out.value(report)
    out.line(
        N_("Looked at {objects} objects in {packs} packs"),
        objects=report["objects"],
        packs=report["packs"],
    )
    for line in report["repairs"]:
        out.line(N_("Repaired: {what}"), what=line)
    for finding in report["findings"]:
        out.line(finding["message"], **finding["values"])
        out.plain("  " + out.text(finding["hint"], **finding["values"]))
    if not report["findings"]:
        out.line(N_("Nothing to repair"))
    return FINDINGS if report["findings"] else 0


def demo(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help=N_("do not wait for Ctrl-C"))] = False,
    manifest: Annotated[
        Path | None, typer.Option(help=N_("write every planted identifier here"))
    ] = None,
    dicom: Annotated[str, typer.Option(help=N_("HOST:PORT for devices"))] = "127.0.0.1:0",
    web: Annotated[
        str | None,
        typer.Option(help=N_("HOST:PORT for the pages (any free port with --once)")),
    ] = None,
) -> int:
    context: Context = ctx.obj
    web = web or ("127.0.0.1:0" if once else "127.0.0.1:8443")
    options: dict[str, Any] = {
        "once": once,
        "manifest": manifest,
        "vault": context.chosen_vault,
        "dicom": dicom,
        "web": web,
    }
    return context.world.demo(options, context.output, context.progress)
