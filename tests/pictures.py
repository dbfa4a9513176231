"""Takes the pictures of README.md and docs/pictures.md from the running demo, with Debian's chromium.

``python -m tests.pictures [FOLDER]`` starts the demo in a folder of its own. Alice types each command into a channel of
its own, as the demo's page lets a visitor do, and a headless browser photographs what comes. Needs chromium.
"""

import argparse
import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops  # matplotlib brings it along

from bot.demo.past import DAILY
from bot.demo.show import Server, keep_time, open_server
from tests.browser import Browser, open_browser

WIDTH, HEIGHT = 1100, 1900  # of the browser's window, in CSS pixels
CHANNEL = (256, 52, 256 + 630, HEIGHT - 72)  # left, top, right, bottom: the page without the tools around the channel
HEAD = 48  # of the channel, with its name
MARGIN = 12
SCALE = 1.25
COLOURS = 128  # of a palette that holds the rare ones too, for the charts' legends; then fitted to the frequent ones
READY = """!document.body.innerText.includes('Updating') && document.querySelector('.message-author') !== null
    && [...document.images].every((one) => one.complete)"""
LOG_HEIGHT = 1150  # CSS pixels of the log channel, its latest
UNDER_WAY_SECONDS = 25.0  # after which the demo's sync is well under way
SUMMED_UP_SECONDS = 30.0  # after which the log channel tells of a short sync, which has to share with the long one


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A channel of this name with what Alice does there."""

    name: str
    play: Callable[[Server, Any], Awaitable[Any]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parents[1] / "docs")
    folder: Path = parser.parse_args().folder
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("chromium is needed; on Debian and Ubuntu: apt install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_photograph_all(browser, folder))
    return 0


def _typed(command: str, **options: Any) -> Callable[[Server, Any], Awaitable[Any]]:
    async def play(server: Server, channel: Any) -> None:
        await server.alice.slash(channel, command, **options)

    return play


async def _last_sync(server: Server, channel: Any) -> None:
    """Alice looks at the latest run of the daily mapping that changed something."""
    mapping = await server.stage.runtime.storage.mappings.by_name(server.env.guild.id, DAILY)
    assert mapping is not None
    runs = await server.stage.runtime.storage.runs.of_mapping(mapping.id, 10)
    await server.alice.slash(channel, "jobs show", id=next(run.id for run in runs if run.counts.removals))


async def _two_more_songs(server: Server, channel: Any) -> None:
    """Alice adds two songs and syncs: the log channel gets the summary of the run."""
    mapping = await server.stage.runtime.storage.mappings.by_name(server.env.guild.id, DAILY)
    assert mapping is not None
    world = server.stage.sandbox.world
    world.add(mapping.left.external_id, [one.id for one in world.tracks if world.right_videos(one.id)][40:42])
    await server.alice.slash(channel, "sync", mapping=DAILY)
    await asyncio.sleep(SUMMED_UP_SECONDS)


SCENES = (
    Scene(name="jobs", play=_typed("jobs list")),
    Scene(name="job", play=_last_sync),
    Scene(name="queue", play=_typed("queue status")),
    Scene(name="errors", play=_typed("errors")),
    Scene(name="review", play=_typed("review")),
    Scene(name="undo", play=_typed("undo", mapping=DAILY)),
    Scene(name="quota", play=_typed("quota")),
    Scene(name="settings", play=_typed("settings")),
    Scene(name="sync", play=_two_more_songs),
)


async def _photograph_all(program: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        size = (WIDTH, HEIGHT)
        async with (
            open_browser(program, Path(temporary) / "browser", size, SCALE) as browser,
            open_server(Path(temporary), 1) as server,
        ):
            await server.fill()
            await asyncio.sleep(UNDER_WAY_SECONDS)
            await _photograph(browser, server, server.music, folder / "demo.png")
            for scene in SCENES:
                await keep_time(server.env)  # or what is now would be shown as to come
                channel = server.env.guild.create_text_channel(scene.name)
                await scene.play(server, channel)
                await _photograph(browser, server, channel, folder / f"{scene.name}.png")
            await _photograph(browser, server, server.log, folder / "log.png", last=LOG_HEIGHT)


async def _photograph(browser: Browser, server: Server, channel: Any, file: Path, *, last: int = HEIGHT) -> None:
    await keep_time(server.env)
    async with server.env.preview(channel, viewers=[server.alice], layout="channel", timezone="UTC") as preview:
        picture = await browser.photograph(preview.url, READY)
    with Image.open(io.BytesIO(picture)) as page:
        _cut(page.convert("RGB"), last).quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=3).save(
            file, optimize=True
        )
    print(file)


def _cut(page: Image.Image, last: int) -> Image.Image:
    """The ``last`` CSS pixels of the channel's messages, without the empty space around a short history."""
    left, top, right, bottom = (round(edge * SCALE) for edge in CHANNEL)
    messages = page.crop((left, top + round(HEAD * SCALE), right, bottom))
    ground = Image.new("RGB", messages.size, messages.getpixel((2, messages.height - 2)))
    box = ImageChops.difference(messages, ground).getbbox()
    if box is None:
        return messages
    margin = round(MARGIN * SCALE)
    bottom = min(messages.height, box[3] + margin)
    top = max(0, box[1] - margin, bottom - round(last * SCALE))
    return messages.crop((0, top, messages.width, bottom))


if __name__ == "__main__":
    raise SystemExit(main())
