"""Small facts for tests, and a mapping with all that it stands on."""

from datetime import datetime, timedelta
from typing import Any

from bot.model.account import Account, Token
from bot.model.item import Action, NewItem
from bot.model.mapping import Mapping
from bot.model.music import PlaylistContent, PlaylistEntry, PlaylistInfo, Profile, Service, Track
from bot.model.run import Run, RunKind, RunStatus, Trigger
from storage import Storage
from tests.clock import START

GUILD = 111_111_111_111_111_111
PERSON = 222_222_222_222_222_222


def track(external_id: str, service: Service = Service.SPOTIFY, **fields: Any) -> Track:
    """A track whose title tells its id, unless ``fields`` say otherwise."""
    return Track(service=service, external_id=external_id, **{"title": f"Title of {external_id}", **fields})


def info(external_id: str, service: Service = Service.SPOTIFY, **fields: Any) -> PlaylistInfo:
    return PlaylistInfo(service=service, external_id=external_id, **{"name": f"Name of {external_id}", **fields})


def content(external_id: str, tracks: list[Track], service: Service = Service.SPOTIFY) -> PlaylistContent:
    """A playlist read whole; on YouTube every entry has an id of its own."""
    entry_ids = [f"entry{n}" if service is Service.YOUTUBE else "" for n in range(len(tracks))]
    entries = [PlaylistEntry(position=n, track=each, entry_id=entry_ids[n]) for n, each in enumerate(tracks)]
    return PlaylistContent(info=info(external_id, service, item_count=len(tracks)), entries=tuple(entries))


def token(access: str = "access", *, at: datetime = START) -> Token:
    return Token(
        access_token=access, refresh_token=f"refresh {access}", expires_at=at + timedelta(hours=1), scopes=("a", "b")
    )


def new_item(source_track_id: str, **fields: Any) -> NewItem:
    """An add of a Spotify track to a YouTube playlist, unless ``fields`` say otherwise."""
    usual = {
        "service": Service.YOUTUBE,
        "action": Action.ADD_TRACK,
        "source_service": Service.SPOTIFY,
        "source_track_title": f"Title of {source_track_id}",
    }
    return NewItem(source_track_id=source_track_id, **{**usual, **fields})


async def connected(
    storage: Storage, service: Service, external_id: str = "me", *, person: int = PERSON, guild_id: int = GUILD
) -> Account:
    """A linked and confirmed account."""
    profile = Profile(service=service, account_id=external_id, display_name=f"{external_id} on {service.label}")
    account = await storage.accounts.add_pending(person, guild_id, profile, token(), storage.db.now(), None)
    confirmed = await storage.accounts.confirm(account.id)
    return confirmed or account


async def mapped(storage: Storage, name: str = "Mix", *, guild_id: int = GUILD, **fields: Any) -> Mapping:
    """A mapping of a Spotify playlist onto a YouTube playlist, both of the person's own accounts."""
    ids = []
    for service in (Service.SPOTIFY, Service.YOUTUBE):
        account = await connected(storage, service, guild_id=guild_id)
        playlist = await storage.playlists.upsert(info(f"{name} {service.value}", service), account.id)
        ids.append(playlist.id)
    return await storage.mappings.add(
        guild_id=guild_id, name=name, left_playlist_id=ids[0], right_playlist_id=ids[1], **fields
    )


async def started(
    storage: Storage, mapping: Mapping, kind: RunKind = RunKind.ANALYSIS, trigger: Trigger = Trigger.SCHEDULE
) -> Run:
    """A run of the mapping under way."""
    run = await storage.runs.start(kind, mapping.id, trigger, 0, storage.db.now())
    assert run is not None
    return run


async def queued(storage: Storage, mapping: Mapping, *ids: str, trigger: Trigger = Trigger.SCHEDULE) -> Run:
    """A finished analysis that enqueued an add for each id."""
    run = await started(storage, mapping, trigger=trigger)
    await storage.items.enqueue(mapping.id, run.id, [new_item(each) for each in ids], [])
    await storage.runs.finish(run.id, RunStatus.COMPLETED, storage.db.now())
    return run
