"""The verbs of the command line: run, demo, check, migrate, backup."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.clock import SystemClock
from bot.config import Settings, SettingsError, load_settings, require_discord_token
from bot.model.errors import CrossfadeError, UserMistake

FAILED = 1
WRONG_SETTINGS = 2
NEWER_DATABASE = 3

cli = typer.Typer(
    name="crossfade",
    help="Keeps playlists in step between Spotify and YouTube, driven from Discord.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it would print local variables, tokens among them
    add_completion=False,
)


def main() -> None:
    """Exit codes: 0 done, 1 failed, 2 wrong settings or arguments, 3 a database newer than the program."""
    cli()


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crossfade {metadata.version('crossfade')}")
        raise typer.Exit


@cli.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Keeps playlists in step between Spotify and YouTube, driven from Discord."""


@cli.command()
def run() -> None:
    """Start the bot with the settings of the environment and .env; the database is migrated first."""
    with _sentences():
        settings = load_settings()
        require_discord_token(settings)
        # Late: Discord, charts and both client libraries take a second that the other verbs need not wait.
        from bot.app import run_app

        asyncio.run(run_app(settings))


@cli.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Sync once without Discord and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on the last line.")] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page in the browser; 0: any free one.")
    ] = 8765,
    seed: Annotated[int, typer.Option(help="Seed of the simulated world.")] = 1,
    data: Annotated[Path, typer.Option(help="Folder of the simulated world and its database.")] = Path("data/demo"),
) -> None:
    """Show the whole bot in a browser page, against a simulated Discord, Spotify and YouTube; needs no setting."""
    with _sentences():
        try:
            from bot.demo import run_demo
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "simcord":
                raise
            raise UserMistake("The demo's extra is not installed; run pip install 'crossfade[demo]'.") from None
        raise typer.Exit(run_demo(once=once, json_output=json, port=port, seed=seed, data=data))


@cli.command()
def check() -> None:
    """Test every setting and credential in turn and print what to do about each failure."""
    with _sentences():
        settings = load_settings()
        from bot.check import as_table, find_out

        findings = asyncio.run(find_out(settings))
        # A pipe has no width of its own; remedies should not be broken to pieces there.
        Console(width=None if sys.stdout.isatty() else 200).print(as_table(findings))
        if settings.discord_token is None:
            raise typer.Exit(WRONG_SETTINGS)
        if any(finding.remedy for finding in findings):
            raise typer.Exit(FAILED)


@cli.command()
def migrate() -> None:
    """Bring the database to the version of the program."""
    with _sentences():
        asyncio.run(_migrate(load_settings()))
        typer.echo("The database is up to date.")


@cli.command()
def backup(path: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")]) -> None:
    """Write a whole copy of the SQLite database to PATH, also while the bot runs."""
    with _sentences():
        from storage.backup import copy

        size = asyncio.run(copy(load_settings().database_url, path))
        typer.echo(f"{path} holds the database now ({size / 1024:,.0f} KiB).")
        typer.echo("Keep the keys (SECRET_KEYS or data/secret.key) as well, in another place: tokens need them.")


async def _migrate(settings: Settings) -> None:
    from storage import open_storage

    async with open_storage(settings.database_url, keys=settings.keys, clock=SystemClock(), migrate=True):
        pass


@contextmanager
def _sentences() -> Iterator[None]:
    """What went wrong as sentences on standard error, and the exit code that DESIGN.md gives it."""
    try:
        yield
    except CrossfadeError as error:
        for line in str(error).splitlines() or [error.code]:
            typer.echo(line, err=True)
        raise typer.Exit(_exit_code(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(FAILED) from None


def _exit_code(error: CrossfadeError) -> int:
    if isinstance(error, SettingsError):
        return WRONG_SETTINGS
    # By its stable word: importing storage here would cost every verb its start-up time.
    return NEWER_DATABASE if error.code == "database_newer" else FAILED
