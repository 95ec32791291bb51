"""Documented accounts of a database or a file server, tried only when the order says so, once each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from serment.adapters.network.line import Ended
from serment.adapters.network.probing import NONSENSE, Call, Heard
from serment.core.exposure.accounts import Account, announces_lock_out, documented
from serment.core.exposure.seen import Answer, Database, Files


def with_documented(
    call: Call, product: str, sign_in: Callable[[Account], tuple[bool, str]], over: str = ""
) -> Heard | None:
    """What was heard, with what became of the product's accounts.

    Args:
        sign_in: tries one; whether it was let in, and the words of the refusal.
        over: the protocol, where it is FTP.
    """
    if call.heard is None or not call.order.default_accounts:
        return call.heard
    for account in documented(product, over):
        if not call.may_try(account):
            continue
        is_in, why = False, ""
        with contextlib.suppress(Ended, *NONSENSE):
            is_in, why = sign_in(account)
        facts = call.heard.facts
        assert isinstance(facts, Database | Files)
        answer = Answer.YES if is_in else Answer.REFUSED
        call.heard = replace(call.heard, facts=replace(facts, default_account=answer))
        if is_in or announces_lock_out(why):
            break
    return call.heard
