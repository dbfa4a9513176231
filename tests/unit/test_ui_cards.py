"""The messages in Discord, from model facts: what they say, and that hostile or endless facts fit into them."""

from datetime import UTC, datetime, timedelta

import discord
import pytest

from bot.model.account import Account, AccountStatus
from bot.model.events import Progress
from bot.model.item import Action, ItemStatus, SyncItem
from bot.model.log_filter import LogFilter, LogPage
from bot.model.logline import Level, LogLine
from bot.model.mapping import Direction, Mapping, Playlist, Side
from bot.model.matching import Candidate, Score
from bot.model.music import Service, Track
from bot.model.plan import Add, Conflict, Cost, Guard, GuardKind, Move, Plan, Remove
from bot.model.queue import Standing
from bot.model.quota import Bucket, BucketState
from bot.model.review import BlacklistReason, BlacklistRow
from bot.model.run import Run, RunCounts, RunKind, RunStatus, Trigger
from cogs._ui import (
    account_cards,
    bars,
    colours,
    foreign,
    item_cards,
    log_cards,
    mapping_cards,
    opened_item,
    quota_card,
    review_cards,
    sync_cards,
)
from cogs._ui.tally import Tally, tally

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOSTILE = "@everyone `**[x](https://evil.example)** \u202e<@1> " + "𝕏" * 4000
STATES = {
    Bucket.YOUTUBE_UNITS: BucketState(
        bucket=Bucket.YOUTUBE_UNITS, limit=10_000, used=600, resets_at=NOW + timedelta(hours=20)
    ),
    Bucket.YOUTUBE_SEARCH: BucketState(
        bucket=Bucket.YOUTUBE_SEARCH, limit=100, used=100, resets_at=NOW + timedelta(hours=20)
    ),
}


def _playlist(service: Service, name: str = "Road trip") -> Playlist:
    return Playlist(
        id=1, service=service, external_id="abc", account_id=1, name=name, url=f"https://{service.value}.example/abc"
    )


def _mapping(name: str = "Trip", **fields: object) -> Mapping:
    values: dict[str, object] = {
        "id": 3,
        "guild_id": 9,
        "name": name,
        "left": _playlist(Service.SPOTIFY, name),
        "right": _playlist(Service.YOUTUBE, name),
    }
    return Mapping(**{**values, **fields})  # type: ignore[arg-type]


def _track(title: str, number: int = 0) -> Track:
    return Track(service=Service.SPOTIFY, external_id=f"t{number}", title=title, artists=("Someone",), duration=200)


def _run(**counts: int) -> Run:
    return Run(
        id=7,
        kind=RunKind.EXECUTION,
        mapping_id=3,
        trigger=Trigger.COMMAND,
        actor_id=1,
        status=RunStatus.COMPLETED,
        created_at=NOW,
        counts=RunCounts(**counts),
    )


def _row(title: str = "Lost song", **fields: object) -> BlacklistRow:
    values: dict[str, object] = {
        "id": 11,
        "mapping_id": 3,
        "service": Service.SPOTIFY,
        "track_id": "t0",
        "title": title,
        "artists": (title,),
        "reason": BlacklistReason.LOW_CONFIDENCE,
        "candidates": (_candidate("Lost song (Live)", gates=("version:live", "length-near"), gap=4.2),),
        "explanation": "title 0.98, live version: rejected",
    }
    return BlacklistRow(**{**values, **fields})  # type: ignore[arg-type]


def _item(title: str = "Lost song", status: ItemStatus = ItemStatus.BLACKLISTED, number: int = 1) -> SyncItem:
    return SyncItem(
        id=number,
        mapping_id=3,
        run_id=7,
        service=Service.YOUTUBE,
        action=Action.ADD_TRACK,
        source_track_id="t0",
        occurrence=0,
        source_track_title=title,
        source_service=Service.SPOTIFY,
        destination_service=Service.YOUTUBE,
        status=status,
        last_error="The playlist is full",
    )


def _candidate(title: str, number: int = 0, *, gates: tuple[str, ...] = (), gap: float = 2.0) -> Candidate:
    track = Track(
        service=Service.YOUTUBE, external_id=f"vid{number:08}", title=title, channel="A Channel", duration=225.0
    )
    return Candidate(track=track, score=Score(total=0.83, title=0.9, artist=1.0, length_gap=gap, gates=gates))


def _text(card: discord.Embed) -> str:
    fields = [f"{field.name}\n{field.value}" for field in card.fields]
    return "\n".join([card.title or "", card.description or "", *fields, card.footer.text or ""])


def _full_plan(title: str, size: int) -> Plan:
    return Plan(
        mapping_id=3,
        adds=tuple(Add(side=Side.RIGHT, source=_track(title, number)) for number in range(size)),
        removes=tuple(Remove(side=Side.LEFT, track=_track(title, number), linked=False) for number in range(size)),
        moves=tuple(Move(side=Side.RIGHT, track=_track(title, number), origin=5, position=0) for number in range(size)),
        renames=((Side.RIGHT, title),),
        conflicts=tuple(Conflict(track=None, sentence=title) for _ in range(size)),
        held_back=4,
        unchanged=80,
        in_review=size,
        cost=Cost(youtube_units=600, youtube_searches=12, done_at=NOW + timedelta(days=1)),
    )


def test_a_plan_shows_adds_removals_moves_cost_and_when_it_is_done() -> None:
    text = _text(sync_cards.plan_card(_mapping(), _full_plan("Wannabe", 12), states=STATES, now=NOW, reviews=[_row()]))
    for said in (
        "12 tracks to add, 12 tracks to remove, 12 tracks to move",
        "80 tracks in step",
        "Add to YouTube “Trip” (12)",
        "Remove from Spotify “Trip” (12)",
        "not put there by Crossfade",
        "place 6 → 1",
        "600 YouTube units (9,400 left)",
        "12 YouTube searches (0 left)",
        f"<t:{int((NOW + timedelta(days=1)).timestamp())}:R>",
        "Lost song — Lost song: a person should choose; nearest: “Lost song (Live)” — live version, 4 s longer",
        "… and 4 more",
        "4 more tracks beyond the cap",
    ):
        assert said in text


def test_an_empty_plan_says_that_both_are_in_step() -> None:
    card = sync_cards.plan_card(_mapping(), Plan(mapping_id=3, unchanged=80), states=STATES, now=NOW)
    assert card.title == "In step: “Trip”"
    assert card.colour == discord.Colour(colours.GOOD)
    assert "Nothing to change" in _text(card)


def test_a_stopped_plan_says_why_and_who_can_force_it() -> None:
    guard = Guard(kind=GuardKind.TOO_MANY_REMOVALS, sentence="It would remove 30 tracks; the cap is 25.")
    card = sync_cards.plan_card(_mapping(), Plan(mapping_id=3, guard=guard), states=STATES, now=NOW)
    assert "Stopped before changing anything" in (card.title or "")
    assert "the cap is 25" in _text(card)
    assert "admin can force" in _text(card)


def test_a_plan_that_never_fits_says_so() -> None:
    plan = Plan(mapping_id=3, adds=(Add(side=Side.RIGHT, source=_track("x")),), cost=Cost(youtube_units=50))
    assert "never under the present limits" in _text(sync_cards.plan_card(_mapping(), plan, states=STATES, now=NOW))


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost(youtube_units=102, youtube_searches=2, done_at=NOW), "less than a minute"),
        (Cost(youtube_units=4080, youtube_searches=80, done_at=NOW), "about 3 minutes"),
        (Cost(youtube_units=500_000, done_at=NOW), "about 2 hours"),
    ],
)
def test_work_that_fits_now_is_given_as_a_duration_and_not_as_a_moment(cost: Cost, words: str) -> None:
    text = sync_cards.done_line(cost, NOW)
    assert text == f"Fits into today's quota;\n{words}"


def test_each_change_is_counted_once_by_how_it_stands() -> None:
    standing = [
        Standing(ItemStatus.DONE, Action.ADD_TRACK, wrote=True, items=7),
        Standing(ItemStatus.DONE, Action.REMOVE_TRACK, wrote=True, items=2),
        Standing(ItemStatus.DONE, Action.MOVE_TRACK, wrote=True, items=1),
        Standing(ItemStatus.DONE, Action.ADD_TRACK, wrote=False, items=3),
        Standing(ItemStatus.BLACKLISTED, Action.ADD_TRACK, wrote=False, items=5),
        Standing(ItemStatus.ERROR, Action.ADD_TRACK, wrote=True, items=1),
        Standing(ItemStatus.SKIPPED, Action.ADD_TRACK, wrote=False, items=1),
        Standing(ItemStatus.CANCELLED, Action.ADD_TRACK, wrote=False, items=1),
    ]
    assert tally(standing, 2, waiting=4) == Tally(
        added=7, removed=2, moved=1, there=3, in_review=2, not_found=3, failed=1, unneeded=2, waiting=4
    )


def test_a_track_without_any_candidate_was_simply_not_found() -> None:
    row = _row(reason=BlacklistReason.SEARCH_FAILED, candidates=())
    assert sync_cards.review_line(row) == "Lost song — Lost song: nothing found"


def test_progress_shows_bar_counts_and_the_track_at_hand() -> None:
    fact = Progress(run=_run(adds=10), guild_id=9, total=80, finished=20, current_title="Wannabe")
    text = _text(sync_cards.progress_card(_mapping(), fact, Tally(added=10, not_found=2)))
    assert "▰▰▰▰▰▱" in text
    assert "20 of 80" in text
    assert "Wannabe" in text
    assert "10 added · 2 not found" in text


@pytest.mark.parametrize(("finished", "total", "filled"), [(0, 80, 0), (79, 80, 19), (80, 80, 20), (0, 0, 20)])
def test_the_bar_is_full_only_when_all_is_finished(finished: int, total: int, filled: int) -> None:
    assert bars.progress(finished, total).count("▰") == filled
    assert len(bars.progress(finished, total)) == bars.PROGRESS_CELLS


def test_a_summary_names_what_was_not_found_with_its_reason() -> None:
    outcome = sync_cards.Outcome(
        status=RunStatus.COMPLETED,
        counts=RunCounts(quota_units=3500),
        tally=Tally(added=70, there=3, in_review=1, failed=1, waiting=3),
        seconds=185,
        problems=((_item(), _row()), (_item("Other", ItemStatus.ERROR), None)),
        waits_until=NOW,
    )
    text = _text(sync_cards.summary_card(_mapping(), outcome))
    for said in (
        "70 added · 3 already there · 1 to review · 1 failed · 3 waiting",
        "3 min 5 s", "3,500 units", "3 changes wait", "Not in the playlist (2)",
        "**1.** Lost song — Lost song: a person should choose", "**2.** Other: The playlist is full",
    ):  # fmt: skip
        assert said in text


def test_a_review_card_shows_each_candidate_with_length_channel_score_and_link() -> None:
    row = _row(candidates=tuple(_candidate(f"Lost song {number}", number) for number in range(10)), skip_count=2)
    text = _text(review_cards.review_card(row, mapping_name="Trip", place="1 of 4 open"))
    assert "[Lost song 3](https://www.youtube.com/watch?v=vid00000003) — A Channel · 3:45 (+2 s) · 0.83" in text
    assert "**5.**" in text
    assert "**6.**" not in text
    assert "Not added to YouTube: a person should choose; nearest: “Lost song 0” — 2 s longer" in text
    choices = review_cards.options(row)
    assert [choice.value for choice in choices] == [f"vid{number:08}" for number in range(5)]
    assert choices[0].description == "A Channel · 3:45 · 0.83"


def test_accounts_show_status_scopes_and_when_the_consent_ends() -> None:
    account = Account(
        id=1,
        discord_user_id=5,
        service=Service.SPOTIFY,
        external_id="x",
        display_name="alice",
        scopes=("playlist-read-private", "some.new.scope"),
        status=AccountStatus.CONNECTED,
        granted_at=NOW - timedelta(days=170),
        token_dies_at=NOW + timedelta(days=10),
    )
    text = _text(account_cards.accounts_card([account], NOW))
    assert "Spotify: alice" in text
    assert "Connected" in text
    assert "read private playlists, some.new.scope" in text
    assert "use `/connect` before then" in text


def test_a_paused_mapping_says_why() -> None:
    paused = _mapping(enabled=False, pause_reason="The owner left.", direction=Direction.TWO_WAY)
    assert "paused: The owner left." in _text(mapping_cards.mapping_card(paused))
    assert "⇄" in _text(mapping_cards.mappings_card([paused]))


def test_every_card_is_harmless_and_fits_with_hostile_facts() -> None:
    mapping = _mapping(HOSTILE, enabled=False, pause_reason=HOSTILE)
    row = _row(HOSTILE, explanation=HOSTILE, candidates=tuple(_candidate(HOSTILE, n) for n in range(50)))
    item = _item(HOSTILE)
    outcome = sync_cards.Outcome(
        status=RunStatus.FAILED,
        counts=RunCounts(),
        tally=Tally(waiting=1),
        seconds=1,
        problems=((item, row),) * 50,
        error=HOSTILE,
    )
    account = Account(
        id=1,
        discord_user_id=5,
        service=Service.YOUTUBE,
        external_id="x",
        display_name=HOSTILE,
        scopes=(HOSTILE,) * 30,
        status=AccountStatus.CONNECTED,
        granted_at=NOW,
    )
    line = LogLine(at=NOW, level=Level.ERROR, event="bug", message=HOSTILE[:1024])
    fact = Progress(run=_run(), guild_id=9, total=1, finished=0, current_title=HOSTILE)
    plan = _full_plan(HOSTILE, 50)
    cards = [
        [
            sync_cards.plan_card(mapping, plan, states=STATES, now=NOW, reviews=[row] * 50),
            sync_cards.progress_card(mapping, fact, Tally()),
        ],
        [sync_cards.summary_card(mapping, outcome)],
        [sync_cards.cancelled_card(HOSTILE)],
        [review_cards.review_card(row, mapping_name=HOSTILE)],
        [account_cards.accounts_card([account] * 40, NOW)],
        [account_cards.confirm_card(Service.YOUTUBE, HOSTILE)],
        [mapping_cards.mapping_card(mapping), mapping_cards.removed_card(mapping)],
        [mapping_cards.mappings_card([mapping] * 200)],
        [item_cards.item_card(item, mapping_name=HOSTILE, row=row)],
        [
            log_cards.logs_card(
                LogPage(lines=(line,) * 50), LogFilter(guild_id=1, text=HOSTILE, mapping_id=1), mapping_name=HOSTILE
            )
        ],
        [
            log_cards.line_card(line, mapping_name=HOSTILE),
            *opened_item.cards(item, mapping=mapping, row=row, lines=[line]),
        ],
    ]
    for embeds in cards:
        fitted = foreign.fit(embeds)
        assert sum(len(card) for card in fitted) <= 6000
        text = "\n".join(_text(card) for card in fitted)
        assert "@everyone" not in text
        assert "https://evil" not in text
        assert "\u202e" not in text
        assert "<@1>" not in text.replace("\\<", "")
        for card in fitted:
            assert len(card.title or "") <= 256
            assert all(len(field.name or "") <= 256 and len(field.value or "") <= 1024 for field in card.fields)
    for option in review_cards.options(row):
        assert len(option.label) <= 100
        assert len(option.description or "") <= 100


def test_the_quota_card_shows_what_is_left_and_what_the_queue_takes() -> None:
    queue = Cost(youtube_units=1200, youtube_searches=20, done_at=NOW + timedelta(hours=30))
    text = _text(quota_card.quota_card(STATES, queue, NOW))
    assert "9,400 left" in text
    assert "100 of 100" in text
    assert "20 YouTube searches (0 left)" in text
    assert "Nothing is waiting" in _text(quota_card.quota_card(STATES, Cost(), NOW))
