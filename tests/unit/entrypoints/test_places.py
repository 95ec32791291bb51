"""Places for associations: as many as there may be, wherever they are served, and given back once."""

from __future__ import annotations

from serment.entrypoints.dimse.limits import Limits
from serment.entrypoints.dimse.places import Places

LIMITS = Limits(associations=4, associations_per_address=2, associations_of_strangers=1)


def test_one_address_has_its_share_and_all_together_theirs() -> None:
    places = Places(LIMITS)
    first = [places.enter("10.0.0.1", True) for _ in range(2)]
    assert all(first)
    assert places.enter("10.0.0.1", True) is None
    assert places.enter("10.0.0.2", True)
    assert places.enter("10.0.0.3", True)
    assert places.enter("10.0.0.4", True) is None


def test_a_place_given_back_is_free_and_only_once() -> None:
    places = Places(LIMITS)
    leave, _kept = places.enter("10.0.0.1", True), places.enter("10.0.0.1", True)
    assert leave is not None
    leave()
    leave()
    assert places.enter("10.0.0.1", True)
    assert places.enter("10.0.0.1", True) is None


def test_strangers_never_take_the_places_of_devices() -> None:
    places = Places(LIMITS)
    assert places.enter("10.0.0.8", False)
    assert places.enter("10.0.0.9", False) is None
    for number in range(3):
        assert places.enter(f"10.0.0.{number}", True)
