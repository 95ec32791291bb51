"""The board tells each session how far its own work is, and nothing to others."""

from __future__ import annotations

from itertools import count

import pytest

from serment.entrypoints.web.progress import KEPT_SECONDS, MOST_JOBS, JobState, ProgressBoard


class Hand:
    """A clock moved by the test."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def board(hand: Hand) -> ProgressBoard:
    numbers = count()
    return ProgressBoard(hand, lambda: f"job{next(numbers)}")


def test_a_job_tells_count_share_and_time_left(board: ProgressBoard, hand: Hand) -> None:
    with board.job("marie", "Filing") as job:
        assert board.view("marie", job.id).fraction is None
        job.total(40)
        job.step(10)
        assert board.view("marie", job.id).seconds_left is None, "too early for a guess"
        hand.now += 5
        view = board.view("marie", job.id)
        assert (view.count, view.total, view.fraction, view.seconds_left) == (10, 40, 0.25, 15.0)
        assert view.state is JobState.RUNNING
    ended = board.view("marie", job.id)
    assert (ended.state, ended.seconds_left) == (JobState.DONE, 0.0)


def test_nobody_sees_the_work_of_another_session(board: ProgressBoard) -> None:
    job = board.start("marie", "Filing")
    assert board.view("paul", job.id) is None
    assert board.views("paul") == []
    assert [view.id for view in board.views("marie")] == [job.id]
    board.forget("marie")
    assert board.views("marie") == []


def test_what_raises_has_failed_and_still_raises(board: ProgressBoard) -> None:
    with pytest.raises(RuntimeError), board.job("marie", "Filing") as job:
        raise RuntimeError
    assert board.view("marie", job.id).state is JobState.FAILED


def test_finished_work_is_forgotten_after_a_while(board: ProgressBoard, hand: Hand) -> None:
    with board.job("marie", "Filing"):
        pass
    running = board.start("marie", "Opening")
    hand.now += KEPT_SECONDS + 1
    assert [view.id for view in board.views("marie")] == [running.id]


def test_the_board_does_not_grow(board: ProgressBoard) -> None:
    first = board.start("marie", "Opening")
    for _ in range(MOST_JOBS + 50):
        with board.job("marie", "Filing"):
            pass
    views = board.views("marie")
    assert len(views) < MOST_JOBS + 1
    assert views[0].id == first.id, "running work stays"


def test_an_empty_job_is_whole(board: ProgressBoard) -> None:
    job = board.start("marie", "Filing")
    job.total(0)
    assert board.view("marie", job.id).fraction == 1.0
