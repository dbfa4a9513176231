"""The sources of metadata outside of the music services, put together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version

from bot.clock import Clock
from bot.services.metadata import listenbrainz, musicbrainz
from bot.services.metadata.asking import Asking
from bot.services.metadata.listenbrainz import ListenBrainz
from bot.services.metadata.musicbrainz import MusicBrainz
from bot.services.metadata.source import MetadataSource
from bot.services.sending import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataConfig:
    """``contact``: an address of the owner's that the servers are told, as their rules demand. Times are seconds."""

    enabled: bool = True
    contact: str = "http://127.0.0.1:8080"
    listenbrainz_api_url: str = "https://api.listenbrainz.org"
    listenbrainz_token: str = field(default="", repr=False)
    musicbrainz_api_url: str = "https://musicbrainz.org/ws/2"
    connect_seconds: float = 5.0
    read_seconds: float = 20.0


@asynccontextmanager
async def open_sources(
    config: MetadataConfig, clock: Clock, sent: Callable[[str], None]
) -> AsyncIterator[tuple[MetadataSource, ...]]:
    """In the order in which they are asked; none where the owner wants no titles to leave the house.

    ``sent`` hears the source's name before each request leaves.
    """
    if not config.enabled:
        yield ()
        return
    workers = Workers(threads=2, timeout=(config.connect_seconds, config.read_seconds), now=clock.now)
    agent = f"Crossfade/{version('crossfade')} ( {config.contact} )"

    def asking(name: str, gap: float) -> Asking:
        return Asking(name, gap=gap, agent=agent, workers=workers, clock=clock, sent=sent)

    try:
        yield (
            ListenBrainz(
                asking(ListenBrainz.name, listenbrainz.GAP),
                config.listenbrainz_api_url,
                token=config.listenbrainz_token,
            ),
            MusicBrainz(asking(MusicBrainz.name, musicbrainz.GAP), config.musicbrainz_api_url),
        )
    finally:
        await workers.close()
