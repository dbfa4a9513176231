"""The hub tells each subscriber of its kind of fact, in the subscriber's own context."""

from contextvars import ContextVar

import pytest

from bot.engine.hub import Hub
from bot.model.events import Event, SettingsChanged

FACT = SettingsChanged(guild_id=7)
adapter: ContextVar[str] = ContextVar("adapter", default="none")


def test_a_callback_runs_in_the_context_of_its_subscription() -> None:
    hub, seen = Hub(), list[str]()
    token = adapter.set("simulated")
    hub.subscribe(SettingsChanged, lambda _: seen.append(adapter.get()))
    adapter.reset(token)
    hub.announce(FACT)
    assert seen == ["simulated"]


def test_who_unsubscribed_hears_nothing_more() -> None:
    hub, seen = Hub(), list[SettingsChanged]()
    unsubscribe = hub.subscribe(SettingsChanged, seen.append)
    hub.announce(FACT)
    unsubscribe()
    unsubscribe()
    hub.announce(FACT)
    assert seen == [FACT]


def test_a_failing_subscriber_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    hub, seen = Hub(), list[SettingsChanged]()

    def fails(_: SettingsChanged) -> None:
        raise RuntimeError("boom")

    hub.subscribe(SettingsChanged, fails)
    hub.subscribe(SettingsChanged, seen.append)
    hub.announce(FACT)
    assert seen == [FACT]
    assert [record.msg for record in caplog.records] == [Event.BUG]
