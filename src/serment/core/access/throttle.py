"""How long to wait after failed attempts to sign in: per account and per address.

Three failures close together make a wait of a minute, each further three a longer one; three waits
within a day are worth an alert. States live in memory (`Attempts`, bounded); a restart forgets them, which an
attacker at the login page cannot bring about. A stolen vault is not throttled at all: that is what
the strength of passwords is for.

Source: PGSSI-S 5.2.3.1 to 5.2.3.3; CNIL délibération n° 2022-100.
"""

from __future__ import annotations

import ipaddress
import math
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from serment.errors import N_, Busy

FAILURES = 3
WAITS = tuple(timedelta(minutes=m) for m in (1, 2, 5, 15, 30))
ALERT_AFTER = 3
FORGOTTEN = timedelta(minutes=15)  # a failure this long ago was a slip of the fingers
DAY = timedelta(days=1)
MAX_STATES = 10_000


@dataclass(frozen=True, slots=True)
class Throttle:
    """What is remembered of one account or one address; times are aware UTC."""

    failures: int = 0  # since the last wait or success
    last: datetime | None = None  # the last failure
    until: datetime | None = None
    waits: tuple[datetime, ...] = ()  # when each wait of the last day began


def failed(state: Throttle, now: datetime) -> Throttle:
    """The state after one more failure; the third one starts a wait."""
    recent = tuple(t for t in state.waits if now - t < DAY)[-len(WAITS) :]
    stale = state.last is not None and now - state.last >= FORGOTTEN
    failures = 1 if stale else state.failures + 1
    if failures < FAILURES:
        return Throttle(failures, now, state.until, recent)
    wait = WAITS[min(len(recent), len(WAITS) - 1)]
    return Throttle(0, now, now + wait, (*recent, now))


def succeeded(state: Throttle) -> Throttle:
    """The state after a success: failures are forgiven, the waits of the day stay counted."""
    return replace(state, failures=0, until=None)


def wait_seconds(state: Throttle, now: datetime) -> int:
    """Whole seconds to wait from `now`; 0 when an attempt may be made."""
    if state.until is None or now >= state.until:
        return 0
    return math.ceil((state.until - now).total_seconds())


def is_alarming(state: Throttle, now: datetime) -> bool:
    """Whether there were three waits within a day: somebody may be guessing."""
    return sum(now - t < DAY for t in state.waits) >= ALERT_AFTER


def address_key(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 one, which is what a
    single customer is given."""
    host = address.partition("%")[0]
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if parsed.version == 4 or parsed.is_loopback:
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped or ipaddress.ip_network((parsed, 64), strict=False))


class Attempts:
    """The states of accounts and addresses; the caller holds a lock while using it.

    An account is counted apart for whoever signs in on the server itself and for each address it
    was opened from before: strangers who fail on purpose keep nobody out who is known. At most
    `MAX_STATES` are kept: the one that failed longest ago is forgotten first, so that filling the
    table takes more failures than it could gain.
    """

    def __init__(self) -> None:
        self._states: OrderedDict[str, Throttle] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()  # opened before
        self._tried: Counter[str] = Counter()  # attempts whose outcome is not known yet

    def begin(self, login: str, address: str, now: datetime) -> None:
        """One more attempt: what is under way counts as failed, so that trying at once gives no
        free guesses. `ended` follows, whatever comes of it.

        Raises:
            Busy: with the seconds to wait, while the account or the address must wait.
        """
        keys = self._keys(login, address)
        seconds = max(wait_seconds(self._state(key), now) for key in keys)
        if not seconds and any(self._has_no_room(key, now) for key in keys):
            seconds = 1
        if seconds:
            raise Busy(
                N_("too many failed attempts: wait {seconds} seconds"),
                hint=N_("then try again, or ask an administrator to rescue the account"),
                seconds=seconds,
            )
        self._tried.update(keys)

    def ended(self, login: str, address: str) -> None:
        """The outcome of an attempt is known, and told before by `failed` or `succeeded`."""
        for key in self._keys(login, address):
            self._tried[key] -= 1
        self._tried += Counter()  # forgets what nobody tries any more

    def _has_no_room(self, key: str, now: datetime) -> bool:
        state, tried = self._state(key), self._tried[key]
        stale = state.last is not None and now - state.last >= FORGOTTEN
        return tried > 0 and tried + (0 if stale else state.failures) >= FAILURES

    def failed(self, login: str, address: str, now: datetime) -> bool:
        """Count a failure for both; whether one of them has become alarming."""
        alarming = False
        for key in self._keys(login, address):
            state = failed(self._state(key), now)
            self._put(key, state)
            alarming |= is_alarming(state, now)
        return alarming

    def succeeded(self, login: str, address: str) -> None:
        """Forgive the account. The address keeps its failures: somebody who knows one password
        must not get free guesses at the others from the same place."""
        account, _ = self._keys(login, address)
        if account in self._states:
            self._put(account, succeeded(self._states[account]))

    def know(self, login: str, address: str) -> None:
        """That account was opened from there; told after `ended`, as it changes how they count."""
        pair = _account(login), address_key(address)
        self._known[pair] = None
        self._known.move_to_end(pair)
        while len(self._known) > MAX_STATES:
            self._known.popitem(last=False)

    def __len__(self) -> int:
        return len(self._states)

    def _keys(self, login: str, address: str) -> tuple[str, str]:
        account, place = _account(login), address_key(address)
        if _is_here(place) or (account, place) in self._known:
            account = f"{account} from {place}"
        return account, f"address:{place}"

    def _state(self, key: str) -> Throttle:
        return self._states.get(key, Throttle())

    def _put(self, key: str, state: Throttle) -> None:
        self._states[key] = state
        self._states.move_to_end(key)
        while len(self._states) > MAX_STATES:
            self._states.popitem(last=False)


def _account(login: str) -> str:
    return f"account:{login[:64].casefold()}"


def _is_here(place: str) -> bool:
    """Whether it is this machine: its command line, or its loopback address."""
    try:
        return ipaddress.ip_address(place).is_loopback
    except ValueError:
        return place == "local"
