"""Months of a mapping's life in seconds: people edit, services fail, the program dies, and the books are compared."""

import random
from collections import Counter
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.engine.quota import QuotaLimits
from bot.engine.sync import StartedSync
from bot.model.errors import CrossfadeError
from bot.model.events import AccountLinked
from bot.model.item import Action, ItemStatus
from bot.model.mapping import Direction, LinkState, Mapping, Order, Removals, Side
from bot.model.music import Service
from bot.sandbox.shelf import Hand, Playlist
from tests.contract.engine_room import SETTLE, Engine, Killed, engine_room, simulated
from tests.contract.music_room import ALICE, NotingClock

SONGS = 14
KINDS = ("429", "500", "502", "503", "reset", "close", "truncated", "garbage")
POINTS = frozenset(
    ("after_claim", "after_resolve", "before_intent", "after_intent", "after_send", "before_settle", "after_settle")
)
ROUNDS = 12  # after which everything must have come to rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What kind of mapping lives."""

    left: Service
    right: Service
    direction: Direction
    removals: Removals
    order: Order

    def __str__(self) -> str:
        return f"{self.left.value}-{self.right.value}-{self.direction.value}-{self.removals.value}-{self.order.value}"


def shapes() -> list[Shape]:
    """Every kind of mapping that can be made."""
    return [
        Shape(left=left, right=right, direction=direction, removals=removals, order=order)
        for left in Service
        for right in Service
        for direction in Direction
        for removals in Removals
        for order in Order
        if not (removals is Removals.EXACT and direction is Direction.TWO_WAY)
    ]


class Dice:
    """Kills the program at a random crash point now and then, while it is ``armed``."""

    def __init__(self, chance: random.Random, rate: float) -> None:
        self._chance = chance
        self._rate = rate
        self.armed = False
        self.kills = 0

    def __call__(self, point: str) -> None:
        if self.armed and point in POINTS and self._chance.random() < self._rate:
            self.kills += 1
            raise Killed(point)


class Life:
    """One mapping from its making to its rest. Fails where a promise is broken; ``story`` tells what went before."""

    def __init__(self, url: str, shape: Shape, seed: int) -> None:
        self.shape = shape
        self.chance = random.Random(f"{seed} {shape}")
        self.clock = NotingClock()
        self.story: list[str] = []
        self._url = url
        self._seed = seed
        self._dice = Dice(self.chance, self.chance.choice((0, 0, 0.01, 0.05)))
        self._limits = QuotaLimits(youtube_units=self.chance.choice((1_500, 10_000)), spotify_calls=100_000)
        self._removed: dict[Side, set[int]] = {Side.LEFT: set(), Side.RIGHT: set()}  # songs that a person took out
        self._dead: set[int] = set()  # songs one of whose videos was not to be played at times
        self._most: dict[Side, Counter[int]] = {Side.LEFT: Counter(), Side.RIGHT: Counter()}
        self._seen: list[tuple[datetime, dict[Side, Counter[int]]]] = []
        self._plans_since = self.clock.now()
        self._fresh = 0

    async def live(self, steps: int) -> None:
        lag = self.chance.choice((0, 0, 20, 55))
        with simulated(self.clock, settle_lag=lag) as self.sandbox:
            self._begin()
            async with self._room() as engine:
                await engine.link_both()
                self.mapping = await self._mapped(engine)
                await engine.executor.recover()
            left = steps
            while left > 0:
                left = await self._one_process(left)
            await self._rest()

    # The world

    def _begin(self) -> None:
        world = self.sandbox.world
        world.switches.google_testing = False
        world.switches.youtube_units = self._limits.youtube_units
        self._uploads: dict[int, str] = {}
        self._tracks: dict[int, str] = {}
        for track in world.tracks:
            videos = [one for one in sorted(world.right_videos(track.id)) if "Topic" in world.video(one).channel]
            if videos and len(self._tracks) < SONGS:
                self._tracks[track.number], self._uploads[track.number] = track.id, videos[0]
        songs = list(self._tracks)
        start = {side: self.chance.sample(songs, self.chance.randint(0, 6)) for side in Side}
        self._ids = {side: self._created(side, start[side]) for side in Side}
        self._look()

    def _created(self, side: Side, songs: list[int]) -> str:
        media = [self._media(side, song) for song in songs]
        if self._service(side) is Service.SPOTIFY:
            return self.sandbox.world.create_spotify_playlist("alice", side.value, media)
        return self.sandbox.world.create_youtube_playlist("alice", side.value, media)

    def _service(self, side: Side) -> Service:
        return self.shape.left if side is Side.LEFT else self.shape.right

    def _media(self, side: Side, song: int) -> str:
        return self._tracks[song] if self._service(side) is Service.SPOTIFY else self._uploads[song]

    def _playlist(self, side: Side) -> Playlist:
        found = self.sandbox.world.playlist(self._ids[side])
        assert found is not None
        return found

    def _song(self, media: str | None) -> int:
        assert media is not None
        if media.startswith("spotify:"):
            return self.sandbox.world.track(media).number
        return self.sandbox.world.video(media).number

    def _songs(self, side: Side) -> list[int]:
        return [self._song(media) for media in self._playlist(side).media]

    def _playable(self, media: str) -> bool:
        return media.startswith("spotify:") or self.sandbox.world.video_status(media) == "public"

    def _look(self) -> None:
        """Remember how many copies each side has held at most, and what it held when."""
        now = {side: Counter(self._songs(side)) for side in Side}
        for side in Side:
            self._most[side] |= now[side]
        self._seen.append((self.clock.now(), now))

    def _fewest(self, side: Side, song: int) -> int:
        """The least copies that ``side`` has shown since the plans under way were made."""
        before = [seen[side][song] for at, seen in self._seen if at < self._plans_since][-1:]
        return min([*before, *(seen[side][song] for at, seen in self._seen if at >= self._plans_since)])

    # One life of the program

    def _room(self) -> AbstractAsyncContextManager[Engine]:
        return engine_room(self._url, self.sandbox, self.clock, limits=self._limits, crash=self._dice)

    async def _mapped(self, engine: Engine) -> Mapping:
        return await engine.map(
            self._ids[Side.LEFT],
            self._ids[Side.RIGHT],
            direction=self.shape.direction,
            removals=self.shape.removals,
            order=self.shape.order,
        )

    async def _one_process(self, steps: int) -> int:
        """Live until killed, stopped, or so many steps are done; returns how many are left."""
        async with self._room() as engine:
            engine.hub.subscribe(AccountLinked, engine.accounts.linked)
            await engine.executor.recover()
            self._dice.armed = True
            try:
                while steps > 0:
                    steps -= 1
                    if await self._step(engine) == "restart":
                        break
            except Killed as death:
                self._tell(f"killed at {death}")
            finally:
                self._dice.armed = False
            self._look()
            self._check()
        return steps

    def _tell(self, what: str) -> None:
        self.story.append(f"{self.clock.now():%d %H:%M:%S} {what}")

    async def _step(self, engine: Engine) -> str:
        what = self.chance.choices(
            ("edit", "sync", "work", "wait", "fault", "calm", "restart", "login", "night", "long pause"),
            (10, 8, 8, 5, 3, 2, 1, 0.6, 0.5, 0.4),
        )[0]
        match what:
            case "edit":
                self._edit()
            case "sync":
                await self._sync(engine)
            case "work":
                await self._work(engine)
            case "wait":
                self.clock.advance(self.chance.choice((5, 30, 61, 61, 300, 1_000)))
            case "fault":
                self._fault()
            case "calm":
                self.sandbox.faults.clear()
            case "login":
                await self._login(engine)
            case "night":
                self.clock.advance(timedelta(hours=self.chance.choice((7, 25))))
            case "long pause":
                service = self.chance.choice(("spotify", "youtube"))
                self.sandbox.faults.next(service, "*", ".", "429", retry_after=self.chance.choice((90, 7_200)))
                self._tell(f"{service} asks for a pause")
        return what

    def _edit(self) -> None:
        self.clock.advance(2)  # services tell times in seconds; nobody edits in the second of our write
        side = self.chance.choice(list(Side))
        world, playlist = self.sandbox.world, self._playlist(side)
        held = playlist.media
        what = self.chance.choices(
            ("add", "remove", "move", "double", "reissue", "hide", "show", "rename", "touch"),
            (8, 4, 3, 1, 1, 0.7, 0.7, 0.5, 0.5),
        )[0]
        told = ""
        if what == "add":
            song = self.chance.choice(list(self._tracks))
            media = self._media(side, song)
            world.add(playlist.id, media, self.chance.choice((None, self.chance.randint(0, len(held)))))
            told = f"{song} {media}"
        elif what == "rename":
            world.rename(playlist.id, f"{side.value} {self.chance.randint(1, 99)}")
        elif what == "touch":
            world.touch(playlist.id)
        elif held:
            place = self.chance.randrange(len(held))
            media = held[place]
            song = self._song(media)
            told = f"{song} {media} at {place}"
            if what == "remove":
                world.remove(playlist.id, media, occurrence=held[:place].count(media))
                self._removed[side].add(song)
            elif what == "move":
                world.move(playlist.id, place, self.chance.randint(0, len(held)))
            elif what == "double":
                world.add(playlist.id, media)
            elif what == "reissue" and media.startswith("spotify:"):
                self._tracks[song] = world.reissue(media.removeprefix("spotify:track:"))
            elif what == "hide" and not media.startswith("spotify:"):
                world.set_video(media, "private")
                self._dead.add(song)
            elif what == "show":
                for upload in self._uploads.values():
                    world.set_video(upload, "public")
        self._look()
        self._tell(f"{what} on {side.value} {told}")

    def _fault(self) -> None:
        rate = self.chance.choice((0.05, 0.2, 0.5))
        writes_only = self.chance.random() < 0.5
        self.sandbox.faults.random(rate, seed=self.chance.randint(1, 10**6), kinds=KINDS, writes_only=writes_only)
        self._tell(f"faults at {rate}, writes only: {writes_only}")

    async def _login(self, engine: Engine) -> None:
        if self.chance.random() < 0.6:
            service = self.chance.choice(("spotify", "google"))
            self.sandbox.world.revoke("alice", service)
            self.sandbox.world.expire_tokens()
            self._tell(f"access revoked at {service}")
            return
        await self._linked(engine)

    async def _linked(self, engine: Engine) -> None:
        self.sandbox.faults.clear()
        await engine.link_both()
        self._tell("linked again")

    async def _sync(self, engine: Engine) -> StartedSync | None:
        writes = len(self.sandbox.books.writes(hand=Hand.APP))
        held = [
            item
            for item in await engine.items(self.mapping, ItemStatus.UNKNOWN, ItemStatus.RUNNING)
            if item.action is Action.REMOVE_TRACK
        ]
        began = self.clock.now()
        try:
            done = await engine.sync.start(self.mapping.id, ALICE)
        except CrossfadeError as error:
            self._tell(f"sync: {error}")
            return None
        finally:
            assert len(self.sandbox.books.writes(hand=Hand.APP)) == writes, "an analysis writes nothing"
        if not held:
            self._plans_since = min(began, self.clock.now() - SETTLE)
        guard = done.plan.guard.sentence if done.plan.guard else ""
        self._tell(f"sync: {told(done)} {guard}")
        return done

    async def _work(self, engine: Engine) -> None:
        self._tell("work")
        await engine.executor.drain(self.mapping.id, patience=timedelta(seconds=self.chance.choice((0, 0, 61, 200))))
        self._look()
        self._check()

    # The promises

    def _check(self) -> None:
        """What holds at every moment."""
        for side in Side:
            sent = self.sandbox.books.writes(self._ids[side], hand=Hand.APP)
            if not self.shape.direction.writes(side):
                assert not sent, f"a source is never written to, but {sent[0]}"
                continue
            if self.shape.removals is Removals.KEEP:
                assert not [one for one in sent if one.action == "remove"], "keep removes nothing"
            self._check_copies(side)
        self._check_removals()
        assert self.sandbox.books.units() <= self._limits.youtube_units

    def _check_copies(self, side: Side) -> None:
        """Never more copies of our own than the other side has held at once."""
        ours = Counter(self._song(entry.media) for entry in self._playlist(side).entries if entry.hand is Hand.APP)
        surplus = ours - self._most[side.other]
        assert not surplus, f"surplus copies on {side.value}: {surplus}"

    def _check_removals(self) -> None:
        """What we took away since the last look was not asked for by the other side any more."""
        if len(self._seen) < 2:
            return
        (_, before), (_, after) = self._seen[-2:]
        for side in Side:
            for song, count in (before[side] - after[side]).items():
                if self._last_edit() is not None:
                    continue
                wanted = min(before[side][song], self._fewest(side.other, song))
                assert after[side][song] >= wanted, f"{count} of song {song} went from {side.value}, yet it was wanted"

    def _last_edit(self) -> str | None:
        """The edit by a person between the last two looks, if that was what happened."""
        if not self.story:
            return None
        return self.story[-1] if " on left" in self.story[-1] or " on right" in self.story[-1] else None

    # The end

    async def _rest(self) -> None:
        """Faults stop and time passes: everything comes to rest, and the playlists are as the mapping says."""
        self.sandbox.faults.clear()
        for upload in self._uploads.values():
            self.sandbox.world.set_video(upload, "public")
        self._tell("everything is well again")
        async with self._room() as engine:
            engine.hub.subscribe(AccountLinked, engine.accounts.linked)
            await engine.executor.recover()
            await self._linked(engine)
            for _ in range(ROUNDS):
                self.clock.advance(timedelta(hours=26))
                await self._linked(engine)
                idle = not await engine.storage.items.open_of_mapping(self.mapping.id)
                done = await self._sync(engine)
                await self._work(engine)
                if done is not None and done.plan.guard is not None:
                    await engine.sync.force(done.run.id, ALICE)
                    await self._work(engine)
                if idle and done is not None and calm(done):
                    break
            else:
                raise AssertionError("it never comes to rest")
            self.clock.advance(SETTLE)
            await engine.storage.mappings.update(self.mapping.id, last_analysed_at=None)  # whatever the tokens say
            again = await engine.sync.preview(self.mapping.id, ALICE)
            assert calm(again), f"at rest there is still something to do: {told(again)}"
            await self._check_end(engine)

    async def _check_end(self, engine: Engine) -> None:
        mapping = await engine.storage.mappings.get(self.mapping.id)
        assert mapping is not None
        assert mapping.enabled, mapping.pause_reason
        assert await engine.storage.items.open_of_mapping(mapping.id) == []
        assert await engine.storage.runs.active() == []
        waiting = {
            self._song(self._as_media(row.service, row.track_id))
            for row in await engine.storage.blacklist.open_of_mapping(mapping.id)
        }
        for side in Side:
            if self.shape.direction.writes(side):
                self._check_complete(side, waiting)
        if self.shape.order is Order.KEEP:
            self._check_order()
        links = await engine.storage.links.of_mapping(mapping.id)
        for link in links:
            ids = {Side.LEFT: link.left_track_id, Side.RIGHT: link.right_track_id}
            copies = {
                side: self._playlist(side).media.count(self._as_media(self._service(side), ids[side])) for side in Side
            }
            # One of several copies cannot be removed on Spotify; such a pair stays as a conflict.
            held = all(copies.values()) or max(copies.values()) > 1
            assert held or link.state is not LinkState.ACTIVE, f"{link} is told to be on both sides"
        await self._check_ledger(engine)

    def _as_media(self, service: Service, track_id: str) -> str:
        return f"spotify:track:{track_id}" if service is Service.SPOTIFY else track_id

    def _check_complete(self, side: Side, waiting: set[int]) -> None:
        here = Counter(song for media in self._playlist(side).media for song in [self._song(media)])
        there = Counter(self._songs(side.other))
        kept_out = set() if self.shape.removals is Removals.EXACT else self._removed[side]
        if self.shape.direction is Direction.TWO_WAY:
            kept_out = kept_out | self._removed[side.other]
        lost = [song for song in there if not here[song] and song not in kept_out and song not in waiting]
        assert not lost, f"lost on {side.value}: {lost}, waiting: {waiting}"
        if self.shape.removals is Removals.EXACT:
            assert not [song for song in here if song not in there], "an exact destination holds nothing else"
        lost_copies = self.sandbox.books.losses(self._ids[side])
        if self.shape.removals is Removals.KEEP:
            assert not lost_copies, f"people's own tracks are lost: {lost_copies}"

    def _check_order(self) -> None:
        left, right = self._songs(Side.LEFT), self._songs(Side.RIGHT)
        once = [song for song in left if left.count(song) == 1 == right.count(song)]
        once = [song for song in once if song not in self._removed[Side.LEFT] | self._removed[Side.RIGHT] | self._dead]
        assert [song for song in right if song in once] == once, f"the order differs: {left} and {right}"

    async def _check_ledger(self, engine: Engine) -> None:
        rows = await engine.storage.quota.rows(self.clock.now() - timedelta(days=400))
        for name, booked in (
            ("youtube.units", sum(units for units, _ in self.sandbox.books.days().values())),
            ("youtube.search", sum(searches for _, searches in self.sandbox.books.days().values())),
            ("spotify.calls", self.sandbox.books.spotify_calls()),
        ):
            ledger = sum(row.units for row in rows if row.bucket.value == name)
            assert ledger == booked, f"{name}: our ledger says {ledger}, the service {booked}"


def told(done: StartedSync) -> str:
    plan = done.plan
    parts = [f"add {one.source.external_id}#{one.occurrence} to {one.side.value}@{one.position}" for one in plan.adds]
    parts += [f"remove {one.track.external_id} from {one.side.value}, surplus {one.surplus}" for one in plan.removes]
    parts += [f"move {one.track.external_id} {one.origin}->{one.position} on {one.side.value}" for one in plan.moves]
    parts += [f"link {change.before} -> {change.after}" for change in plan.links]
    parts += [f"cancel {item}" for item in plan.cancels]
    return "; ".join(parts) or ("unchanged" if done.unchanged else "nothing")


def calm(done: StartedSync) -> bool:
    plan = done.plan
    return not (plan.diffs or plan.links or plan.cancels or plan.held_back or plan.guard)
