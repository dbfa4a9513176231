"""The sign-in of both services: consent pages that consent at once, and the token endpoints."""

import base64
import binascii
import secrets
from datetime import timedelta
from urllib.parse import unquote, urlencode

from bot.sandbox import people
from bot.sandbox.consent import ACCESS_LIFE, CodeRefused, Grant
from bot.sandbox.people import Person
from bot.sandbox.wire import Answer, Call, Price, Refusal, Routes
from bot.sandbox.world import World

SPOTIFY_CLIENT = ("sandbox-spotify-client", "sandbox-spotify-secret")
GOOGLE_CLIENT = ("sandbox-google-client.apps.googleusercontent.com", "sandbox-google-secret")

SPOTIFY_CONSENT_LIFE = timedelta(days=182)  # six months since 2026, whatever is refreshed in between
GOOGLE_TESTING_LIFE = timedelta(days=7)


def _refuse(status: int, error: str, description: str) -> Refusal:
    """The OAuth error body (RFC 6749, section 5.2)."""
    return Refusal(Answer(status=status, body={"error": error, "error_description": description}))


class _SignIn:
    """What both services have in common. Callers hold the world's lock."""

    service: str
    client: tuple[str, str]

    def __init__(self, world: World) -> None:
        self._world = world

    def price(self, call: Call) -> Price:
        """Signing in is free."""
        return Price()

    def _asked(self, call: Call) -> Person:
        """Check what the consent page was called with; whose browser it is says the query or the world's default."""
        query = call.query
        if query.get("client_id") != self.client[0]:
            raise _page(400, "INVALID_CLIENT: Invalid client")
        if not self._world.accepts_redirect(self.service, query.get("redirect_uri", "")):
            raise _page(400, "INVALID_CLIENT: Invalid redirect URI")
        if query.get("response_type") != "code":
            raise _page(400, "response_type must be code")
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            raise _page(400, "code_challenge_method must be S256")
        hint = query.get("user") or query.get("login_hint") or self._world.default_account
        person = people.find(hint)
        if person is None:
            raise _page(400, "Nobody of this name has an account here.")
        return person

    def _consent(self, call: Call, person: Person, life: timedelta | None, *, offline: bool) -> Answer:
        back = {"state": call.query["state"]} if "state" in call.query else {}
        if self._world.switches.deny_consent:
            return _redirect(call, back | {"error": "access_denied"})
        code = self._world.consents.ask(
            self.service,
            person.key,
            tuple(call.query.get("scope", "").split()),
            redirect_uri=call.query["redirect_uri"],
            challenge=call.query.get("code_challenge"),
            life=life,
            offline=offline,
        )
        return _redirect(call, back | {"code": code})

    def _check_client(self, call: Call, *, secret_needed: bool) -> None:
        """Client id and secret, from the Authorization header or from the form."""
        given = (call.fields.get("client_id"), call.fields.get("client_secret"))
        scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                identity, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise _refuse(400, "invalid_client", "Invalid client") from error
            given = (unquote(identity), unquote(secret))
        if given[0] != self.client[0] or (given[1] is not None and given[1] != self.client[1]):
            raise _refuse(401 if self.service == "google" else 400, "invalid_client", "Invalid client")
        if secret_needed and given[1] is None:
            raise _refuse(400, "invalid_request", "client_secret is missing.")

    def _grant(self, call: Call, *, rotate: bool) -> Grant:
        """The grant that the form's code or refresh token stands for."""
        form = call.fields
        try:
            if form.get("grant_type") == "authorization_code":
                return self._world.consents.redeem(
                    self.service, form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier")
                )
            if form.get("grant_type") == "refresh_token":
                return self._world.consents.refresh(self.service, form.get("refresh_token", ""), rotate=rotate)
        except CodeRefused as refused:
            raise _refuse(400, "invalid_grant", str(refused)) from refused
        raise _refuse(400, "unsupported_grant_type", "grant_type must be authorization_code or refresh_token")


class SpotifySignIn(_SignIn):
    """``/authorize`` and ``/api/token``."""

    service, client = "spotify", SPOTIFY_CLIENT

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._routes = Routes(("GET", "/authorize", self._authorize), ("POST", "/api/token", self._token))

    def answer(self, call: Call, *, paid: bool) -> Answer:
        found = self._routes.find(call.method, call.path)
        if found is None:
            raise _page(404, "Not found")
        return found[0](call)

    def _authorize(self, call: Call) -> Answer:
        return self._consent(call, self._asked(call), SPOTIFY_CONSENT_LIFE, offline=True)

    def _token(self, call: Call) -> Answer:
        if call.fields.get("grant_type") == "client_credentials":
            return self._token_of_the_app(call)
        fresh = call.fields.get("grant_type") == "authorization_code"
        self._check_client(call, secret_needed=fresh and "code_verifier" not in call.fields)
        rotate = self._world.switches.rotate_refresh_tokens
        grant = self._grant(call, rotate=rotate)
        body = {
            "access_token": self._world.consents.issue_access(grant),
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "scope": " ".join(grant.scopes),
        }
        if fresh or rotate:
            body["refresh_token"] = grant.refresh_token
        return Answer(body=body)

    def _token_of_the_app(self, call: Call) -> Answer:
        """A token in nobody's name; here it proves the client's id and secret and opens nothing."""
        self._check_client(call, secret_needed=True)
        seconds = int(ACCESS_LIFE.total_seconds())
        return Answer(body={"access_token": secrets.token_urlsafe(48), "token_type": "Bearer", "expires_in": seconds})


class GoogleSignIn(_SignIn):
    """``/o/oauth2/v2/auth``, ``/token`` and ``/revoke``."""

    service, client = "google", GOOGLE_CLIENT

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._routes = Routes(
            ("GET", "/o/oauth2/v2/auth", self._authorize),
            ("POST", "/token", self._token),
            ("POST", "/revoke", self._revoke),
        )

    def answer(self, call: Call, *, paid: bool) -> Answer:
        found = self._routes.find(call.method, call.path)
        if found is None:
            raise _page(404, "Not found")
        return found[0](call)

    def _authorize(self, call: Call) -> Answer:
        """A refresh token comes only with offline access, and only with the first consent or a repeated one."""
        person = self._asked(call)
        first = not self._world.consents.consented_before("google", person.key)
        offline = call.query.get("access_type") == "offline"
        life = GOOGLE_TESTING_LIFE if self._world.switches.google_testing else None
        return self._consent(
            call, person, life, offline=offline and (first or "consent" in call.query.get("prompt", "").split())
        )

    def _token(self, call: Call) -> Answer:
        self._check_client(call, secret_needed=True)
        grant = self._grant(call, rotate=False)
        body = {
            "access_token": self._world.consents.issue_access(grant),
            "expires_in": int(ACCESS_LIFE.total_seconds()) - 1,
            "scope": " ".join(grant.scopes),
            "token_type": "Bearer",
        }
        if grant.refresh_token and call.fields.get("grant_type") == "authorization_code":
            body["refresh_token"] = grant.refresh_token
        if grant.refresh_token and grant.dies_at:
            body["refresh_token_expires_in"] = int((grant.dies_at - self._world.now()).total_seconds())
        return Answer(body=body)

    def _revoke(self, call: Call) -> Answer:
        token = call.fields.get("token") or call.query.get("token", "")
        if not self._world.consents.revoke_token(token):
            raise _refuse(400, "invalid_token", "Token expired or revoked")
        return Answer(body={})


def _page(status: int, sentence: str) -> Refusal:
    return Refusal(Answer(status=status, body=sentence))


def _redirect(call: Call, query: dict[str, str]) -> Answer:
    uri = call.query["redirect_uri"]
    return Answer(status=302, headers={"Location": f"{uri}{'&' if '?' in uri else '?'}{urlencode(query)}"})
