"""Which keys a set of known keys opens, over wraps by their names: the rule of the blast radius.

A wrap lets whoever has its recipient's secret, of that epoch, have its subject's. Nothing else
does. Whether a wrap is authentic shows only when its key is used: a false one opens nothing, so
the answer is never too small.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from serment.core.journal.keystate import WrapName
from serment.core.records.names import NameKind, circle, parse_name


class Holder(NamedTuple):
    """Somebody's secret: a name of `core.records.names`, and the epoch of a circle's."""

    name: str
    epoch: int = 0


def secret_of(subject: str) -> Holder:
    """The secret that opening a wrap of this subject gives."""
    if "@" not in subject:
        return Holder(subject)
    name = parse_name(subject)
    if name.kind is not NameKind.CIRCLE:
        return Holder(subject)
    return Holder(circle(name.id), name.epoch)


def reached(wraps: Iterable[WrapName], known: Collection[str]) -> frozenset[Holder]:
    """Every secret that the wraps lead to, step by step, from those of the `known` names (of
    every epoch); the known ones themselves as far as a wrap is for them."""
    under: defaultdict[Holder, list[Holder]] = defaultdict(list)
    for wrap in wraps:
        under[Holder(wrap.recipient, wrap.epoch)].append(secret_of(wrap.subject))
    found = {holder for holder in under if holder.name in known}
    pending = list(found)
    while pending:
        for secret in under.get(pending.pop(), ()):
            if secret not in found:
                found.add(secret)
                pending.append(secret)
    return frozenset(found)
