"""Settings: what is accepted, and the one sentence for each mistake."""

import base64
import stat
from pathlib import Path

import pytest

from bot.config import Settings, SettingsError, load_settings, require_discord_token, settings_from

KEY = base64.b64encode(bytes(range(32))).decode()


def given(**values: object) -> Settings:
    return settings_from({"secret_keys": KEY, **values})


def sentence_for(**values: object) -> str:
    with pytest.raises(SettingsError) as caught:
        given(**values)
    assert len(caught.value.sentences) == 1, caught.value.sentences
    return caught.value.sentences[0]


@pytest.fixture
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"public_url": "http://localhost:8080"}, ["PUBLIC_URL", "Spotify refuses localhost", "http://127.0.0.1:8080"]),
        ({"public_url": "https://bot.localhost"}, ["PUBLIC_URL", "localhost"]),
        ({"public_url": "http://192.168.1.5:8080"}, ["PUBLIC_URL", "plain http only on 127.0.0.1", "https://"]),
        ({"public_url": "music.example.org"}, ["PUBLIC_URL", "whole address"]),
        ({"public_url": "http://127.0.0.1:99999"}, ["PUBLIC_URL", "whole address"]),
        ({"public_url": "https://music.example.org/?a=b"}, ["PUBLIC_URL", "leave out"]),
        ({"http_port": "eighty"}, ["HTTP_PORT is 'eighty'", "whole number"]),
        ({"http_port": 70000}, ["HTTP_PORT is '70000'", "at most 65535"]),
        ({"log_level": "loud"}, ["LOG_LEVEL is 'loud'", "debug, info, warn or error"]),
        ({"log_format": "xml"}, ["LOG_FORMAT is 'xml'", "text or json"]),
        ({"youtube_search": "bing"}, ["YOUTUBE_SEARCH is 'bing'", "official or ytmusic"]),
        ({"spotify_daily_calls": -1}, ["SPOTIFY_DAILY_CALLS is '-1'", "at least 0"]),
        ({"settle_seconds": "soon"}, ["SETTLE_SECONDS is 'soon'", "a number"]),
        ({"sync_guild_id": "my server"}, ["SYNC_GUILD_ID is 'my server'", "whole number"]),
        ({"database_url": "sqlite:///x.db"}, ["DATABASE_URL begins with 'sqlite'", "sqlite+aiosqlite:///"]),
        ({"database_url": "sqlite+aiosqlite:///"}, ["DATABASE_URL names no file"]),
        ({"spotify_client_id": "abc"}, ["SPOTIFY_CLIENT_SECRET is not set although SPOTIFY_CLIENT_ID is"]),
        ({"spotify_client_secret": "abc"}, ["SPOTIFY_CLIENT_ID is not set although SPOTIFY_CLIENT_SECRET is"]),
        ({"google_client_id": "abc"}, ["GOOGLE_CLIENT_SECRET is not set although GOOGLE_CLIENT_ID is"]),
        ({"secret_keys": "dG9vIHNob3J0"}, ["SECRET_KEYS: key 1", "32 bytes", "python -c"]),
        ({"secret_keys": f"{KEY},äöü"}, ["SECRET_KEYS: key 2"]),
        ({"discord_api_url": "discord.com"}, ["DISCORD_API_URL is 'discord.com'", "https://"]),
        ({"discord_gateway_url": "https://x.org"}, ["DISCORD_GATEWAY_URL", "wss://"]),
    ],
)
def test_a_mistake_is_one_sentence_with_its_remedy(values: dict[str, object], words: list[str]) -> None:
    sentence = sentence_for(**values)
    for word in words:
        assert word in sentence
    assert sentence.endswith((".", ").")), sentence


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        given(log_level="loud", http_port="x", public_url="http://localhost")
    assert [sentence.split()[0] for sentence in caught.value.sentences] == ["PUBLIC_URL", "HTTP_PORT", "LOG_LEVEL"]


def test_no_secret_is_repeated_by_a_sentence_or_by_the_settings_text() -> None:
    secret = "hunter2-hunter2-hunter2"
    for values in (
        {"secret_keys": secret},
        {"database_url": f"postgres://me:{secret}@db/crossfade"},
        {"spotify_client_secret": secret},
    ):
        assert secret not in sentence_for(**values)
    settings = given(
        discord_token=secret, database_url=f"sqlite+aiosqlite:///{secret}.db", google_client_id="id",
        google_client_secret=secret, redis_url=secret, lastfm_api_key=secret,
    )  # fmt: skip
    assert secret not in repr(settings)
    assert {secret, KEY} <= settings.secret_values


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPOTIFY_CLIENT_ID", "")
    monkeypatch.setenv("HTTP_PORT", "")
    settings = load_settings(env_file=None, key_file=tmp_path / "key")
    assert (settings.spotify_client_id, settings.http_port) == (None, 8080)


@pytest.mark.usefixtures("empty_environment")
def test_the_environment_outranks_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("HTTP_PORT=9000\nLOG_LEVEL=Warning\nUNRELATED=1\n")
    monkeypatch.setenv("HTTP_PORT", "9001")
    settings = load_settings(env_file=env_file, key_file=tmp_path / "key")
    assert (settings.http_port, settings.log_level) == (9001, "warn")


def test_given_settings_read_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "not a number")
    assert given().http_port == 8080


def test_an_unreadable_env_file_is_a_sentence(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes(b"LOG_LEVEL=\xff\xfe\n")
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings(env_file=env_file, key_file=tmp_path / "key")


def test_an_absent_key_is_made_once_readable_for_its_owner_only(tmp_path: Path) -> None:
    key_file = tmp_path / "data" / "secret.key"
    first = settings_from({}, key_file=key_file)
    second = settings_from({}, key_file=key_file)
    assert first.keys == second.keys
    assert [len(key) for key in first.keys] == [32]
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert list(key_file.parent.iterdir()) == [key_file]


def test_set_keys_leave_the_key_file_alone(tmp_path: Path) -> None:
    other = base64.urlsafe_b64encode(bytes(range(200, 232))).decode().rstrip("=")
    settings = settings_from({"secret_keys": f" {other} , {KEY} "}, key_file=tmp_path / "secret.key")
    assert settings.keys == (bytes(range(200, 232)), bytes(range(32)))
    assert not (tmp_path / "secret.key").exists()


@pytest.mark.parametrize("text", ["", "not base64 of anything\n", "\x00\xff"])
def test_a_damaged_key_file_is_a_sentence_and_stays_as_it_is(tmp_path: Path, text: str) -> None:
    key_file = tmp_path / "secret.key"
    key_file.write_text(text, encoding="latin-1")
    with pytest.raises(SettingsError) as caught:
        settings_from({}, key_file=key_file)
    assert str(key_file) in str(caught.value)
    assert key_file.read_text(encoding="latin-1") == text


def test_a_missing_discord_token_is_asked_for() -> None:
    with pytest.raises(SettingsError, match="DISCORD_TOKEN is not set"):
        require_discord_token(given())
    assert require_discord_token(given(discord_token="abc")) == "abc"


def test_redirects_hang_under_the_public_url() -> None:
    settings = given(public_url="https://music.example.org/crossfade/")
    assert settings.redirect_uri("spotify") == "https://music.example.org/crossfade/oauth/spotify/callback"
