"""What incidents say to people: what happened, what it means, what to do, and how it ended."""

from dataclasses import dataclass
from datetime import datetime

from bot.model.events import Event
from bot.model.incident import Incident
from bot.model.quota import Bucket
from bot.model.reasons import cause_of, reason_of
from cogs._ui import foreign, moments, reason_words

NOTHING = "There is nothing to do."
_AGAIN = "**Retry** tries them again once the cause is gone."


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Sentences with ``{fields}`` of the incident. ``many`` is the heading for more than one, where that counts."""

    one: str
    many: str = ""
    means: str
    do: str = NOTHING
    over: str = ""
    mended: bool = False  # whether being over means that it is well again


_EVENTS: dict[Event, Words] = {
    Event.ITEM_BLACKLISTED: Words(
        one="A track was not found",
        many="{count} tracks were not found",
        means="Nothing on the other service is certainly the same song, so nothing was added: a wrong song is never "
        "guessed.",
        do="`/review` lets you choose, search with other words, or say that it is not there. "
        "Crossfade looks again by itself after 1, 7 and 30 days.",
    ),
    Event.ITEM_REVIEW: Words(
        one="A track waits for your choice",
        many="{count} tracks wait for your choice",
        means="There are candidates, but none is certain enough to be added without a person.",
        do="`/review` shows the candidates. Your choice holds for the whole server.",
    ),
    Event.ITEM_ERROR: Words(
        one="A change failed",
        many="{count} changes failed",
        means="{cause}",
        do=_AGAIN,
    ),
    Event.ITEM_UNKNOWN: Words(
        one="A change got no clear answer",
        many="{count} changes got no clear answer",
        means="The service did not say whether they took place. Crossfade looks at the playlist before it does "
        "anything again, so nothing is done twice.",
    ),
    Event.ITEM_SURPLUS: Words(
        one="More copies of a track than wanted",
        many="More copies of {count} tracks than wanted",
        means="Removing one of them would remove all, so Crossfade leaves them alone.",
        do="Remove the copies that are too many by hand, if they disturb you.",
    ),
    Event.ANALYSIS_FAILED: Words(
        one="“{mapping}” could not be synced",
        means="Nothing was changed. {cause}",
        do="It is tried again at its next time; `/sync` tries it at once.",
        over="Its playlists were compared again without trouble.",
        mended=True,
    ),
    Event.ANALYSIS_STOPPED: Words(
        one="“{mapping}” was stopped before anything was changed",
        means="{reason}",
        do="`/sync` shows the plan. If it is right, an admin can force it there.",
        over="The plan was decided, or something else was synced since.",
    ),
    Event.SERVICE_PAUSED: Words(
        one="{service} asked for a pause",
        means="Nothing is sent to it meanwhile. What is queued waits and goes on by itself {until}.",
        over="It is in use again.",
        mended=True,
    ),
    Event.SERVICE_FAILING: Words(
        one="{service} does not answer as it should",
        means="What needs it waits and is tried again by itself; nothing is lost.",
        over="It answers again.",
        mended=True,
    ),
    Event.QUOTA_SPENT: Words(
        one="{bucket} are used up",
        means="What is queued waits and goes on by itself {until}.",
        do="`/quota` shows where they went.",
        over="They are full again.",
        mended=True,
    ),
    Event.ACCOUNT_NEEDS_LOGIN: Words(
        one="The {service} account “{account}” needs a new login",
        means="Its work waits and nothing is lost. The reason: {reason}.",
        do="The account's owner links it again with `/connect`.",
        over="It was linked again, or disconnected.",
        mended=True,
    ),
    Event.ACCOUNT_EXPIRES_SOON: Words(
        one="The login of the {service} account “{account}” ends soon",
        means="It ends {until}; from then on its work would wait.",
        do="The account's owner links it again with `/connect` before.",
        over="It was linked again, or its time has come.",
    ),
    Event.MAPPING_PAUSED: Words(
        one="“{mapping}” was paused",
        means="{reason}",
        do="Once the reason is gone, an admin lets it go on with `/mapping resume`.",
        over="It was resumed, or removed.",
        mended=True,
    ),
    Event.TASK_FAILED: Words(
        one="The task “{task}” failed",
        means="It is tried again by itself. {cause}",
    ),
    Event.BUG: Words(
        one="Something went wrong inside Crossfade",
        means="What was under way is kept and goes on by itself.",
        do="Tell the owner of this bot what stands here: {error}. The log holds the rest.",
    ),
    Event.PLAN_FORCED: Words(
        one="A stopped plan was forced",
        means="An admin looked at the plan of “{mapping}” and let it through.",
    ),
    Event.SETTINGS_CHANGED: Words(one="A setting changed", means="{detail}"),
}  # fmt: skip
_OTHER = Words(
    one="Something unexpected was noticed",
    means="{message}",
    do="If it keeps coming, tell the owner of this bot.",
)

_BUCKETS = {
    Bucket.YOUTUBE_UNITS.value: "YouTube's units for today",
    Bucket.YOUTUBE_SEARCH.value: "YouTube's searches for today",
    Bucket.SPOTIFY_CALLS.value: "Spotify's calls of the last 24 hours",
}
_FIELDS = ("service", "account", "reason", "task", "detail", "error")


def heading(incident: Incident, mapping: str) -> str:
    """For the title of an embed, where no markdown is rendered but mentions and links must stay dead all the same."""
    said = _of(incident)
    things = len(incident.item_ids) or incident.count
    template = said.many if said.many and things > 1 else said.one
    return template.format(**_fields(incident, mapping) | {"count": f"{things:,}"})


def meaning(incident: Incident, mapping: str) -> str:
    said = _of(incident).means.format(**_fields(incident, mapping)).strip()
    return said[:1].upper() + said[1:]


def remedy(incident: Incident) -> str:
    """Of a cause that we know its own, else that of the event."""
    reason = _reason(incident)
    if cause_of(reason) is not None:
        return reason_words.remedy(reason, incident.until)
    return _of(incident).do.format(**_fields(incident, ""))


def ending(incident: Incident) -> str:
    return _of(incident).over or "Nothing more of the kind was seen since."


def mended(incident: Incident) -> bool:
    """Whether its being over means that all is well again."""
    return _of(incident).mended


def _of(incident: Incident) -> Words:
    return _EVENTS.get(Event(incident.event), _OTHER) if incident.event in set(Event) else _OTHER


def _fields(incident: Incident, mapping: str) -> dict[str, str]:
    facts = incident.facts
    fields = {name: foreign.plain(str(facts.get(name) or "not told"), 250) for name in _FIELDS}
    bucket = str(facts.get("bucket", ""))
    return fields | {
        "mapping": foreign.plain(mapping or str(facts.get("mapping") or "A mapping"), 80),
        "bucket": _BUCKETS.get(bucket, "The calls of the service"),
        "until": _when(incident.until),
        "cause": _cause(incident),
        "message": foreign.plain(incident.message, 500),
    }


def _reason(incident: Incident) -> str:
    return reason_of(str(incident.facts.get("error") or ""))


def _cause(incident: Incident) -> str:
    """``The playlist is full.``; one that we do not know as it was logged."""
    error = str(incident.facts.get("error") or "")
    if cause_of(_reason(incident)) is not None:
        return f"{reason_words.happened(_reason(incident))}."
    return f"The reason: {foreign.plain(error, 250)}" if error else ""


def _when(until: datetime | None) -> str:
    return moments.relative(until) if until is not None else "in a while"
