"""The simulated sign-in of Spotify and Google keeps the rules that the real ones enforce."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
import requests
from google_auth_oauthlib.flow import Flow
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyOAuth

from bot.sandbox import Sandbox

BACK = "http://127.0.0.1:8080/oauth/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
YOUTUBE = "https://www.googleapis.com/auth/youtube"
DAY = 86_400


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.open(clock=lambda: datetime(2026, 11, 3, 12, tzinfo=UTC)) as opened:
        yield opened


def spotify_page(sandbox: Sandbox, **changes: str) -> requests.Response:
    query = {
        "client_id": sandbox.spotify_client_id,
        "response_type": "code",
        "redirect_uri": BACK,
        "scope": "playlist-read-private user-library-read",
        "state": "s1",
    }
    return requests.get(
        f"{sandbox.spotify_accounts_url}/authorize", params=query | changes, allow_redirects=False, timeout=5
    )


def google_page(sandbox: Sandbox, **changes: str) -> requests.Response:
    query = {
        "client_id": sandbox.google_client_id,
        "response_type": "code",
        "redirect_uri": BACK,
        "scope": YOUTUBE,
        "access_type": "offline",
    }
    return requests.get(sandbox.google_auth_url, params=query | changes, allow_redirects=False, timeout=5)


def sent_back(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlparse(answer.headers["Location"]).query).items()}


def spotify_token(sandbox: Sandbox, **form: str) -> requests.Response:
    secret = (sandbox.spotify_client_id, sandbox.spotify_client_secret)
    return requests.post(f"{sandbox.spotify_accounts_url}/api/token", data=form, auth=secret, timeout=5)


def spotify_code(sandbox: Sandbox, code: str, **changes: str) -> requests.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    return spotify_token(sandbox, **form | changes)


def google_token(sandbox: Sandbox, **form: str) -> requests.Response:
    client = {"client_id": sandbox.google_client_id, "client_secret": sandbox.google_client_secret}
    return requests.post(sandbox.google_token_url, data=client | form, timeout=5)


def google_code(sandbox: Sandbox, code: str) -> dict[str, Any]:
    answer = google_token(sandbox, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def me(sandbox: Sandbox, token: str) -> requests.Response:
    return requests.get(f"{sandbox.spotify_api_url}/me", headers={"Authorization": f"Bearer {token}"}, timeout=5)


def test_the_consent_page_sends_back_at_once_with_code_and_state(sandbox: Sandbox) -> None:
    back = sent_back(spotify_page(sandbox))
    assert back["state"] == "s1"
    token = spotify_code(sandbox, back["code"]).json()
    assert token["scope"] == "playlist-read-private user-library-read"
    assert token["expires_in"] == 3600
    assert me(sandbox, token["access_token"]).json()["display_name"] == "Alice Marlow"


def test_whose_browser_it_is_can_be_chosen(sandbox: Sandbox) -> None:
    for way in ({"user": "bob"}, {"login_hint": "bob@example.org"}):
        token = spotify_code(sandbox, sent_back(spotify_page(sandbox, **way))["code"]).json()["access_token"]
        assert me(sandbox, token).json()["id"] == "bob.sandbox"
    sandbox.world.default_account = "dora"
    token = spotify_code(sandbox, sent_back(spotify_page(sandbox))["code"]).json()["access_token"]
    assert me(sandbox, token).json()["id"] == "dora.sandbox"


def test_a_person_can_say_no(sandbox: Sandbox) -> None:
    sandbox.world.switches.deny_consent = True
    assert sent_back(spotify_page(sandbox)) == {"state": "s1", "error": "access_denied"}
    assert sent_back(google_page(sandbox)) == {"error": "access_denied"}


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://localhost:8080/oauth/callback"},
        {"redirect_uri": "http://example.org/callback"},
        {"client_id": "another"},
        {"response_type": "token"},
        {"code_challenge": "abc", "code_challenge_method": "plain"},
        {"user": "nobody"},
    ],
)
def test_a_wrong_request_for_consent_is_shown_on_the_page_and_not_sent_back(
    sandbox: Sandbox, changes: dict[str, str]
) -> None:
    assert spotify_page(sandbox, **changes).status_code == 400


def test_registered_redirects_must_match_letter_by_letter(sandbox: Sandbox) -> None:
    sandbox.world.register_redirect("spotify", BACK)
    assert spotify_page(sandbox).status_code == 302
    assert spotify_page(sandbox, redirect_uri=f"{BACK}/").status_code == 400


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({"code_verifier": VERIFIER}, True),
        ({"code_verifier": "w" * 64}, False),
        ({}, False),
        ({"code_verifier": VERIFIER, "redirect_uri": f"{BACK}2"}, False),
    ],
)
def test_a_code_needs_its_verifier_and_its_redirect(sandbox: Sandbox, changes: dict[str, str], accepted: bool) -> None:
    page = spotify_page(sandbox, code_challenge=CHALLENGE, code_challenge_method="S256")
    answer = spotify_code(sandbox, sent_back(page)["code"], **changes)
    assert answer.status_code == (200 if accepted else 400)
    assert accepted or answer.json()["error"] == "invalid_grant"


def test_a_code_is_good_once_and_for_ten_minutes(sandbox: Sandbox) -> None:
    code = sent_back(spotify_page(sandbox))["code"]
    assert spotify_code(sandbox, code).status_code == 200
    assert spotify_code(sandbox, code).json()["error"] == "invalid_grant"
    code = sent_back(spotify_page(sandbox))["code"]
    sandbox.world.advance(601)
    assert spotify_code(sandbox, code).json()["error"] == "invalid_grant"


def test_an_access_token_is_good_for_an_hour_and_then_refreshed(sandbox: Sandbox) -> None:
    token = spotify_code(sandbox, sent_back(spotify_page(sandbox))["code"]).json()
    sandbox.world.advance(3601)
    assert me(sandbox, token["access_token"]).status_code == 401
    fresh = spotify_token(sandbox, grant_type="refresh_token", refresh_token=token["refresh_token"]).json()
    assert "refresh_token" not in fresh
    assert me(sandbox, fresh["access_token"]).status_code == 200


def test_rotation_kills_the_old_refresh_token(sandbox: Sandbox) -> None:
    sandbox.world.switches.rotate_refresh_tokens = True
    old = spotify_code(sandbox, sent_back(spotify_page(sandbox))["code"]).json()["refresh_token"]
    new = spotify_token(sandbox, grant_type="refresh_token", refresh_token=old).json()["refresh_token"]
    assert new != old
    again = spotify_token(sandbox, grant_type="refresh_token", refresh_token=old)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert spotify_token(sandbox, grant_type="refresh_token", refresh_token=new).status_code == 200


def test_refreshing_does_not_prolong_the_six_months_of_a_consent(sandbox: Sandbox) -> None:
    token = spotify_code(sandbox, sent_back(spotify_page(sandbox))["code"]).json()["refresh_token"]
    sandbox.world.advance(181 * DAY)
    assert spotify_token(sandbox, grant_type="refresh_token", refresh_token=token).status_code == 200
    sandbox.world.advance(2 * DAY)
    dead = spotify_token(sandbox, grant_type="refresh_token", refresh_token=token)
    assert (dead.status_code, dead.json()["error"]) == (400, "invalid_grant")


def test_what_a_person_revoked_is_dead_at_once_at_that_service(sandbox: Sandbox) -> None:
    access, refresh = sandbox.world.sign_in("alice", "spotify")
    _, google = sandbox.world.sign_in("alice", "google")
    sandbox.world.revoke("alice", "spotify")
    assert me(sandbox, access).status_code == 401
    assert spotify_token(sandbox, grant_type="refresh_token", refresh_token=refresh).json()["error"] == "invalid_grant"
    assert google_token(sandbox, grant_type="refresh_token", refresh_token=google).status_code == 200


def test_a_wrong_client_secret_is_refused(sandbox: Sandbox) -> None:
    wrong = requests.post(
        f"{sandbox.spotify_accounts_url}/api/token",
        data={"grant_type": "refresh_token", "refresh_token": "x"},
        auth=(sandbox.spotify_client_id, "guess"),
        timeout=5,
    )
    assert wrong.json()["error"] == "invalid_client"
    assert google_token(sandbox, client_secret="guess", grant_type="refresh_token").json()["error"] == "invalid_client"


def test_google_gives_a_refresh_token_with_the_first_consent_and_with_a_repeated_one_only(sandbox: Sandbox) -> None:
    first = google_code(sandbox, sent_back(google_page(sandbox))["code"])
    second = google_code(sandbox, sent_back(google_page(sandbox))["code"])
    asked = google_code(sandbox, sent_back(google_page(sandbox, prompt="consent"))["code"])
    online = google_code(sandbox, sent_back(google_page(sandbox, access_type="online", user="bob"))["code"])
    assert ["refresh_token" in token for token in (first, second, asked, online)] == [True, False, True, False]


def test_a_google_app_in_testing_loses_its_login_after_seven_days(sandbox: Sandbox) -> None:
    token = google_code(sandbox, sent_back(google_page(sandbox))["code"])
    assert token["refresh_token_expires_in"] == 7 * DAY
    sandbox.world.advance(7 * DAY)
    dead = google_token(sandbox, grant_type="refresh_token", refresh_token=token["refresh_token"])
    assert (dead.status_code, dead.json()["error"]) == (400, "invalid_grant")


def test_a_published_google_app_keeps_its_login(sandbox: Sandbox) -> None:
    sandbox.world.switches.google_testing = False
    token = google_code(sandbox, sent_back(google_page(sandbox))["code"])
    assert "refresh_token_expires_in" not in token
    sandbox.world.advance(300 * DAY)
    assert google_token(sandbox, grant_type="refresh_token", refresh_token=token["refresh_token"]).status_code == 200


def test_google_revokes_by_either_token_once(sandbox: Sandbox) -> None:
    for which in (0, 1):
        tokens = sandbox.world.sign_in("alice", "google")
        first = requests.post(sandbox.google_revoke_url, data={"token": tokens[which]}, timeout=5)
        again = requests.post(sandbox.google_revoke_url, data={"token": tokens[which]}, timeout=5)
        assert (first.status_code, again.status_code) == (200, 400)
        assert google_token(sandbox, grant_type="refresh_token", refresh_token=tokens[1]).status_code == 400


def test_spotipys_own_flow_works_against_it(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpotifyOAuth, "OAUTH_AUTHORIZE_URL", f"{sandbox.spotify_accounts_url}/authorize")
    monkeypatch.setattr(SpotifyOAuth, "OAUTH_TOKEN_URL", f"{sandbox.spotify_accounts_url}/api/token")
    flow = SpotifyOAuth(
        sandbox.spotify_client_id,
        sandbox.spotify_client_secret,
        BACK,
        scope="user-library-read",
        cache_handler=MemoryCacheHandler(),
        open_browser=False,
    )
    code = sent_back(requests.get(flow.get_authorize_url(), allow_redirects=False, timeout=5))["code"]
    flow.get_access_token(code, as_dict=False, check_cache=False)
    token = flow.cache_handler.get_cached_token()
    assert me(sandbox, flow.refresh_access_token(token["refresh_token"])["access_token"]).status_code == 200


def test_googles_own_flow_works_against_it(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    client = {
        "client_id": sandbox.google_client_id,
        "client_secret": sandbox.google_client_secret,
        "auth_uri": sandbox.google_auth_url,
        "token_uri": sandbox.google_token_url,
    }
    flow = Flow.from_client_config({"web": client}, [YOUTUBE], redirect_uri=BACK, autogenerate_code_verifier=True)
    address, _ = flow.authorization_url(access_type="offline", prompt="consent")
    code = sent_back(requests.get(address, allow_redirects=False, timeout=5))["code"]
    assert flow.fetch_token(code=code)["refresh_token"]
