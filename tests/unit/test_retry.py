"""What becomes of an item after each kind of error."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.retry import FIRST_WAIT, LONGEST_WAIT, MAX_ATTEMPTS, RetryDecision, Step, backoff, decide
from bot.model.errors import (
    Bug,
    Forbidden,
    LoginNeeded,
    NotFound,
    QuotaSpent,
    Refused,
    RetryLater,
    ServicePaused,
    UnknownOutcome,
    UserMistake,
)
from bot.model.item import Action

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=5)


def after(error: Exception, attempts: int = 0, action: Action = Action.ADD_TRACK) -> RetryDecision:
    return decide(error, attempts=attempts, now=NOW, jitter=0.5, action=action)


@pytest.mark.parametrize(
    ("error", "step", "at"),
    [
        (LoginNeeded("the login is dead", account_id=3), Step.WAIT_LOGIN, None),
        (QuotaSpent("spent", bucket="youtube.units", until=LATER), Step.WAIT_QUOTA, LATER),
        (ServicePaused("silence", service="spotify", until=LATER), Step.WAIT_SERVICE, LATER),
        (RetryLater("429", at=LATER), Step.RETRY, LATER),
    ],
)
def test_what_the_item_cannot_help_waits_and_is_not_held_against_it(
    error: Exception, step: Step, at: datetime | None
) -> None:
    for attempts in (0, MAX_ATTEMPTS, 1_000):
        decision = after(error, attempts)
        assert (decision.step, decision.at, decision.counts) == (step, at, False)


def test_a_moment_that_is_past_means_now() -> None:
    assert after(RetryLater("429", at=NOW - timedelta(seconds=1))).at == NOW


@pytest.mark.parametrize("attempts", [0, MAX_ATTEMPTS, 1_000])
def test_an_unknown_outcome_is_always_read_back_after_the_settle_time(attempts: int) -> None:
    error = UnknownOutcome("timeout")
    decision = decide(error, attempts=attempts, now=NOW, jitter=0.0, settle=timedelta(seconds=90))
    assert (decision.step, decision.at) == (Step.READ_BACK, NOW + timedelta(seconds=90))


def test_certain_failures_are_tried_again_until_the_last_attempt() -> None:
    steps = [after(RetryLater("busy"), attempts).step for attempts in range(MAX_ATTEMPTS)]
    assert steps == [Step.RETRY] * (MAX_ATTEMPTS - 1) + [Step.GIVE_UP]
    assert "after 8 attempts" in after(RetryLater("busy"), MAX_ATTEMPTS - 1).reason


@pytest.mark.parametrize(
    ("error", "action", "step"),
    [
        (Refused("no", code="failedPrecondition"), Action.ADD_TRACK, Step.BLACKLIST),
        (Refused("no", code="videoNotFound"), Action.ADD_TRACK, Step.BLACKLIST),
        (Refused("no", code="failedPrecondition"), Action.REMOVE_TRACK, Step.GIVE_UP),
        (Refused("full", code="playlistContainsMaximumNumberOfVideos"), Action.ADD_TRACK, Step.GIVE_UP),
        (Refused("twice", code="videoAlreadyInPlaylist"), Action.ADD_TRACK, Step.SETTLED),
        (Refused("place", code="manualSortRequired"), Action.ADD_TRACK, Step.RETRY_AT_END),
        (Refused("place", code="invalidPlaylistItemPosition"), Action.ADD_TRACK, Step.RETRY_AT_END),
        (NotFound("entry", code="playlistItemNotFound"), Action.REMOVE_TRACK, Step.SETTLED),
        (NotFound("playlist", code="playlistNotFound"), Action.REMOVE_TRACK, Step.GIVE_UP),
        (NotFound("playlist", code="http_404"), Action.REMOVE_TRACK, Step.GIVE_UP),
        (Forbidden("not yours", code="http_403"), Action.ADD_TRACK, Step.GIVE_UP),
        (UserMistake("no such playlist"), Action.ADD_TRACK, Step.GIVE_UP),
        (Bug("garbage"), Action.ADD_TRACK, Step.GIVE_UP),
        (KeyError("id"), Action.ADD_TRACK, Step.GIVE_UP),
    ],
)
def test_a_certain_no_is_settled_once_and_for_all(error: Exception, action: Action, step: Step) -> None:
    decision = after(error, action=action)
    assert decision.step is step
    assert decision.reason
    assert decision.code == getattr(error, "code", "bug")


def test_a_place_that_is_refused_again_and_again_ends() -> None:
    assert after(Refused("place", code="manualSortRequired"), MAX_ATTEMPTS - 1).step is Step.GIVE_UP


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_waits_grow_up_to_a_cap_and_spread_over_half_of_themselves(attempts: int, jitter: float) -> None:
    wait = backoff(attempts, jitter)
    assert FIRST_WAIT / 2 <= wait <= LONGEST_WAIT
    assert backoff(attempts, 0.0) <= wait <= backoff(attempts + 1, jitter) or wait == backoff(attempts + 1, jitter)


def test_the_first_waits_double() -> None:
    assert [backoff(attempts, 0.0).total_seconds() for attempts in range(4)] == [2.5, 5, 10, 20]
