"""The door /help: made from the commands themselves, so that it cannot lag behind them."""

from collections.abc import Iterable, Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.model.errors import UserMistake
from cogs._ui import colours, completion, foreign
from cogs._ui.doors import LEVEL_ATTRIBUTE, Answer, Pressed, door, panel
from cogs._ui.levels import Level
from cogs._ui.reach import Client, Interaction

A_PAGE = 8  # commands; what a phone shows without much scrolling
_FIRST_STEPS = (
    "**1.** `/setup` says where Crossfade reports and who may do what\n"
    "**2.** `/connect` links your Spotify and your YouTube account\n"
    "**3.** `/mapping add` chooses two playlists, `/sync` brings them in step\n"
    "**4.** `/review` decides what could not be matched, `/stats` shows how it goes"
)
_HEADINGS = {
    Level.MEMBER: "For everyone",
    Level.MODERATOR: "For moderators",
    Level.ADMIN: "For admins",
    Level.SUPER_ADMIN: "For the owner of this bot",
}
_TYPES = {
    discord.AppCommandOptionType.integer: "a number",
    discord.AppCommandOptionType.number: "a number",
    discord.AppCommandOptionType.boolean: "True or False",
    discord.AppCommandOptionType.channel: "a channel",
    discord.AppCommandOptionType.role: "a role",
    discord.AppCommandOptionType.user: "a person",
}

AnyCommand = app_commands.Command[Any, ..., Any]


class Help(commands.Cog):
    def __init__(self, bot: Client) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(HelpPage)

    @app_commands.command(
        description="What Crossfade does and which commands there are; or all about one of them.",
        extras={"example": "/help command:sync"},
    )
    @app_commands.describe(command="One command, to see its options")
    @door(answer=Answer.PRIVATE)
    async def help(self, interaction: Interaction, command: str | None = None) -> None:
        if command is not None:
            card = command_card(_named(self.bot.tree, command))
            await interaction.edit_original_response(embeds=foreign.fit([card]))
        else:
            await show_page(interaction, 0)

    @help.autocomplete("command")  # noqa: A003 - the method is the command of that name
    async def _commands(self, interaction: Interaction, current: str) -> completion.Choices:
        sought = current.strip().lower().removeprefix("/")
        names = [one.qualified_name for one in every_command(self.bot.tree) if sought in one.qualified_name]
        return [app_commands.Choice(name=f"/{name}", value=name) for name in names[: foreign.CHOICES]]


class HelpPage(Pressed, template=r"help:page:(?P<key>[0-9]{1,19})"):
    """Leads to the page ``key``; the commands may have changed since the message was sent."""

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(label="Next", style=discord.ButtonStyle.secondary, custom_id=f"help:page:{key}")

    async def act(self, interaction: Interaction) -> None:
        await show_page(interaction, self.key)


async def show_page(interaction: Interaction, number: int) -> None:
    cards = help_cards(every_command(interaction.client.tree))
    shown = min(number, len(cards) - 1)
    await interaction.edit_original_response(embeds=foreign.fit([cards[shown]]), view=_turning(shown, len(cards)))


def every_command(tree: app_commands.CommandTree[Any]) -> list[AnyCommand]:
    """All commands and subcommands, by name."""
    walked = (command for command in tree.walk_commands() if isinstance(command, app_commands.Command))
    return sorted(walked, key=lambda command: command.qualified_name)


def help_cards(every: Sequence[AnyCommand]) -> list[discord.Embed]:
    """The pages: commands grouped by who may use them, each with its description and an example."""
    pages = [
        (heading, chunk)
        for level, heading in _HEADINGS.items()
        for chunk in _chunks([command for command in every if level_of(command) is level])
    ]
    cards = []
    for number, (heading, chunk) in enumerate(pages):
        body = "\n".join(f"`/{command.qualified_name}` {command.description}{_example(command)}" for command in chunk)
        card = discord.Embed(title=heading, description=body, colour=colours.WORKING)
        if number == 0:
            card.title = "Crossfade keeps playlists in step between Spotify and YouTube"
            card.description = f"{_FIRST_STEPS}\n\n**{heading}**\n{body}"
        card.set_footer(text=f"Page {number + 1} of {len(pages)} · /help command:… tells all about one of them")
        cards.append(card)
    return cards


def command_card(command: AnyCommand) -> discord.Embed:
    """All about one command: who may use it, its options with what they take, an example."""
    card = discord.Embed(title=f"/{command.qualified_name}", description=command.description, colour=colours.WORKING)
    lines = [f"`{option.display_name}`{_takes(option)} {option.description}" for option in command.parameters]
    if lines:
        card.add_field(name="Options", value=foreign.bullets(lines, foreign.FIELD_VALUE), inline=False)
    card.add_field(name="Example", value=f"`{command.extras['example']}`", inline=False)
    card.set_footer(text=_HEADINGS[level_of(command)])
    return card


def level_of(command: AnyCommand) -> Level:
    level = getattr(command.callback, LEVEL_ATTRIBUTE, Level.MEMBER)
    assert isinstance(level, Level)
    return level


def _named(tree: app_commands.CommandTree[Any], name: str) -> AnyCommand:
    wanted = " ".join(name.strip().lower().removeprefix("/").split())
    for command in every_command(tree):
        if command.qualified_name == wanted:
            return command
    raise UserMistake(f"There is no command “{foreign.label(name, 60)}”. `/help` without options shows them all.")


def _chunks(every: Sequence[AnyCommand]) -> Iterable[Sequence[AnyCommand]]:
    return [every[start : start + A_PAGE] for start in range(0, len(every), A_PAGE)]


def _example(command: AnyCommand) -> str:
    """In a line of its own, where it says more than the name does."""
    example = command.extras.get("example", "")
    return f"\n　`{example}`" if example != f"/{command.qualified_name}" else ""


def _takes(option: app_commands.Parameter) -> str:
    """What an option takes, and whether it must be given."""
    needed = "needed" if option.required else ""
    values = "`, `".join(str(choice.value) for choice in option.choices[:6]) if option.choices else ""
    kind = (f"one of `{values}`" + (" …" if len(option.choices) > 6 else "")) if values else _TYPES.get(option.type, "")
    told = ", ".join(filter(None, (needed, kind)))
    return f" ({told}):" if told else ":"


def _turning(shown: int, pages: int) -> discord.ui.View | None:
    back, on = HelpPage(shown - 1) if shown else None, HelpPage(shown + 1) if shown + 1 < pages else None
    if back is not None:
        assert isinstance(back.item, discord.ui.Button)
        back.item.label = "Back"
    buttons = [button for button in (back, on) if button is not None]
    return panel(*buttons) if buttons else None


async def setup(bot: Client) -> None:
    await bot.add_cog(Help(bot))
