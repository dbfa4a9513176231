"""A list as a file: written while it is read, zipped when Discord would not take it, sent to one person."""

import asyncio
import tempfile
import zipfile
from collections.abc import Sequence
from io import BufferedRandom
from typing import Any

import discord

from bot.engine.exports import Format, Pages, write_export
from bot.model.errors import UserMistake

NOTHING = UserMistake("Nothing matches, so there is no file. Widen the filter, then export again.")


async def send_export(
    interaction: discord.Interaction[Any], *, name: str, format_: Format, columns: Sequence[str], pages: Pages
) -> int:
    """Sends all rows as ``name.csv`` or ``name.json`` in a private follow-up; how many rows.

    The interaction is acknowledged already (PRIVATE or UPDATE). Raises UserMistake where nothing matches, and where
    even the zipped file is larger than what the server may upload.
    """
    with tempfile.TemporaryFile() as file:
        rows = await write_export(pages, columns, format_, file)
        if not rows:
            raise NOTHING
        await _send(interaction, file, f"{name}.{format_.value}", rows)
    return rows


async def _send(interaction: discord.Interaction[Any], file: BufferedRandom, name: str, rows: int) -> None:
    limit = interaction.filesize_limit
    if file.tell() <= limit:
        await _post(interaction, file, name, f"{_rows(rows)} in `{name}`.")
        return
    with tempfile.TemporaryFile() as packed:
        await asyncio.to_thread(_zip, file, packed, name)
        if packed.tell() > limit:
            raise UserMistake(
                f"The {_rows(rows)} take {_megabytes(packed.tell())} even zipped, and Discord takes at most "
                f"{_megabytes(limit)} here. Nothing was sent. Narrow the filter (fewer days, one mapping), "
                "then export again."
            )
        text = f"{_rows(rows)} in `{name}`, zipped because Discord takes at most {_megabytes(limit)} here."
        await _post(interaction, packed, f"{name}.zip", text)


async def _post(interaction: discord.Interaction[Any], file: BufferedRandom, name: str, text: str) -> None:
    file.seek(0)
    await interaction.followup.send(text, file=discord.File(file, filename=name), ephemeral=True)


def _zip(file: BufferedRandom, packed: BufferedRandom, name: str) -> None:
    file.seek(0)
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as inside,
    ):
        while chunk := file.read(64 * 1024):
            inside.write(chunk)
    packed.seek(0, 2)


def _rows(count: int) -> str:
    return f"**{count:,}** row{'' if count == 1 else 's'}"


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:,.1f} MB"
