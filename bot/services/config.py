"""What the rooms of the music services must be told: addresses, client ids, limits of time and of parallel work."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urljoin

from bot.model.music import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """Addresses are whole URLs; an empty client id means that the service is absent. Times are seconds."""

    public_url: str = "http://127.0.0.1:8080"
    spotify_client_id: str = ""
    spotify_client_secret: str = field(default="", repr=False)
    google_client_id: str = ""
    google_client_secret: str = field(default="", repr=False)
    spotify_api_url: str = "https://api.spotify.com/v1"
    spotify_accounts_url: str = "https://accounts.spotify.com"
    youtube_api_url: str = "https://youtube.googleapis.com"
    google_auth_url: str = "https://accounts.google.com/o/oauth2/v2/auth"
    google_token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, not a secret
    ytmusic_api_url: str = "https://music.youtube.com/youtubei/v1/"
    youtube_search: Literal["official", "ytmusic"] = "official"
    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    workers: int = 8  # threads that may wait for an answer at once, both services together
    in_flight: int = 4  # calls to one service at once

    def has(self, service: Service) -> bool:
        return bool(self.spotify_client_id if service is Service.SPOTIFY else self.google_client_id)

    def redirect_uri(self, service: Service) -> str:
        return f"{self.public_url.rstrip('/')}/oauth/{service.value}/callback"

    @property
    def google_revoke_url(self) -> str:
        """Google's revocation stands beside its token endpoint."""
        return urljoin(self.google_token_url, "revoke")
