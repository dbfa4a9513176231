"""Foreign text made harmless, and everything cut to Discord's limits; the one place that cuts."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import discord

TITLE = 256
DESCRIPTION = 4096
FIELD_NAME = 256
FIELD_VALUE = 1024
FIELDS = 25
FOOTER = 2048
EMBEDS_TOTAL = 6000  # characters over all embeds of one message
CHOICES = 25
CHOICE = 100  # an autocomplete choice, a select's option: name, value and description
BUTTON = 80

_MARKDOWN = frozenset("\\*_~|`[]<")
_AT_LINE_START = frozenset("#>-")  # headings, quotes and lists begin only there
_MARKS_IN_A_ROW = 4  # more combining marks than any script writes on one letter climb over the neighbouring lines
_INERT_IN_SENTENCES = (("@", "@\u200b"), ("](", "]\u200b("), ("://", "\\://"), ("<", "\\<"), ("```", "`"))
_ELLIPSIS = "…"
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_BACKTICK = "\u02cb"  # looks like one, and ends no code
_ROUND = str.maketrans("[]", "()")
_LINK = re.compile(r"https?://[^\s<>()\[\]\"'\\]{1,500}\Z")


def visible(text: str) -> str:
    """``text`` on one line without what is not seen: controls, direction marks, floods of combining marks.

    Joiners (U+200C, U+200D) stay, scripts and emoji need them.
    """
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MARKS_IN_A_ROW:
            continue
        unseen = category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and character not in "\u200c\u200d"
        kept.append(" " if unseen else character)
    return " ".join("".join(kept).split())


def label(text: str, limit: int = CHOICE) -> str:
    """For places where Discord renders no markdown: choices, options, buttons. Never empty (Discord refuses that)."""
    return _cut(visible(text), limit) or "?"


def plain(text: str, limit: int = 80) -> str:
    """For embeds and messages: no mention, no markdown and no link comes to life; at most ``limit`` characters.

    Text with right-to-left letters is isolated, so that it does not reorder what stands around it.
    """
    shown = visible(text)
    if not shown:
        return "?"
    rightward = any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in shown)
    room = limit - 2 if rightward else limit
    pieces = [_inert(character, shown[index + 1 : index + 3]) for index, character in enumerate(shown)]
    if shown[0] in _AT_LINE_START:
        pieces[0] = "\\" + shown[0]
    safe = _cut_pieces(pieces, room)
    return f"{_FIRST_STRONG_ISOLATE}{safe}{_POP_ISOLATE}" if rightward else safe


def harmless(sentences: str, limit: int = 1500) -> str:
    """Sentences of our own with foreign words inside: their markdown stays, but nothing is mentioned or linked."""
    text = "\n".join(visible(line) for line in sentences.splitlines())
    for alive, inert in _INERT_IN_SENTENCES:
        text = text.replace(alive, inert)
    return cut_lines(text, limit)


def link(text: str, url: str, limit: int = 80) -> str:
    """``text`` as a masked link to ``url``; without the link where the address could break out of it."""
    if not _LINK.match(url):
        return plain(text, limit)
    # Discord does not honour an escaped bracket everywhere inside the brackets of a link.
    return f"[{plain(text.translate(_ROUND), limit)}]({url})"


def code(text: str, limit: int = 200) -> str:
    """``text`` in a fixed font within a line, where nothing of it comes to life."""
    return f"`{_cut(visible(text).replace('`', _BACKTICK), limit) or ' '}`"


def block(text: str) -> str:
    """Lines in a fixed font, each sign in its column; what is not seen, or would end the block, is replaced."""
    shown = "".join(sign if sign == "\n" else _in_column(sign) for sign in text)
    return f"```\n{shown}\n```"


def bullets(lines: Iterable[str], limit: int, *, most: int = 1000, more: int = 0) -> str:
    """Lines joined whole, as many as fit ``limit`` characters and ``most``; the rest is counted in a last line.

    ``more``: further things that are not among ``lines``.
    """
    every = list(lines)
    shown: list[str] = []
    used = 0
    reserve = len(_rest(len(every) + more)) + 1
    for index, line in enumerate(every):
        last = index == len(every) - 1 and not more
        if len(shown) == most or used + len(line) + 1 + (0 if last else reserve) > limit:
            break
        shown.append(line)
        used += len(line) + 1
    left = len(every) - len(shown) + more
    return "\n".join([*shown, _rest(left)] if left else shown)


def fit(embeds: Sequence[discord.Embed]) -> list[discord.Embed]:
    """Copies of ``embeds`` within every limit of Discord, the 6,000 characters over all of them included.

    A safety net: texts are cut at the end of a line where they have one, so that no escape or link is cut in two.
    """
    fitted = [_within(embed.copy()) for embed in embeds[:10]]
    for embed in reversed(fitted):
        excess = sum(len(each) for each in fitted) - EMBEDS_TOTAL
        if excess <= 0:
            break
        _shrink(embed, excess)
    return fitted


def cut_lines(text: str, limit: int) -> str:
    """``text`` cut to ``limit`` characters, at the end of a line where it has one."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    line_end = head.rfind("\n")
    return (head[:line_end] if line_end > 0 else head.rstrip("\\")) + _ELLIPSIS


def _rest(count: int) -> str:
    return f"… and {count} more"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + _ELLIPSIS


def _cut_pieces(pieces: list[str], limit: int) -> str:
    if sum(map(len, pieces)) <= limit:
        return "".join(pieces)
    kept: list[str] = []
    used = 0
    for piece in pieces:
        used += len(piece)
        if used > limit - 1:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + _ELLIPSIS


def _in_column(sign: str) -> str:
    if sign == "`":
        return _BACKTICK
    return "\ufffd" if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else sign


def _inert(character: str, following: str) -> str:
    if character == "@":
        return "@\u200b"  # the only way that also stops the client from colouring it as a mention
    if character in _MARKDOWN or (character == ":" and following == "//"):
        return "\\" + character
    return character


def _within(embed: discord.Embed) -> discord.Embed:
    if embed.title:
        embed.title = cut_lines(embed.title, TITLE)
    if embed.description:
        embed.description = cut_lines(embed.description, DESCRIPTION)
    if embed.footer.text:
        embed.set_footer(text=cut_lines(embed.footer.text, FOOTER), icon_url=embed.footer.icon_url)
    fields = embed.fields[:FIELDS]
    embed.clear_fields()
    for field in fields:
        name = cut_lines(field.name or "\u200b", FIELD_NAME)
        embed.add_field(name=name, value=cut_lines(field.value or "\u200b", FIELD_VALUE), inline=field.inline)
    return embed


def _shrink(embed: discord.Embed, excess: int) -> None:
    """Take ``excess`` characters away where they are missed least: the ends of the last fields, then of the rest."""
    before = len(embed)
    for index in reversed(range(len(embed.fields))):
        left = excess - (before - len(embed))
        field = embed.fields[index]
        value = field.value or ""
        if left > 0 and len(value) > 1:
            kept = cut_lines(value, max(1, len(value) - left))
            embed.set_field_at(index, name=field.name, value=kept, inline=field.inline)
    while excess > before - len(embed) and embed.fields:
        embed.remove_field(-1)
    left = excess - (before - len(embed))
    if left > 0 and embed.footer.text:
        embed.set_footer(text=cut_lines(embed.footer.text, max(1, len(embed.footer.text) - left)))
    left = excess - (before - len(embed))
    if left > 0 and embed.description:
        embed.description = cut_lines(embed.description, max(1, len(embed.description) - left))
