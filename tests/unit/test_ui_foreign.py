"""Foreign text comes out harmless and within Discord's limits."""

import re

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs._ui import foreign

HOSTILE = [
    "@everyone free nitro",
    "<@123456789012345678> <@&123> <#456> <:x:1>",
    "```py\nimport os```",
    "`code` **bold** __under__ ~~gone~~ ||spoiler||",
    "[click](https://evil.example/)",
    "https://evil.example/@here",
    "\u202edetrever\u202c \u2066iso\u2069 \u200f",
    "# heading",
    "> quote",
    "- list",
    "a\nb\r\nc\u2028d\x00e",
    "Z" + "\u0335\u0321" * 200,
    "x" * 4000,
    "\\" * 4000,
    "",
    "   ",
]


def _unescaped(text: str) -> str:
    return re.sub(r"\\[^0-9A-Za-z\s]", "", text)


@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_title_brings_nothing_to_life(title: str) -> None:
    shown = foreign.plain(title, 100)
    assert 0 < len(shown) <= 100
    assert "\n" not in shown
    assert not re.search(r"@(everyone|here)", shown)
    assert not re.search(r"<[@#:]", _unescaped(shown))
    assert not re.search(r"https?://", shown)
    assert not set("`*_~|[]") & set(_unescaped(shown))
    assert not re.match(r"[#>-]", shown)
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u200e\u200f") & set(shown)


@given(st.text(max_size=300), st.integers(5, 120))
def test_plain_text_keeps_its_limit_and_cuts_no_escape_in_two(title: str, limit: int) -> None:
    shown = foreign.plain(title, limit)
    assert 0 < len(shown) <= limit
    body = shown.removesuffix("\u2069").removesuffix("…")
    assert (len(body) - len(body.rstrip("\\"))) % 2 == 0


@pytest.mark.parametrize(
    "title", ["Song 2", "Don't Stop Me Now (Live)", "99 Luftballons - Remastered", "夜に駆ける", "P!nk"]
)
def test_ordinary_titles_stay_as_people_write_them(title: str) -> None:
    assert foreign.plain(title, 100) == title


def test_right_to_left_titles_are_isolated_from_the_text_around_them() -> None:
    assert foreign.plain("שיר אחד", 50) == "\u2068שיר אחד\u2069"


@pytest.mark.parametrize("script", ["한국어 노래", "สวัสดี ครับ", "हिन्दी गाना", "العربية", "Ελληνικά", "日本語"])
def test_no_script_loses_its_letters(script: str) -> None:
    assert script in foreign.plain(script, 50)


def test_a_masked_link_cannot_be_broken_out_of() -> None:
    linked = foreign.link("a](https://evil.example) [b", "https://open.spotify.com/track/1")
    assert linked.endswith("](https://open.spotify.com/track/1)")
    assert linked.count("](") == 1
    assert foreign.link("song", "https://x.example/a) [b](https://evil.example") == "song"
    assert foreign.link("song", "javascript:alert(1)") == "song"


def test_labels_show_no_backslashes_and_are_never_empty() -> None:
    assert foreign.label("*A* [b]\n@everyone") == "*A* [b] @everyone"
    assert foreign.label("\u202e") == "?"
    assert len(foreign.label("y" * 500)) == 100


def test_sentences_of_ours_keep_their_markdown_but_not_what_is_inside_them() -> None:
    told = foreign.harmless("There is no mapping “@everyone [x](https://evil.example)”. `/mapping list` shows all.")
    assert "`/mapping list`" in told
    assert "@everyone" not in told
    assert "](" not in told
    assert "https://" not in told


def test_a_list_ends_at_a_whole_line_and_counts_the_rest() -> None:
    lines = [f"line {number} " + "x" * 80 for number in range(100)]
    shown = foreign.bullets(lines, 1024)
    assert len(shown) <= 1024
    kept = shown.split("\n")
    assert kept[:-1] == lines[: len(kept) - 1]
    assert kept[-1] == f"… and {100 - len(kept) + 1} more"
    assert foreign.bullets(["a", "b"], 1024) == "a\nb"
    assert foreign.bullets(["a", "b", "c"], 1024, most=1, more=4) == "a\n… and 6 more"


@given(st.lists(st.text("ab \n\\", max_size=3000), min_size=0, max_size=30), st.text("xy\n", max_size=6000))
def test_fitted_embeds_are_within_every_limit(values: list[str], description: str) -> None:
    cards = []
    for _ in range(3):
        card = discord.Embed(title="t" * 400, description=description)
        for value in values:
            card.add_field(name="n" * 300, value=value)
        card.set_footer(text="f" * 3000)
        cards.append(card)
    fitted = foreign.fit(cards)
    assert sum(len(card) for card in fitted) <= 6000
    for card in fitted:
        assert len(card.title or "") <= 256
        assert len(card.description or "") <= 4096
        assert len(card.fields) <= 25
        assert all(0 < len(field.value or "") <= 1024 and len(field.name or "") <= 256 for field in card.fields)
        assert len(card.footer.text or "") <= 2048
