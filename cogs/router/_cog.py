"""The commands of /router."""

from discord import app_commands
from discord.ext import commands

from bot.engine.bases import CHILD_NAME_LENGTH, NewBase
from bot.engine.mappings import NAME_LENGTH
from bot.engine.router import Mode
from bot.model.events import Progress, RunFinished
from cogs._ui import cache_card, completion, router_cards
from cogs._ui.doors import Answer, acknowledge, door
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction, guild_of
from cogs.router import _cache, _history, _pages, _removing, _runs, _writing
from cogs.router._follow import RouteFollower

_MODES = [
    app_commands.Choice(name="incremental: read what changed, the fewest changes", value=Mode.INCREMENTAL.value),
    app_commands.Choice(name="full: read everything anew, the fewest changes", value=Mode.FULL.value),
    app_commands.Choice(name="rebuild: clear each child and fill it anew", value=Mode.REBUILD.value),
]
_FORGET = [
    *(app_commands.Choice(name=name, value=kind.value) for kind, name in cache_card.NAMES.items()),
    app_commands.Choice(name=_cache.EVERYTHING, value=_cache.EVERYTHING),
]
_SCHEDULE = "off · every 30m · daily 18:00 · mon wed 18:00 · a cron line"
_WHICH = "Which base, by name or id; several with commas between; all, or none given: every base"
_BASE, _CHILD = "Which base, by name or id", "Which child, by name or id"
_BASE_NAME = app_commands.Range[str, 1, NAME_LENGTH]
_CHILD_NAME = app_commands.Range[str, 1, CHILD_NAME_LENGTH]
_RULES = app_commands.Range[str, 1, _writing.LONGEST]


@app_commands.guild_only()
class Router(
    commands.GroupCog, group_name="router", group_description="Base playlists that feed child playlists by rules."
):
    def __init__(self, bot: Client) -> None:
        self.bot = bot
        self.follower = RouteFollower(bot)

    async def cog_load(self) -> None:
        for room in (_pages, _runs, _removing, _writing, _history, _cache):
            self.bot.add_dynamic_items(*room.BUTTONS)
        await self.follower.resume()

    @app_commands.command(
        name="base-add",
        description="Choose a playlist that feeds others.",
        extras={"example": "/router base-add name:Everything playlist:… schedule:every 30m"},
    )
    @app_commands.describe(
        name="What to call it",
        playlist="The playlist: pick one of yours, or paste its link",
        schedule=f"When its children are brought up to date: {_SCHEDULE} (every 30m)",
    )
    @door(Level.ADMIN)
    async def base_add(
        self, interaction: Interaction, name: _BASE_NAME, playlist: str, schedule: str = "every 30m"
    ) -> None:
        new = NewBase(
            guild_id=guild_of(interaction),
            actor_id=interaction.user.id,
            name=name,
            playlist=playlist,
            schedule=schedule,
        )
        made = await self.bot.runtime.bases.create(new)
        hint = "/router child-add says which of its tracks go where"
        await _pages.show_base(interaction, made, title="Added base", hint=hint)

    @app_commands.command(
        name="base-list",
        description="The base playlists of this server, or one with its children.",
        extras={"example": "/router base-list"},
    )
    @app_commands.describe(base="Only this one, in full")
    @door()
    async def base_list(self, interaction: Interaction, base: str | None = None) -> None:
        if base is None:
            await _pages.show_bases(interaction)
        else:
            await _pages.show_base(interaction, await self.bot.runtime.bases.find(guild_of(interaction), base))

    @app_commands.command(
        name="base-remove",
        description="Remove a base with its children; all playlists stay as they are.",
        extras={"example": "/router base-remove base:Everything"},
    )
    @app_commands.describe(base=_BASE)
    @door(Level.ADMIN)
    async def base_remove(self, interaction: Interaction, base: str) -> None:
        await _removing.ask_base(interaction, await self.bot.runtime.bases.find(guild_of(interaction), base))

    @app_commands.command(
        name="base-pause",
        description="Stop filling the children of a base for now; nothing is lost.",
        extras={"example": "/router base-pause base:Everything reason:holidays"},
    )
    @app_commands.describe(base=_BASE, reason="Why, for the others")
    @door(Level.ADMIN)
    async def base_pause(
        self, interaction: Interaction, base: str, reason: app_commands.Range[str, 0, 200] = ""
    ) -> None:
        bases, guild_id = self.bot.runtime.bases, guild_of(interaction)
        found = await bases.find(guild_id, base)
        paused = await bases.pause(guild_id, found.id, interaction.user.id, reason)
        await _pages.show_base(interaction, paused, title="Paused")

    @app_commands.command(
        name="base-resume",
        description="Let a paused base run again, at once.",
        extras={"example": "/router base-resume base:Everything"},
    )
    @app_commands.describe(base=_BASE)
    @door(Level.ADMIN)
    async def base_resume(self, interaction: Interaction, base: str) -> None:
        bases, guild_id = self.bot.runtime.bases, guild_of(interaction)
        found = await bases.find(guild_id, base)
        await _pages.show_base(
            interaction, await bases.resume(guild_id, found.id, interaction.user.id), title="Resumed"
        )

    @app_commands.command(
        description="When a base brings its children up to date by itself; or give it another name.",
        extras={"example": "/router schedule base:Everything schedule:daily 18:00"},
    )
    @app_commands.describe(base=_BASE, schedule=_SCHEDULE, name="A new name")
    @door(Level.ADMIN)
    async def schedule(
        self, interaction: Interaction, base: str, schedule: str | None = None, name: _BASE_NAME | None = None
    ) -> None:
        bases, guild_id = self.bot.runtime.bases, guild_of(interaction)
        found = await bases.find(guild_id, base)
        changed = await bases.edit(guild_id, found.id, interaction.user.id, name=name, schedule=schedule)
        await _pages.show_base(interaction, changed, title="Changed")

    @app_commands.command(
        name="child-add",
        description="Fill a playlist with those tracks of a base that a rule chooses.",
        extras={"example": "/router child-add base:Everything name:90s playlist:… rules:year 1990..1999"},
    )
    @app_commands.describe(
        base=_BASE,
        name="What to call it",
        playlist="The playlist to fill: pick one of yours, paste a link, or create it there",
        rules="Which tracks it holds: year 1990..1999 and not explicit; none given: a form opens for it",
    )
    @door(Level.ADMIN, answer=Answer.MODAL)
    async def child_add(
        self, interaction: Interaction, base: str, name: _CHILD_NAME, playlist: str, rules: _RULES | None = None
    ) -> None:
        if rules is not None:
            await acknowledge(interaction, Answer.PUBLIC)
        found = await self.bot.runtime.bases.find(guild_of(interaction), base)
        draft = {"v": 1, "base": found.id, "name": name, "playlist": playlist, "rules": rules or ""}
        if rules is None:
            await interaction.response.send_modal(_writing.RulesForm(draft))
        else:
            await _writing.save(interaction, draft)

    @app_commands.command(
        name="child-edit",
        description="Change the rule of a child, or its name.",
        extras={"example": "/router child-edit child:90s rules:90s and not explicit"},
    )
    @app_commands.describe(
        child=_CHILD,
        rules="Which tracks it holds from the next run on; neither this nor a name given: a form opens with the rule",
        name="A new name",
    )
    @door(Level.ADMIN, answer=Answer.MODAL)
    async def child_edit(
        self, interaction: Interaction, child: str, rules: _RULES | None = None, name: _CHILD_NAME | None = None
    ) -> None:
        given = rules is not None or name is not None
        if given:
            await acknowledge(interaction, Answer.PUBLIC)
        found = await self.bot.runtime.bases.find_child(guild_of(interaction), child)
        draft = {"v": 1, "child": found.id, "name": found.name, "rename": name or "", "rules": rules or ""}
        if given:
            await _writing.save(interaction, draft)
        else:
            now = {"rules": router_cards.rule_of(found)[: _writing.LONGEST]}
            await interaction.response.send_modal(_writing.RulesForm(draft | now))

    @app_commands.command(
        name="child-list",
        description="The child playlists with their rules: of one base, or of all.",
        extras={"example": "/router child-list base:Everything"},
    )
    @app_commands.describe(base="Only those of this base")
    @door()
    async def child_list(self, interaction: Interaction, base: str | None = None) -> None:
        found = await self.bot.runtime.bases.find(guild_of(interaction), base) if base is not None else None
        await _pages.show_children(interaction, found)

    @app_commands.command(
        name="child-remove",
        description="Remove a child; its playlist stays as it is.",
        extras={"example": "/router child-remove child:90s"},
    )
    @app_commands.describe(child=_CHILD)
    @door(Level.ADMIN)
    async def child_remove(self, interaction: Interaction, child: str) -> None:
        await _removing.ask_child(interaction, await self.bot.runtime.bases.find_child(guild_of(interaction), child))

    @app_commands.command(
        description="What each child would gain and lose, what is unknown, what it costs; changes nothing.",
        extras={"example": "/router preview base:Everything"},
    )
    @app_commands.describe(base=_WHICH)
    @door(Level.MODERATOR)
    async def preview(self, interaction: Interaction, base: str = completion.ALL) -> None:
        await _runs.preview(interaction, await _runs.chosen(interaction, base))

    @app_commands.command(
        description="Bring the children of one base up to date now, or of several, or of all.",
        extras={"example": "/router run base:Everything"},
    )
    @app_commands.describe(base=_WHICH, mode="How much is read and written (incremental)")
    @app_commands.choices(mode=_MODES)
    @door(Level.MODERATOR)
    async def run(
        self, interaction: Interaction, base: str = completion.ALL, mode: str = Mode.INCREMENTAL.value
    ) -> None:
        bases = await _runs.chosen(interaction, base)
        if Mode(mode) is Mode.REBUILD:
            await _runs.ask_rebuild(interaction, bases)
        else:
            await _runs.start(interaction, bases, Mode(mode))

    @app_commands.command(
        description="The runs of a base: how long they took, what they did, what the cache saved; take one back.",
        extras={"example": "/router history base:Everything"},
    )
    @app_commands.describe(base=_BASE)
    @door()
    async def history(self, interaction: Interaction, base: str) -> None:
        await _history.show(interaction, await self.bot.runtime.bases.find(guild_of(interaction), base))

    @app_commands.command(
        description="What services told and is kept: hits, misses, size and age by kind; forget some of it.",
        extras={"example": "/router cache"},
    )
    @app_commands.describe(
        forget="Drop this kind, or everything (the owner of this bot)",
        key="Drop only this one: a track's or artist's id",
    )
    @app_commands.choices(forget=_FORGET)
    @door()
    async def cache(
        self, interaction: Interaction, forget: str | None = None, key: app_commands.Range[str, 1, 200] | None = None
    ) -> None:
        if forget is None and key is None:
            await _cache.show(interaction)
        else:
            await _cache.forget(interaction, forget or _cache.EVERYTHING, key)

    @base_list.autocomplete("base")
    @history.autocomplete("base")
    @base_remove.autocomplete("base")
    @base_pause.autocomplete("base")
    @base_resume.autocomplete("base")
    @schedule.autocomplete("base")
    @child_add.autocomplete("base")
    @child_list.autocomplete("base")
    async def _bases(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.bases(interaction, current)

    @preview.autocomplete("base")
    @run.autocomplete("base")
    async def _several_bases(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.bases_or_all(interaction, current)

    @child_edit.autocomplete("child")
    @child_remove.autocomplete("child")
    async def _children(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.children(interaction, current)

    @base_add.autocomplete("schedule")
    @schedule.autocomplete("schedule")
    async def _schedules(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.schedules(interaction, current)

    @base_add.autocomplete("playlist")
    async def _base_playlists(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.playlists(interaction, current, source=True)

    @child_add.autocomplete("playlist")
    async def _playlists(self, interaction: Interaction, current: str) -> completion.Choices:
        return await completion.playlists(interaction, current)

    @commands.Cog.listener()
    async def on_progress(self, fact: Progress) -> None:
        self.follower.progress(fact)

    @commands.Cog.listener()
    async def on_run_finished(self, fact: RunFinished) -> None:
        self.follower.finished(fact)
