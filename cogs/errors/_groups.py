"""Which group of a page a person chose: the select of /errors."""

import hashlib
from collections.abc import Sequence
from typing import Any

import discord

from bot.model.failure import FailureGroup
from cogs._ui import errors, failure_cards, foreign, reason_words


def choice(custom_id: str, groups: Sequence[FailureGroup]) -> discord.ui.Select[Any]:
    """The select over these groups, at most 25."""
    options = [
        discord.SelectOption(
            label=reason_words.label(group.reason),
            value=_value(group),
            description=foreign.label(f"{failure_cards.HEADINGS[group.kind]}: {failure_cards.counted(group)}"),
            emoji=failure_cards.SIGNS[group.kind],
        )
        for group in groups
    ]
    return discord.ui.Select(placeholder="Open a group", options=options, custom_id=custom_id)


def chosen(groups: Sequence[FailureGroup], value: str) -> FailureGroup:
    """The group that a select's value names. Raises the stale answer when it is gone."""
    for group in groups:
        if _value(group) == value:
            return group
    raise errors.STALE


def _value(group: FailureGroup) -> str:
    """A reason is longer than a select's value may be."""
    return f"{group.kind.value}:{hashlib.sha256(group.reason.encode()).hexdigest()[:24]}"
