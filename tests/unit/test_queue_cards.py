"""What /queue and /tasks show stays within Discord's limits, and foreign names stay words."""

from datetime import timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

from PIL import Image

from bot.engine.queue import LaneStatus, Obstacle, QueueStatus
from bot.engine.tasks import BackgroundTask
from bot.model.item import ItemStatus
from bot.model.mapping import Mapping, Playlist
from bot.model.music import Service
from bot.model.queue import Delay, HourCount, Lane, QueuePause
from cogs._ui import foreign, queue_card, queue_chart, task_card
from storage.words import TaskState
from tests.clock import START

HOSTILE = "@everyone [x](https://evil.example) `" * 3
HOURS = tuple(HourCount(start=START - timedelta(hours=back), done=back, failed=back % 3) for back in range(23, -1, -1))


def playlist(service: Service) -> Playlist:
    return Playlist(id=1, service=service, external_id="x", account_id=1, name=HOSTILE, url="")


def mapping(id_: int) -> Mapping:
    left, right = playlist(Service.SPOTIFY), playlist(Service.YOUTUBE)
    return Mapping(id=id_, guild_id=1, name=f"{id_} {HOSTILE}"[:80], left=left, right=right)


def crowded() -> QueueStatus:
    lanes = tuple(
        Lane(
            mapping_id=id_,
            service=Service.YOUTUBE,
            counts=dict.fromkeys(ItemStatus, 1_234_567),
            delayed=1_000_000,
            until=START,
        )
        for id_ in range(300)
    )
    obstacles = [None, *Obstacle]
    return QueueStatus(
        at=START,
        pauses=tuple(
            QueuePause(guild_id=1, mapping_id=n, actor_id=2**62, since=START, reason=HOSTILE, mapping_name=HOSTILE)
            for n in range(1, 60)
        ),
        lanes=lanes,
        busy=tuple(
            LaneStatus(
                mapping=mapping(lane.mapping_id),
                lane=lane,
                position=lane.mapping_id or None,
                through_at=START if lane.mapping_id % 2 else None,
                obstacle=obstacles[lane.mapping_id % len(obstacles)],
            )
            for lane in lanes
        ),
        delays=tuple(
            Delay(service=Service.SPOTIFY, reason=f"{n} {HOSTILE}", items=9, first=START, last=START) for n in range(10)
        ),
        hours=HOURS,
    )


def test_a_crowded_queue_fits_into_one_message_and_counts_what_it_leaves_out() -> None:
    card = queue_card.status_card(crowded())
    [fitted] = foreign.fit([card])
    assert len(fitted) <= foreign.EMBEDS_TOTAL
    text = "\n".join([fitted.description or "", *(field.value or "" for field in fitted.fields)])
    assert "more" in text
    assert "@everyone" not in text
    assert "(https://evil" not in text
    assert "370,370,100" in text


def test_the_picture_is_told_in_words_in_the_servers_own_time() -> None:
    said = queue_chart.alt_text(HOURS, ZoneInfo("Asia/Kathmandu"))
    assert said.startswith("Bar chart of the last 24 hours: 276 items done, 24 failed.")
    assert "from 18:45 on 19 November" in said
    empty = queue_chart.alt_text([HourCount(start=hour.start) for hour in HOURS], ZoneInfo("UTC"))
    assert empty == "Bar chart of the last 24 hours: 0 items done, 0 failed."


async def test_the_picture_is_drawn_in_the_common_width() -> None:
    for hours in (HOURS, tuple(HourCount(start=hour.start) for hour in HOURS)):
        png = await queue_chart.drawn(hours, ZoneInfo("UTC"), "UTC")
        assert Image.open(BytesIO(png)).width == 880


def test_every_task_finds_room_however_long_its_error_is() -> None:
    tasks = [
        BackgroundTask(
            name=f"t{n}",
            title=f"Task {n}",
            purpose="Does something that takes a sentence to say",
            last_run=START,
            next_run=START,
            status=TaskState.FAILED,
            last_error=HOSTILE * 20,
            last_result="x " * 500,
            runnable=True,
            loops=False,
        )
        for n in range(18)
    ]
    [fitted] = foreign.fit([task_card.tasks_card(tasks)])
    assert len(fitted) <= foreign.EMBEDS_TOTAL
    assert "18 of them failed" in (fitted.description or "")
