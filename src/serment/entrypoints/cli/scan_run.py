"""Runs one `serment scan network`: asks who authorised it, audits, keeps and shows what was found.

What is stated is decided in `core.exposure`; how it is written is `scan_shown`, what becomes of it
`scan_kept`.
"""

from __future__ import annotations

from dataclasses import replace

from serment.app.find.network import Prepared, Wish, audit, prepare, prove
from serment.app.find.outside import Look, by_nobody, by_peer
from serment.core.exposure.outside import own_address
from serment.core.exposure.ports import parse_ports
from serment.core.exposure.report import Report
from serment.entrypoints.cli import asking
from serment.entrypoints.cli.output import DONE, FINDINGS, UNFINISHED
from serment.entrypoints.cli.progress import Stages
from serment.entrypoints.cli.scan_files import (
    check_apart,
    read_baseline,
    read_outside,
    read_targets,
)
from serment.entrypoints.cli.scan_kept import keep, last_authorised, reached_before, write_sarif
from serment.entrypoints.cli.scan_network import Asked
from serment.entrypoints.cli.scan_report import about_audit, check_files, write_reports
from serment.entrypoints.cli.scan_shown import saying, show
from serment.entrypoints.cli.world import Auditing, Context
from serment.errors import N_, NotFound, SermentError, UsageError
from serment.ports.network import Progress
from serment.ports.peer import Peers

BOX_CHECKS = frozenset({"X22", "X23"})
UNKNOWN = frozenset({"", "unknown", "inconnu"})
PHASES = {
    "hosts": N_("Looking for machines"),
    "ports": N_("Looking for open ports"),
    "services": N_("Talking to services"),
}


def run(context: Context, asked: Asked) -> int:
    """The exit code."""
    against = read_baseline(asked.baseline) if asked.baseline else None
    check_files(asked.reports, asked.force)
    written = (*asked.reports, *filter(None, (asked.sarif,)))
    check_apart(written, filter(None, (asked.baseline, asked.outside)))
    auditing = context.world.auditing()
    peers = _peers(context, asked.peer) if asked.peer else None
    prepared = _asked(
        context, prepare(auditing.network, _wish(asked), provable=peers is not None), asked
    )
    look: Look = by_nobody
    if peers and asked.peer:
        name, port = asked.peer, asked.prove
        prepared = prove(prepared, lambda address: peers.prove(name, address, port))
        own = (*prepared.wish.outside_addresses, *prepared.scope.proved)
        look = by_peer(peers, name, reached_before(context), own)
    if asked.default_accounts:
        context.output.note(
            N_("Factory accounts are tried, once each: the other side's logs will show it")
        )
    report = _audited(context, auditing, prepared, look)
    kept = keep(context, prepared, report, against)
    unseen = kept.unseen.values()
    report = replace(report, not_checked=(*report.not_checked, *unseen), unseen=len(unseen))
    try:
        if asked.sarif:
            write_sarif(asked.sarif, report, saying(context.output), context.output.lang)
        if asked.reports:
            about = about_audit(auditing, prepared, report, kept, asked.practice)
            write_reports(context, asked.reports, report, about, asked.force)
    except SermentError as error:
        kept = replace(kept, failed=error)
    show(context.output, report, kept)
    if kept.failed is not None:
        return context.output.talk_of(kept.failed)
    open_now = (*(each.key for each in report.findings), *kept.unseen)
    if any(map(kept.reports, open_now)):
        return FINDINGS
    return DONE if report.is_finished else UNFINISHED


def _wish(asked: Asked) -> Wish:
    return Wish(
        targets=read_targets(asked.targets),
        excluded=read_targets(asked.exclude),
        ports=parse_ports(asked.ports),
        only=frozenset(asked.only),
        fast=asked.fast,
        default_accounts=asked.default_accounts,
        authorised_by=asked.authorised_by,
        large=asked.large,
        dmz=_yes_or_no(asked.box_dmz),
        manual_rules=_yes_or_no(asked.box_rules),
        sights=read_outside(asked.outside) if asked.outside else (),
        outside_addresses=tuple(map(own_address, asked.outside_addresses)),
    )


def _peers(context: Context, name: str) -> Peers:
    """The helpers, of whom there is one of that name: said before anything is asked of anybody."""
    peers = context.world.peers(asking.named_vault(context))
    if not any(each.name == name and each.place for each in peers.known()):
        raise NotFound(
            N_("there is no helper named {name}"),
            hint=N_("`serment scan peer list` names them; `serment scan peer pair` adds one"),
            name=name[:80],
        )
    return peers


def _asked(context: Context, prepared: Prepared, asked: Asked) -> Prepared:
    """With who answered for the last audit of the vault, and with what the person in front of the
    terminal answers to the questions: how many, who, and how the Internet box is set."""
    wish, scope = prepared.wish, prepared.scope
    if not scope.is_local and not wish.authorised_by:
        wish = replace(wish, authorised_by=last_authorised(context))
        prepared = replace(prepared, wish=wish)
    if not asking.somebody_is_there(context):
        return prepared
    if scope.is_large and not wish.large:
        context.output.note(N_("{count} addresses will be looked at."), count=len(scope.addresses))
        wish = replace(wish, large=asking.agreed(context, N_("Go on? (yes/no)")))
    if not scope.is_local and not wish.authorised_by:
        name = asking.line(context, N_("Who authorised this audit (name and function)"))
        wish = replace(wish, authorised_by=name)
    if not scope.is_local and not BOX_CHECKS.isdisjoint(wish.only or BOX_CHECKS):
        wish = _with_the_box(context, wish, asked)
    return replace(prepared, wish=wish)


def _with_the_box(context: Context, wish: Wish, asked: Asked) -> Wish:
    """With the answers about the Internet box: UPnP does not tell DMZ mode and rules made by hand."""
    if asked.box_dmz is None:
        question = N_("Is the Internet box in DMZ mode? (yes/no/unknown)")
        wish = replace(wish, dmz=_yes_or_no(asking.choice(context, question)))
    if asked.box_rules is None:
        question = N_("Were ports opened on it by hand, in NAT/PAT? (yes/no/unknown)")
        wish = replace(wish, manual_rules=_yes_or_no(asking.choice(context, question)))
    return wish


def _audited(context: Context, auditing: Auditing, prepared: Prepared, look: Look) -> Report:
    stages = Stages(context.progress)

    def progress(event: Progress) -> None:
        stages.at(PHASES.get(event.phase, event.phase), event.done, event.total)

    try:
        return audit(auditing.network, auditing.clock, prepared, auditing.flaws, progress, look)
    finally:
        stages.close()


def _yes_or_no(text: str | None) -> bool | None:
    known = {"yes": True, "oui": True, "no": False, "non": False}
    key = text.strip().casefold() if text else ""
    if key in UNKNOWN:
        return None
    if key not in known:
        raise UsageError(
            N_("answer yes, no or unknown"),
            hint=N_("for example: --box-dmz no --box-rules unknown"),
        )
    return known[key]
