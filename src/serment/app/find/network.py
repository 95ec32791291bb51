"""The steps of a network audit: scope, order, services, checks, report.

What may be touched is `core.exposure.scope`, what it means is `core.exposure.registry`; every
connection is the adapter's. Nothing is kept here: see `app.find.history`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_network

from serment.app.find.outside import Look, Outside, by_import, by_nobody, by_the_box
from serment.core.exposure.checking import View
from serment.core.exposure.coverage import unanswered
from serment.core.exposure.findings import NotChecked
from serment.core.exposure.outside import Sight
from serment.core.exposure.ports import COMMON
from serment.core.exposure.products import Flaw
from serment.core.exposure.registry import CHECKS, judge
from serment.core.exposure.report import Report
from serment.core.exposure.scope import (
    ASK_ABOVE,
    Proof,
    Scope,
    is_own,
    is_swept,
    names_in,
    not_yours,
    plan,
)
from serment.core.exposure.seen import Answered, Missed, Scan, Service
from serment.core.exposure.titles import USUAL_TITLES
from serment.errors import N_, AccessDenied, UsageError
from serment.ports import Clock
from serment.ports.network import Network, Order, Progress

TOO_LARGE = N_("a network of more than {limit} addresses is only swept when it is named")
NO_ANSWER = N_("nothing answers at this address: it may be switched off, or silent to callers")
UNASKED = N_(
    "only neighbours known already were looked at there (X26): this system does not let us ask who is on it"
)
NOT_OWN = N_("a public network, on which others are: name your addresses and prove them")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks to have audited. No targets: the practice's own networks."""

    targets: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    ports: tuple[int, ...] = COMMON
    only: frozenset[str] = frozenset()  # ids of checks
    fast: bool = False
    default_accounts: bool = False
    authorised_by: str = ""
    large: bool = False  # somebody confirmed the number of addresses
    dmz: bool | None = None
    manual_rules: bool | None = None
    sights: tuple[Sight, ...] = ()  # of an imported scan
    outside_addresses: tuple[str, ...] = ()  # the practice's own on the Internet, as somebody says


@dataclass(frozen=True, slots=True)
class Prepared:
    """A wish and the scope it comes to; `skipped`: networks around that are not looked at unasked;
    `proofs`: that public addresses are the practice's."""

    wish: Wish
    scope: Scope
    skipped: tuple[NotChecked, ...] = ()
    proofs: tuple[Proof, ...] = ()
    names: tuple[tuple[str, str], ...] = ()  # addresses and the names they were given by
    swept: bool = False  # it comes to all of the practice's own networks


def prepare(network: Network, wish: Wish, *, provable: bool = False) -> Prepared:
    """Resolve names once and decide the scope; sends nothing to it.

    Args:
        provable: a helper outside can prove public addresses (`prove`) before anything is sent.

    Raises:
        UsageError: a target or a check that cannot be read, or nothing to look at.
        AccessDenied: a public address without proof.
        NotFound: a name without address.
    """
    _check_ids(wish.only)
    on_link = network.local_networks()
    targets, skipped = wish.targets, tuple[NotChecked, ...]()
    if not targets:
        targets, skipped = _own(network.neighbours(), on_link)
    names = names_in((*targets, *wish.excluded))
    resolved = {name: network.resolve(name) for name in names}
    scope = plan(
        targets,
        resolved=resolved,
        on_link=on_link,
        excluded=wish.excluded,
        provable=provable,
    )
    given = ((address, name) for name in names for address in resolved[name])
    swept = is_swept(scope.addresses, on_link)
    return Prepared(wish, scope, skipped, names=tuple(given), swept=swept)


def prove(prepared: Prepared, by: Callable[[str], Proof]) -> Prepared:
    """With a proof of control for every public address in scope.

    Args:
        by: has one address proved.

    Raises:
        AccessDenied: nobody authorised the audit, or an address was not proved.
        SermentError: the helper could not be asked.
    """
    check_agreed(prepared)
    proofs = tuple(by(each) for each in prepared.scope.unproved)
    proved = tuple(each.address for each in proofs)
    left = tuple(each for each in prepared.scope.unproved if each not in proved)
    return replace(
        prepared, scope=replace(prepared.scope, proved=proved, unproved=left), proofs=proofs
    )


def audit(
    network: Network,
    clock: Clock,
    prepared: Prepared,
    flaws: tuple[Flaw, ...] = (),
    progress: Callable[[Progress], None] = lambda _: None,
    look: Look = by_nobody,
) -> Report:
    """Look, and judge what was seen.

    Args:
        look: at the practice from outside, once it was seen from inside.

    Raises:
        AccessDenied: nobody authorised it, its size was not confirmed, or a public address in it
            was not proved.
        Unavailable: the process that talks ended before it talked to anybody.
    """
    check_allowed(prepared)
    prepared = _with_nodes(network, prepared)
    scope, at, started = prepared.scope, clock.now(), clock.monotonic()
    seen = _seen(prepared, at, network.audit(_order(prepared), progress))
    absent = unanswered(_named(prepared), seen)
    outside = see_outside(seen, prepared.wish, look, scope.proved)
    findings, skipped = judge(View(outside.scan, flaws), prepared.wish.only)
    silent = (NotChecked("scope", each, NO_ANSWER) for each in absent)
    return Report(
        at,
        clock.monotonic() - started,
        outside.scan,
        tuple(findings),
        (*skipped, *outside.not_checked, *silent, *prepared.skipped),
        prepared.wish.authorised_by,
        len(scope.addresses),
        scope.proved,
        prepared.proofs,
        outside.looked,
    )


def _order(prepared: Prepared) -> Order:
    wish = prepared.wish
    return Order(
        prepared.scope.addresses,
        wish.ports,
        fast=wish.fast,
        default_accounts=wish.default_accounts,
        titles=USUAL_TITLES,
        names=prepared.names,
    )


def _seen(prepared: Prepared, at: datetime, heard: Iterable[Service | Answered | Missed]) -> Scan:
    told = tuple(heard)
    missed = next((each for each in told if isinstance(each, Missed)), None)
    return Scan(
        tuple(each for each in told if isinstance(each, Service)),
        at=at,
        answered=tuple(each for each in told if isinstance(each, Answered)),
        missed=missed,
        swept=prepared.swept and missed is None,
    )


def _with_nodes(network: Network, prepared: Prepared) -> Prepared:
    """With who answers on the practice's own IPv6 networks, which are too large to be swept, where no
    targets are named: at most as many as need no confirmation."""
    wish, scope, near = prepared.wish, prepared.scope, network.local_networks()
    six = tuple(each for each in near if ip_network(each).version == 6)
    if wish.targets or not six:
        return prepared
    found = network.nodes()
    if found is None:
        lines = tuple(NotChecked("scope", each, UNASKED) for each in six)
        return replace(prepared, skipped=(*prepared.skipped, *lines))
    new = [each for each in found if each not in scope.addresses]
    room = len(new) if wish.large else max(0, ASK_ABOVE - len(scope.addresses))
    names: dict[str, list[str]] = {}
    for address, name in prepared.names:
        names.setdefault(name, []).append(address)
    whole = plan(
        (*new[:room], *scope.addresses), resolved=names, on_link=near, excluded=wish.excluded
    )
    return replace(prepared, scope=whole)


def _named(prepared: Prepared) -> tuple[str, ...]:
    """The addresses of the scope that were named one by one, or by a name."""
    given = {address for address, _ in prepared.names} | {*prepared.wish.targets}
    return tuple(each for each in prepared.scope.addresses if each in given)


def check_allowed(prepared: Prepared) -> None:
    """Raise `AccessDenied` unless somebody answers for it and for its size, and every public address
    in it was proved."""
    check_agreed(prepared)
    if prepared.scope.unproved:
        raise not_yours(prepared.scope.unproved[0])


def check_agreed(prepared: Prepared) -> None:
    """Raise `AccessDenied` unless somebody answers for it, and for its size."""
    if not prepared.scope.is_local and not prepared.wish.authorised_by:
        raise AccessDenied(
            N_("nobody said who authorised an audit beyond this machine"),
            hint=N_("name the person who answers for this network: --authorised-by NAME"),
        )
    if prepared.scope.is_large and not prepared.wish.large:
        raise AccessDenied(
            N_("{count} addresses are more than {limit}: this must be confirmed"),
            hint=N_("confirm it with --large, or name a smaller range"),
            count=len(prepared.scope.addresses),
            limit=ASK_ABOVE,
        )


def see_outside(
    scan: Scan, wish: Wish, look: Look = by_nobody, proved: Collection[str] = ()
) -> Outside:
    """The scan with what is known of the outside: the box's list, the answers, a helper's look, and an
    imported scan.

    Args:
        proved: public addresses that are known to be the practice's.
    """
    seen = look(by_the_box(scan, wish.dmz, wish.manual_rules))
    if not wish.sights:
        return seen
    called = (seen.looked.address,) if seen.looked and not seen.looked.shared else ()
    joined = by_import(seen.scan, wish.sights, (*wish.outside_addresses, *proved, *called))
    return replace(seen, scan=joined.scan, not_checked=(*joined.not_checked, *seen.not_checked))


def _own(
    neighbours: Iterable[str], networks: Iterable[str]
) -> tuple[tuple[str, ...], tuple[NotChecked, ...]]:
    """The targets when none are named: who is known to be there, then the networks around; and what of
    them is left out. A public address is nobody's own: a provider's network is full of strangers."""
    around = {each: ip_network(each, strict=False) for each in networks}
    links = tuple(around.values())
    four = [(text, network) for text, network in around.items() if network.version == 4]
    swept = [text for text, net in four if is_own(net) and net.num_addresses <= ASK_ABOVE]
    skipped = [
        NotChecked("scope", text, TOO_LARGE, {"limit": ASK_ABOVE}) if is_own(net)
        else NotChecked("scope", text, NOT_OWN)
        for text, net in four
        if text not in swept
    ]  # fmt: skip
    # A machine's link-local address would only show its services a second time.
    known = (each for each in neighbours if not each.lower().startswith("fe80:"))
    mine = (each for each in known if is_own(ip_network(each.partition("%")[0]), links))
    targets = (*dict.fromkeys((*mine, *swept)),)
    if not targets:
        raise UsageError(
            N_("this machine is on no network that can be looked at"),
            hint=N_("name addresses: serment scan network 192.168.1.0/24"),
        )
    return targets, tuple(skipped)


def _check_ids(only: Iterable[str]) -> None:
    unknown = sorted(set(only) - set(CHECKS))
    if unknown:
        raise UsageError(
            N_("there is no check {name}"),
            hint=N_("docs/exposure.md lists them: X01, X02 ..."),
            name=", ".join(unknown),
        )
