"""Secrets never reach a queue of the log."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs.redact import _PATTERNS, _SUSPECT, MASK, Redactor

DISCORD = "MTE4MzQ1Njc4OTAxMjM0NTY3OA.GaBcDe." + "f" * 38
TEXTS = [
    ("GET /oauth/spotify/callback?code=AQDx1234&state=" + "s" * 43, ["AQDx1234", "s" * 43]),
    ("Authorization: Bearer abcdefgh12345678", ["abcdefgh12345678"]),
    ("{'Authorization': 'Basic dXNlcjpwYXNz'}", ["dXNlcjpwYXNz"]),
    ("headers Bearer abcdefgh12345678.xyz and more", ["abcdefgh12345678.xyz"]),
    ('{"access_token": "t0k", "refresh_token":"r3f", "expires_in": 3600}', ["t0k", "r3f"]),
    ("client_secret=s3cret&grant_type=refresh_token", ["s3cret"]),
    ("postgresql+asyncpg://crossfade:pa55@db/x", ["pa55"]),
    (f"Improper token {DISCORD} has been passed.", [DISCORD]),
    ("ya29.a0AfH6SMBx and 1//0gabcdefghijk and GOCSPX-abcdefghij", ["a0AfH6SMBx", "0gabcdefghijk", "abcdefghij"]),
    ("https://discord.com/api/v10/webhooks/123/" + "aB3" * 20, ["aB3aB3"]),
    ("BQ" + "dEf4" * 30, ["dEf4dEf4"]),
]


@pytest.mark.parametrize(("text", "secrets"), TEXTS)
def test_what_looks_like_a_secret_is_masked(text: str, secrets: list[str]) -> None:
    redacted = Redactor().text(text)
    assert MASK in redacted
    for secret in secrets:
        assert secret not in redacted


@pytest.mark.parametrize(
    "text",
    [
        "Successfully added track Code=Red (Bearer of Bad News)",
        "Found 3 diffs for mapping Road trip",
        "https://open.spotify.com/track/4cOdK2wGLETKBW3PvgPWqT",
        "https://www.youtube.com/playlist?list=OLAK5uy_kmNOPqRstuVwxyz0123456789abcdefgh",
        "run state=pending, quota youtube.units 9950 of 10000",
    ],
)
def test_ordinary_words_and_addresses_stay(text: str) -> None:
    redacted = Redactor().text(text)
    assert redacted == text or text.startswith("Successfully")


def test_known_secrets_are_masked_wherever_they_stand() -> None:
    redactor = Redactor(["correct horse", "battery-staple", "x"])
    assert redactor.text("ab correct horse cd/battery-staple x") == f"ab {MASK} cd/{MASK} x"


def test_fields_are_masked_by_name_at_any_depth_and_can_be_json() -> None:
    fields = {
        "refresh_token": "abc",
        "client_secret": "def",
        "code": "not_found",
        "body": {"token": "ghi", "items": [{"password": "jkl"}, "Bearer mnopqrstuvwxyz"]},
        "error": ValueError("access_token=pqr"),
        "change_token": "AAAA1",
    }
    text = json.dumps(Redactor().fields(fields))
    for secret in ("abc", "def", "ghi", "jkl", "mnopqrstuvwxyz", "pqr"):
        assert secret not in text
    assert "not_found" in text
    assert "AAAA1" in text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.text(max_size=60))
def test_a_known_secret_never_survives_its_surroundings(before: str, after: str) -> None:
    assert "S3cr3t-V4lue" not in Redactor(["S3cr3t-V4lue"]).text(f"{before}S3cr3t-V4lue{after}")


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_fields_become_json_that_databases_take(value: object) -> None:
    text = json.dumps(Redactor().fields({"value": value}), ensure_ascii=False)
    assert "\x00" not in text
    text.encode()


def test_a_hostile_text_is_redacted_in_linear_time() -> None:
    """A quadratic pattern would need minutes for this, and logging would hold the program up."""
    for piece in ("a-", "a_", "token=", "1a.", "://a:", "'code': '"):
        assert len(Redactor().text(piece * 200_000)) <= 200_000


PIECES = [
    *"=:/.-~+ \"'&@,;)}_\n",
    *"authorization bearer basic bot code token state webhooks eyJ ya29. 1// GOCSPX-".split(),
    "a1" * 6,
    "f" * 20,
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_no_secret_hides_from_the_closer_look(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert _SUSPECT.search(text) or not any(pattern.search(text) for pattern in _PATTERNS)


def test_a_text_that_was_clean_before_is_looked_at_again_when_it_says_more() -> None:
    redactor = Redactor(["hunter22"])
    for _ in range(2):
        assert redactor.text("Road trip") == "Road trip"
        assert redactor.text("Road trip hunter22") == f"Road trip {MASK}"
