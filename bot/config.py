"""The settings of the program: environment and ``.env``, read once and handed on as values."""

import base64
import binascii
import importlib.util
import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.model.errors import UserMistake

KEY_FILE = Path("data/secret.key")
KEY_BYTES = 32
_LEVELS = {"warning": "warn", "err": "error", "critical": "error"}


class SettingsError(UserMistake):
    """One or more settings are wrong; ``sentences`` holds one sentence with its remedy for each."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences), code="settings")
        self.sentences = sentences


def _level(value: object) -> object:
    if not isinstance(value, str):
        return value
    lowered = value.strip().lower()
    return _LEVELS.get(lowered, lowered)


def _lowered(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """Every setting; the field's name in capitals is the variable's name. An empty variable counts as absent.

    Build it with ``load_settings`` (environment and ``.env``) or ``settings_from`` (given values only).
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    discord_token: SecretStr | None = Field(None, description="The bot's token, from the Discord developer portal.")
    spotify_client_id: str | None = Field(None, description="Client id of your Spotify app; absent: no Spotify.")
    spotify_client_secret: SecretStr | None = Field(
        None, validate_default=True, description="Client secret of the same Spotify app."
    )
    google_client_id: str | None = Field(
        None, description="OAuth client id of your Google project; absent: no YouTube."
    )
    google_client_secret: SecretStr | None = Field(
        None, validate_default=True, description="Client secret of the same Google OAuth client."
    )
    public_url: str = Field(
        "http://127.0.0.1:8080",
        description="Where browsers reach this bot: OAuth redirects to it. HTTPS, or http on 127.0.0.1; not localhost.",
    )
    http_host: str = Field("127.0.0.1", description="Address that the web server listens on.")
    http_port: int = Field(8080, ge=0, le=65535, description="Port that the web server listens on (0: any free one).")
    database_url: str = Field(
        "sqlite+aiosqlite:///data/crossfade.db",
        repr=False,
        description="The database; postgresql+asyncpg://… when one machine is outgrown.",
    )
    secret_keys: SecretStr = Field(
        SecretStr(""),
        description="Comma-separated base64 keys of 32 bytes that encrypt the tokens, newest first;"
        " absent: created in data/secret.key (mode 600).",
    )
    youtube_daily_units: int = Field(10_000, ge=0, description="Units of YouTube's quota that a Pacific day holds.")
    youtube_daily_searches: int = Field(100, ge=0, description="YouTube searches that a Pacific day holds.")
    spotify_daily_calls: int = Field(900, ge=0, description="Calls of Spotify allowed in a rolling 24 hours.")
    youtube_search: Annotated[Literal["official", "ytmusic"], BeforeValidator(_lowered)] = Field(
        "official",
        description="official, or ytmusic: the unofficial search of the ytmusic extra, which costs no quota"
        " (the owner's decision).",
    )
    settle_seconds: float = Field(
        60, ge=0, le=3600, description="How long a service may take to show a committed write, in seconds."
    )
    sync_guild_id: int | None = Field(
        None, gt=0, description="Id of a Discord server to which commands are synced at once instead of globally."
    )
    lastfm_api_key: SecretStr | None = Field(None, description="Last.fm API key; used by the router when set.")
    redis_url: SecretStr | None = Field(
        None, description="Redis address for the cache; absent: the folder cache beside the database."
    )
    metadata_lookup: Annotated[Literal["on", "off"], BeforeValidator(_lowered)] = Field(
        "on",
        description="Whether genres, and dates that nobody else tells, are asked of ListenBrainz and MusicBrainz when"
        " a routing rule needs them: titles, artists and ISRCs leave the house; off keeps them.",
    )
    metadata_contact: str = Field(
        "",
        description="Your e-mail address or web page, told to ListenBrainz and MusicBrainz as their rules demand;"
        " absent: PUBLIC_URL.",
    )
    listenbrainz_token: SecretStr | None = Field(
        None, description="User token of ListenBrainz (free); its lookups by artist and title may ask for one."
    )
    log_level: Annotated[Literal["debug", "info", "warn", "error"], BeforeValidator(_level)] = Field(
        "info", description="The least level that the terminal shows: debug, info, warn or error."
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lowered)] = Field(
        "text", description="text for people, json for collectors."
    )
    discord_api_url: str = Field("https://discord.com/api/v10", description="Root of Discord's API; for simulation.")
    discord_gateway_url: str = Field("wss://gateway.discord.gg/", description="Discord's gateway; for simulation.")
    spotify_api_url: str = Field("https://api.spotify.com/v1", description="Root of Spotify's API; for simulation.")
    spotify_accounts_url: str = Field(
        "https://accounts.spotify.com", description="Root of Spotify's /authorize and /api/token; for simulation."
    )
    youtube_api_url: str = Field(
        "https://youtube.googleapis.com", description="Root of YouTube's /youtube/v3; for simulation."
    )
    google_auth_url: str = Field(
        "https://accounts.google.com/o/oauth2/v2/auth", description="Google's consent page; for simulation."
    )
    google_token_url: str = Field(
        "https://oauth2.googleapis.com/token", description="Google's token endpoint; for simulation."
    )
    ytmusic_api_url: str = Field(
        "https://music.youtube.com/youtubei/v1/", description="Root of YouTube Music's API; for simulation."
    )

    listenbrainz_api_url: str = Field("https://api.listenbrainz.org", description="Root of ListenBrainz's API.")
    musicbrainz_api_url: str = Field(
        "https://musicbrainz.org/ws/2", description="Root of MusicBrainz's web service; another mirror, or simulation."
    )

    @field_validator("spotify_client_secret", "google_client_secret")
    @classmethod
    def _both_halves(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        secret_name = str(info.field_name)
        id_name = secret_name.replace("_secret", "_id")
        if (secret is None) != (info.data.get(id_name) is None):
            missing, present = (secret_name, id_name) if secret is None else (id_name, secret_name)
            raise ValueError(
                f"{missing.upper()} is not set although {present.upper()} is; set both (they stand side by side on"
                " the app's page), or neither to go without the service."
            )
        return secret

    @field_validator("public_url")
    @classmethod
    def _reachable_redirect(cls, value: str) -> str:
        return _public_url(value)

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        return _database_url(value)

    @field_validator("metadata_contact")
    @classmethod
    def _one_word(cls, value: str) -> str:
        if not re.fullmatch(r"[!-~]*", value) or set("()") & set(value):
            raise ValueError(
                "METADATA_CONTACT must be one e-mail address or one web address, in plain letters and without brackets."
            )
        return value

    @field_validator("secret_keys")
    @classmethod
    def _whole_keys(cls, value: SecretStr) -> SecretStr:
        _keys(value.get_secret_value(), "SECRET_KEYS")
        return value

    @field_validator("youtube_search")
    @classmethod
    def _search_installed(cls, value: str) -> str:
        if value == "ytmusic" and importlib.util.find_spec("ytmusicapi") is None:
            raise ValueError(
                "YOUTUBE_SEARCH is 'ytmusic', but its extra is not installed; run pip install 'crossfade[ytmusic]',"
                " or use official."
            )
        return value

    @field_validator(
        "discord_api_url", "spotify_api_url", "spotify_accounts_url", "youtube_api_url", "google_auth_url",
        "google_token_url", "ytmusic_api_url", "listenbrainz_api_url", "musicbrainz_api_url",
    )  # fmt: skip
    @classmethod
    def _web_address(cls, value: str, info: ValidationInfo) -> str:
        _address(str(info.field_name).upper(), value, ("http", "https"))
        return value if info.field_name == "ytmusic_api_url" else value.rstrip("/")

    @field_validator("discord_gateway_url")
    @classmethod
    def _gateway_address(cls, value: str) -> str:
        _address("DISCORD_GATEWAY_URL", value, ("ws", "wss"))
        return value

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The keys of SECRET_KEYS, newest first; each has 32 bytes."""
        return _keys(self.secret_keys.get_secret_value(), "SECRET_KEYS")

    @property
    def has_spotify(self) -> bool:
        return self.spotify_client_id is not None

    @property
    def has_youtube(self) -> bool:
        return self.google_client_id is not None

    def redirect_uri(self, service: str) -> str:
        """The address to enter as redirect URI at the service, for ``spotify`` or ``youtube``."""
        return f"{self.public_url}/oauth/{service}/callback"

    @property
    def secret_values(self) -> frozenset[str]:
        """Every secret of these settings in the clear, for the log's redaction."""
        held = [value.get_secret_value() for _, value in self if isinstance(value, SecretStr)]
        held += self.secret_keys.get_secret_value().split(",")
        held.append(urlsplit(self.database_url).password or "")
        return frozenset(value.strip() for value in held if value.strip())


class _GivenSettings(Settings):
    """Settings from given values only."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load_settings(*, env_file: Path | None = Path(".env"), key_file: Path = KEY_FILE) -> Settings:
    """Read environment and ``env_file``; where SECRET_KEYS is absent, take ``key_file``, creating it (mode 600).

    Raises SettingsError with one sentence for each wrong setting.
    """
    try:
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]  # pydantic-settings takes it, mypy does not see it
    except ValidationError as error:
        raise SettingsError(*(_sentence(detail) for detail in error.errors())) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{env_file} cannot be read ({error}); save it as UTF-8 text, readable for you.") from None
    return _with_keys(settings, key_file)


def settings_from(values: Mapping[str, Any], *, key_file: Path = KEY_FILE) -> Settings:
    """Settings from ``values`` (field names) and the defaults; neither environment nor ``.env`` is read.

    For the demo and the tests. Keys as in ``load_settings``; raises SettingsError.
    """
    try:
        settings = _GivenSettings(**values)
    except ValidationError as error:
        raise SettingsError(*(_sentence(detail) for detail in error.errors())) from None
    return _with_keys(settings, key_file)


def require_discord_token(settings: Settings) -> str:
    """The bot's token. Raises SettingsError when it is not set."""
    if settings.discord_token is None:
        raise SettingsError(
            "DISCORD_TOKEN is not set; make a bot at https://discord.com/developers/applications, copy its token and"
            " put it into .env (the README shows it step by step)."
        )
    return settings.discord_token.get_secret_value()


def _with_keys(settings: Settings, key_file: Path) -> Settings:
    if settings.keys:
        return settings
    return settings.model_copy(update={"secret_keys": SecretStr(_key_file_text(key_file))})


def _key_file_text(path: Path) -> str:
    """The comma-separated keys in ``path``; a missing file is made with one new key, readable for its owner only."""
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        text = _create_key_file(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The key file {path} cannot be read ({error}); repair it, or set SECRET_KEYS.") from None
    joined = ",".join(text.replace(",", "\n").split())
    try:
        keys = _keys(joined, str(path))
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if not keys:
        raise SettingsError(f"The key file {path} is empty; restore it from a backup, or remove it to start anew.")
    return joined


def _create_key_file(path: Path) -> str:
    # Complete before it has its name: a crash in the middle must not leave an empty key file behind.
    text = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return path.read_text(encoding="ascii")  # another process was first; its key counts
    except OSError as error:
        raise SettingsError(
            f"The key file {path} cannot be created ({error.strerror}); make its folder writable, or set SECRET_KEYS."
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return text


def _keys(text: str, where: str) -> tuple[bytes, ...]:
    keys = []
    for number, part in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        try:
            key = base64.b64decode(part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise ValueError(
                f"{where}: key {number} is not base64 of {KEY_BYTES} bytes; make one with"
                ' python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())".'
            )
        keys.append(key)
    return tuple(keys)


def _address(name: str, value: str, schemes: tuple[str, ...]) -> tuple[str, str]:
    """Scheme and host of an absolute address. Raises ValueError with a sentence."""
    try:
        parts = urlsplit(value)
        host = parts.hostname
        parts.port  # noqa: B018 - raises ValueError for a port that is none
    except ValueError:
        host = None
    if not host or parts.scheme not in schemes or re.search(r"\s", value):
        raise ValueError(f"{name} is {value!r}; it must be a whole address that begins with {schemes[-1]}://.")
    return parts.scheme, host


def _public_url(value: str) -> str:
    scheme, host = _address("PUBLIC_URL", value, ("http", "https"))
    parts = urlsplit(value)
    if host == "localhost" or host.endswith(".localhost"):
        port = f":{parts.port}" if parts.port else ""
        raise ValueError(
            f"PUBLIC_URL is {value!r}, but Spotify refuses localhost as a redirect address;"
            f" use {scheme}://127.0.0.1{port} here and in the redirect URIs of your apps."
        )
    if scheme == "http" and not _is_loopback(host):
        raise ValueError(
            f"PUBLIC_URL is {value!r}, but Spotify and Google accept plain http only on 127.0.0.1;"
            " put HTTPS in front of the bot and write https:// here."
        )
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError(f"PUBLIC_URL is {value!r}; leave out user, '?' and '#': only https://host and a path.")
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _database_url(value: str) -> str:
    scheme = value.partition("://")[0]
    if scheme == "sqlite+aiosqlite":
        if not value.startswith("sqlite+aiosqlite:///") or value.endswith((":///", ":memory:")):
            raise ValueError("DATABASE_URL names no file; write sqlite+aiosqlite:///data/crossfade.db.")
        return value
    if scheme == "postgresql+asyncpg":
        if importlib.util.find_spec("asyncpg") is None:
            raise ValueError(
                "DATABASE_URL names PostgreSQL, but its extra is not installed; run pip install 'crossfade[postgres]'."
            )
        return value
    # The address may hold a password, so that only its scheme is repeated.
    raise ValueError(
        f"DATABASE_URL begins with {scheme[:40]!r}; it must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://."
    )


def _sentence(detail: ErrorDetails) -> str:
    """One sentence for one finding of pydantic; the values of secrets are never repeated."""
    name = str(detail["loc"][0]).upper() if detail["loc"] else "The settings"
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    shown = str(detail["input"])[:80]
    if _is_secret(name.lower()):
        return f"{name} is not a text; write it as one line."
    return f"{name} is {shown!r}; it must be {_expected(detail['type'], context, name.lower())}."


def _is_secret(field: str) -> bool:
    info = Settings.model_fields.get(field)
    return info is not None and "SecretStr" in str(info.annotation)


def _expected(kind: str, context: Mapping[str, Any], field: str) -> str:
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "")
    number = "a number" if field == "settle_seconds" else "a whole number"
    bounds = {"greater_than_equal": ("ge", "of at least"), "less_than_equal": ("le", "of at most")}
    bounds["greater_than"] = ("gt", "above")
    if kind in bounds:
        key, words = bounds[kind]
        return f"{number} {words} {context[key]}"
    return number if kind.startswith(("int", "float")) else "one line of text"
