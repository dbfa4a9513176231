"""The control door of a sandbox in its own process: books, world, faults, switches and clock over HTTP."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.sandbox.books import Books
from bot.sandbox.faults import Faults
from bot.sandbox.people import PEOPLE
from bot.sandbox.shelf import Playlist
from bot.sandbox.wire import Answer, Call, Refusal, Routes
from bot.sandbox.world import World

ROOT = "/_sandbox"


class Control:
    """Answers what comes below ``/_sandbox``. It is no part of any service and stands in no books."""

    def __init__(self, world: World, faults: Faults, books: Books) -> None:
        self._world, self._faults, self._books = world, faults, books
        self._routes = Routes(
            ("GET", f"{ROOT}/books", self._get_books),
            ("GET", f"{ROOT}/world", self._get_world),
            ("POST", f"{ROOT}/faults", self._set_faults),
            ("POST", f"{ROOT}/switches", self._set_switches),
            ("POST", f"{ROOT}/clock", self._set_clock),
        )

    def answer(self, call: Call) -> Answer:
        found = self._routes.find(call.method, call.path)
        if found is None:
            return Answer(status=404, body={"error": "no such door"})
        try:
            return found[0](call)
        except (TypeError, ValueError, AttributeError) as error:  # wrong words in the body
            raise Refusal(Answer(status=400, body={"error": str(error)})) from error

    def _get_books(self, call: Call) -> Answer:
        return Answer(body=self._books.summary())

    def _get_world(self, call: Call) -> Answer:
        with self._world.lock:
            states = [*self._world.spotify.all_true(), *self._world.youtube.all_true()]
        body = {
            "seed": self._world.seed,
            "now": self._world.now().isoformat(),
            "known": asdict(self._world.known),
            "switches": asdict(self._world.switches),
            "people": sorted(PEOPLE),
            "playlists": [_playlist(state) for state in states],
        }
        return Answer(body=body)

    def _set_faults(self, call: Call) -> Answer:
        """``{"clear": true}``, ``{"next": {…}}``, ``{"random": {…}}``: the arguments of the methods of that name."""
        if call.fields.get("clear"):
            self._faults.clear()
        if "next" in call.fields:
            self._faults.next(**call.fields["next"])
        if "random" in call.fields:
            self._faults.random(**call.fields["random"])
        return Answer(body={"pending": self._faults.pending()})

    def _set_switches(self, call: Call) -> Answer:
        for name, value in call.fields.items():
            setattr(self._world.switches, name, value)  # slots: an unknown name is an AttributeError
        return Answer(body=asdict(self._world.switches))

    def _set_clock(self, call: Call) -> Answer:
        """``{"advance": seconds}`` or ``{"now": "2026-11-01T08:00:00+00:00"}``."""
        seconds = call.fields.get("advance", 0)
        if "now" in call.fields:
            seconds = (datetime.fromisoformat(call.fields["now"]) - self._world.now()).total_seconds()
        return Answer(body={"now": self._world.advance(float(seconds)).isoformat()})


def _playlist(state: Playlist) -> dict[str, Any]:
    return {
        "service": state.service,
        "id": state.id,
        "owner": state.owner,
        "name": state.name,
        "revision": state.revision,
        "media": [row.media for row in state.entries],
    }
