"""What a simulated service gets from the wire and hands back to it, free of any web framework."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: ``path`` without the query, ``body`` as parsed JSON or form fields, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""  # http://127.0.0.1:PORT, for addresses inside answers
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # every value of each query parameter

    @property
    def bearer(self) -> str | None:
        """The access token of the Authorization header, or None."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None

    @property
    def fields(self) -> dict[str, Any]:
        """The body where it is an object, else nothing."""
        return self.body if isinstance(self.body, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back: ``body`` is sent as JSON, a ``str`` as HTML, None as nothing."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Raised inside a service to answer with an error body at once."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status}: {answer.body}")
        self.answer = answer


class Price(NamedTuple):
    """What one call costs its project."""

    units: int = 0
    searches: int = 0


class Service(Protocol):
    """One simulated service behind the front door."""

    def price(self, call: Call) -> Price:
        """What the call costs, known before it is looked at."""

    def answer(self, call: Call, *, paid: bool) -> Answer:
        """Do what is asked; ``paid`` is False when the day's quota does not cover the price."""


class Routes:
    """Which function answers which method and path; ``{name}`` in a path stands for one segment."""

    def __init__(self, *routes: tuple[str, str, Callable[..., Answer]]) -> None:
        self._routes = [(method, _compiled(path), handler) for method, path, handler in routes]

    def find(self, method: str, path: str) -> tuple[Callable[..., Answer], dict[str, str]] | None:
        """The handler with the named segments of the path, or None."""
        for wanted, pattern, handler in self._routes:
            if wanted == method and (match := pattern.fullmatch(path)):
                return handler, match.groupdict()
        return None


def _compiled(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
