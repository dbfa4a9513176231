"""Who has accounts in the simulated world."""

from dataclasses import dataclass

from bot.sandbox import ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person with an account at each service; ``key`` is the short name that tests use."""

    key: str
    name: str
    listed: bool = True  # on the Spotify app's list of at most five users; everybody else gets 403
    has_channel: bool = True  # a Google account without a YouTube channel gets youtubeSignupRequired

    @property
    def spotify_id(self) -> str:
        return f"{self.key}.sandbox"

    @property
    def spotify_account_id(self) -> str:
        return ids.base62("account", self.key)

    @property
    def channel_id(self) -> str:
        return ids.channel("person", self.key)

    @property
    def email(self) -> str:
        return f"{self.key}@example.org"


PEOPLE = {
    person.key: person
    for person in (
        Person(key="alice", name="Alice Marlow"),
        Person(key="bob", name="Bob Tanner"),
        Person(key="carol", name="Carol Nyström", listed=False, has_channel=False),
        Person(key="dora", name="Dora Weiss"),
        Person(key="spotify", name="Spotify"),
    )
}


def find(hint: str) -> Person | None:
    """The person with this key, mail address, Spotify id or channel id."""
    for person in PEOPLE.values():
        if hint in (person.key, person.email, person.spotify_id, person.channel_id):
            return person
    return None
