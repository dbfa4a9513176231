"""The two ways to look for a counterpart oneself, each with a form: other words to search for, or a link."""

from typing import Any

import discord

from bot.engine.review_search import QUERY, SearchPrice
from bot.engine.track_addresses import LONGEST
from bot.model.errors import QuotaSpent
from bot.model.music import Service
from bot.model.quota import Bucket
from bot.model.review import BlacklistRow
from bot.runtime import Runtime
from cogs._ui import foreign, moments, review_flow
from cogs._ui.doors import Answer, Pressed
from cogs._ui.forms import Form
from cogs._ui.levels import Level
from cogs._ui.reach import Interaction, guild_of, runtime_of

_PRICES = {
    Bucket.YOUTUBE_SEARCH: "Costs one of YouTube's {limit:,} searches a day; {left:,} are left.",
    Bucket.SPOTIFY_CALLS: "Costs one of the {limit:,} Spotify calls of 24 hours; {left:,} are left.",
}
_FREE = "Costs no quota."


class Search(Pressed, template=r"review:search:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR
    answer = Answer.MODAL

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Search …", style=discord.ButtonStyle.secondary, custom_id=f"review:search:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        runtime, guild_id = runtime_of(interaction), guild_of(interaction)
        row = await runtime.reviews.unsettled(guild_id, self.key)
        price = await runtime.review_search.price(guild_id, self.key)
        await interaction.response.send_modal(SearchForm(row, await _price(runtime, price)))


class SearchForm(Form):
    level = Level.MODERATOR

    def __init__(self, row: BlacklistRow, price: str) -> None:
        where = row.service.other.label
        super().__init__(title=f"Search {where} in your own words", custom_id=f"review:search:{row.id}")
        self._row_id = row.id
        present = foreign.label(" ".join([*row.artists[:1], row.title]), QUERY)
        self.words = self.line("words", f"What to search {where} for", price, default=present, most=QUERY)

    async def act(self, interaction: Interaction) -> None:
        words = self.words.value
        row = await runtime_of(interaction).review_search.search(
            guild_of(interaction), self._row_id, words, interaction.user.id
        )
        found = (
            f"{review_flow.name_of(interaction)} searched {row.service.other.label} for “{foreign.plain(words, 100)}”."
        )
        await review_flow.show_row(interaction, row, f"{found} These are the candidates now; none was chosen yet.")


class GiveLink(Pressed, template=r"review:link:(?P<key>[0-9]{1,19})"):
    level = Level.MODERATOR
    answer = Answer.MODAL

    @classmethod
    def face(cls, key: int) -> discord.ui.Item[Any]:
        return discord.ui.Button(
            label="Give a link …", style=discord.ButtonStyle.secondary, custom_id=f"review:link:{key}"
        )

    async def act(self, interaction: Interaction) -> None:
        row = await runtime_of(interaction).reviews.unsettled(guild_of(interaction), self.key)
        await interaction.response.send_modal(LinkForm(row))


class LinkForm(Form):
    level = Level.MODERATOR

    def __init__(self, row: BlacklistRow) -> None:
        wanted = row.service.other
        noun = "video" if wanted is Service.YOUTUBE else "track"
        super().__init__(title=f"Give the {noun} on {wanted.label}", custom_id=f"review:link:{row.id}")
        self._row_id = row.id
        cost = "one unit" if wanted is Service.YOUTUBE else "one call"
        about = f"It is checked with {wanted.label} ({cost}), remembered for this server, and added."
        self.address = self.line("link", f"Link to the {noun} on {wanted.label}", about, most=LONGEST)

    async def act(self, interaction: Interaction) -> None:
        row, track = await runtime_of(interaction).review_search.link(
            guild_of(interaction), self._row_id, self.address.value, interaction.user.id
        )
        title = foreign.link(track.title, track.url, 100)
        about = f"{title} ({foreign.plain(track.byline or '?', 60)}, {moments.length(track.duration)})"
        sentence = f"{review_flow.name_of(interaction)} gave {about}; it is being added."
        await review_flow.decided(interaction, row, sentence)


async def _price(runtime: Runtime, price: SearchPrice) -> str:
    """What the search costs and what is left. Raises QuotaSpent where nothing is: then no form is worth filling in."""
    if price.bucket is None:
        return _FREE
    state = await runtime.quota.state(price.bucket)
    if not state.left:
        raise QuotaSpent("nothing is left for a search", bucket=price.bucket.value, until=state.resets_at)
    return _PRICES[price.bucket].format(limit=state.limit, left=state.left)
