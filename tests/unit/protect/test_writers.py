"""Writers made ahead: a few for few objects, each for one object only, all to their envelope."""

from __future__ import annotations

from serment.app.protect.sealing import WRITERS_AHEAD, WRITERS_AT_ONCE, SealingEnvelope
from serment.core.crypto.age import HybridIdentity
from serment.core.crypto.age.header import parse
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import new_key, new_seed


def envelope() -> tuple[SealingEnvelope, HybridIdentity]:
    identity = HybridIdentity(new_seed())
    return SealingEnvelope(new_id(), new_id(), identity.recipient(), new_key(), new_key()), identity


def test_one_object_costs_one_writer() -> None:
    one, _ = envelope()
    one.prepare()
    one.prepare()
    one.writer()
    assert one.ready == []
    assert one.made == 1


def test_many_objects_have_theirs_made_together() -> None:
    one, _ = envelope()
    waiting = []
    for _ in range(5 * WRITERS_AT_ONCE):
        one.writer()
        waiting.append(len(one.ready))
    assert waiting[:4] == [0, 0, 1, 0]
    assert max(waiting) == WRITERS_AT_ONCE - 1


def test_as_many_are_made_ahead_as_are_asked_for_within_reason() -> None:
    one, _ = envelope()
    for asked, ready in ((10, 10), (3, 10), (12, 12), (10**6, WRITERS_AHEAD)):
        one.prepare(asked)
        assert len(one.ready) == ready, asked


def test_each_has_a_file_key_of_its_own_that_the_envelope_opens() -> None:
    one, identity = envelope()
    headers = [parse(one.writer().header()) for _ in range(2 * WRITERS_AT_ONCE)]
    keys = [identity.unwrap(header.stanzas) for header in headers]
    assert None not in keys
    assert len(set(keys)) == len(keys)
