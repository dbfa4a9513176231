"""Bases and rules by chance, and a slow, plain evaluator to hold the router against."""

import re
import unicodedata
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from bot.model.music import Service, Track
from bot.model.rule_values import MAX_DEPTH, condition
from bot.model.rules import (
    OPERATORS,
    PERIODS,
    SORTABLE,
    By,
    Condition,
    Facts,
    Field,
    Group,
    Join,
    Kind,
    Limit,
    Node,
    Op,
    Rules,
    Sort,
    Unknown,
)

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Tokyo")  # there it is the 22nd already
TITLES = [
    "Live", "Alive", "Live at Wembley", "Nights (Live)", "夜に駆ける", "夜に駆ける (Live)", "紅蓮華", "사랑 Love",
    "Группа крови", "Ωμέγα", "Café del Mar", "99", "The In Crowd", "and then", "",
]  # fmt: skip
NAMES = ["Queen", "QUEEN", "Beyoncé", "The The", "Earth, Wind & Fire", 'Quote " Unquote', "Back\\slash", "and", "90s"]
GENRES = ["metal", "heavy metal", "hard rock", "rock", "k-pop", "drum and bass"]
DATES = ["1989", "1990", "1999-12", "1999-12-31", "2026-11", "2026-11-22", "2026-10-25", "0000"]
MOMENTS = [
    datetime(2026, 11, 21, 14, 59, tzinfo=UTC), datetime(2026, 11, 21, 15, 0, tzinfo=UTC),
    datetime(2026, 10, 31, 15, 0, tzinfo=UTC), datetime(2026, 10, 31, 14, 59, 59, tzinfo=UTC),
    datetime(2020, 2, 29, 12, 0, tzinfo=UTC), datetime(2026, 11, 15, 15, tzinfo=UTC),
]  # fmt: skip


def facts_of(number: int, **known: object) -> Facts:
    """Facts by the names of Facts and of Track."""
    own = {
        name: known.pop(name) for name in ("added_at", "added_by", "genres", "popularity", "language") & known.keys()
    }
    track = Track(service=Service.SPOTIFY, external_id=f"t{number}", title=str(known.pop("title", "Song")), **known)  # type: ignore[arg-type]
    return Facts(track=track, position=number, **own)  # type: ignore[arg-type]


def maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | values


one_fact = st.fixed_dictionaries(
    {
        "title": st.sampled_from(TITLES),
        "artists": st.lists(st.sampled_from(NAMES), max_size=2).map(tuple),
        "album": maybe(st.sampled_from(NAMES)),
        "duration": maybe(st.sampled_from([0.4, 179.9, 180.0, 180.9, 181.0, 4000.5])),
        "isrc": maybe(
            st.sampled_from(["GBAYE6800011", "USRC17607839", "QZABC2300001", "TCABC2300001", "XX", "JPB600"])
        ),
        "explicit": maybe(st.booleans()),
        "release_date": maybe(st.sampled_from(DATES)),
        "added_at": maybe(st.sampled_from(MOMENTS)),
        "added_by": maybe(st.sampled_from([("ann",), ("bo", "Bo Diddley")])),
        "genres": maybe(st.lists(st.sampled_from(GENRES), max_size=2).map(tuple)),
        "popularity": maybe(st.sampled_from([0, 49, 50, 100])),
        "language": maybe(st.sampled_from(["en", "ja"])),
    }
)
bases = st.lists(one_fact, max_size=12).map(lambda rows: [facts_of(n, **row) for n, row in enumerate(rows)])

texts = st.one_of(
    st.sampled_from([*NAMES, *GENRES, "live", "rock", "夜", "駆", "love", "(live)", "é", "limit", "no", "a..b", "…"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(lambda text: text.strip()),
)
patterns = st.lists(st.sampled_from(["*", "?", "live", "夜", "e", " ", "(", "Qu"]), min_size=1, max_size=5).map("".join)
dates = st.one_of(
    st.sampled_from([one for one in DATES if one != "0000"]), st.dates(date(1000, 1, 1), date(2999, 12, 31)).map(str)
)
_CODES = {
    Field.LANGUAGE: st.sampled_from(["ja", "en", "ru", "ko", "zh", "Greek"]),
    Field.SCRIPT: st.sampled_from(["latin", "japanese", "han", "Cyrillic", "korean", "greek"]),
    Field.COUNTRY: st.sampled_from(["GB", "us", "JP", "TC"]),
}
_NUMBERS = {
    Field.YEAR: st.sampled_from([1989, 1990, 1999, 2026]),
    Field.POSITION: st.integers(1, 12),
    Field.POPULARITY: st.integers(0, 100),
}


def values_of(field: Field, op: Op) -> st.SearchStrategy[object]:
    if op is Op.LAST:
        return st.sampled_from([1, 2, 22, 30, 10_000])
    if op is Op.THIS:
        return st.sampled_from(PERIODS)
    if op is Op.MATCHES:
        return patterns.filter(lambda text: text.strip())
    return {
        Kind.TEXT: texts,
        Kind.NAMES: texts,
        Kind.CODE: _CODES.get(field, texts),
        Kind.NUMBER: _NUMBERS.get(field, st.integers()),
        Kind.LENGTH: st.sampled_from([0, 179, 180, 181, 4000, 86_400]),
        Kind.DATE: dates,
        Kind.FLAG: st.booleans(),
    }[field.kind]


@st.composite
def some_condition(draw: st.DrawFn, *, asking_missing: bool = True) -> Condition:
    field = draw(st.sampled_from(list(Field)))
    op = draw(st.sampled_from([op for op in OPERATORS[field.kind] if asking_missing or op is not Op.MISSING]))
    value = values_of(field, op)
    least, most = {Op.MISSING: (0, 0), Op.BETWEEN: (2, 2), Op.IN: (1, 3)}.get(op, (1, 1))
    values = draw(st.lists(value, min_size=least, max_size=most))
    if op is Op.BETWEEN:
        values.sort(key=lambda one: days(one)[0] if isinstance(one, str) else one)  # type: ignore[arg-type, return-value]
    return condition(field, op, values)


def trees(leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Node]:
    groups = st.recursive(
        leaves,
        lambda members: st.builds(
            Group, st.sampled_from(list(Join)), st.lists(members, min_size=1, max_size=3).map(tuple)
        ),
        max_leaves=6,
    )
    return groups.filter(lambda tree: height(tree) <= MAX_DEPTH)


def height(node: Node) -> int:
    return 1 if isinstance(node, Condition) else 1 + max(map(height, node.members))


limits = st.builds(
    lambda count, by, seed: Limit(count, by, seed if by is By.RANDOM else 0),
    st.integers(1, 14),
    st.sampled_from(list(By)),
    st.integers(0, 999),
)
sorts = st.builds(Sort, st.sampled_from(SORTABLE), st.booleans())


def rules_over(tree: st.SearchStrategy[Node | None]) -> st.SearchStrategy[Rules]:
    return st.builds(
        Rules,
        where=tree,
        unknown=st.sampled_from(list(Unknown)),
        sort=st.none() | sorts,
        limit=st.none() | limits,
    )


some_rules = rules_over(st.none() | trees(some_condition()))


# The slow evaluator: row by row, one question at a time, from the description of the language.


def naive(node: Node | None, facts: Facts) -> bool | None:
    match node:
        case None:
            return True
        case Condition():
            return naive_condition(node, facts)
        case Group(join=Join.ALL):
            return both([naive(member, facts) for member in node.members])
        case Group(join=Join.ANY):
            return opposite(both([opposite(naive(member, facts)) for member in node.members]))
        case Group():
            return both([opposite(naive(member, facts)) for member in node.members])


def both(answers: list[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def opposite(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def naive_condition(one: Condition, facts: Facts) -> bool | None:
    track = facts.track
    match one.field:
        case Field.TITLE:
            return text(one, [track.title] if bare(track.title) else None)
        case Field.ARTIST:
            return text(one, list(track.artists) or None)
        case Field.ALBUM:
            return text(one, [track.album] if track.album else None)
        case Field.GENRE:
            return text(one, None if facts.genres is None else list(facts.genres))
        case Field.ADDED_BY:
            return text(one, list(facts.added_by) if facts.added_by else None)
        case Field.RELEASED:
            known = None if not track.release_date or track.release_date == "0000" else days(track.release_date)
            return dated(one, known)
        case Field.ADDED:
            day = facts.added_at.astimezone(ZONE).date() if facts.added_at else None
            return dated(one, None if day is None else (day, day))
        case Field.YEAR:
            year = int((track.release_date or "0")[:4])
            return number(one, year or None)
        case Field.DURATION:
            return number(one, None if track.duration is None else int(track.duration // 1))
        case Field.POSITION:
            return number(one, facts.position + 1)
        case Field.POPULARITY:
            return number(one, facts.popularity)
        case Field.EXPLICIT:
            return track.explicit is None if one.op is Op.MISSING else opposite_unless(track.explicit, one.values[0])
        case Field.COUNTRY:
            code = {"QZ": "US", "TC": None, "XX": None}.get(str(track.isrc)[:2], str(track.isrc)[:2])
            known_code = code if track.isrc else None
            return known_code is None if one.op is Op.MISSING else known_code and known_code in one.values  # type: ignore[return-value]
        case Field.SCRIPT:
            return script(one, track.title)
        case _:
            return language(one, facts)


def opposite_unless(flag: bool | None, wanted: object) -> bool | None:
    return None if flag is None else flag == wanted


def bare(value: str) -> str:
    """Lower case without accents, single spaces; for the titles and names of this file."""
    value = value.casefold().replace("…", " ")
    plain = "".join(c for c in unicodedata.normalize("NFKD", value) if not "\u0300" <= c <= "\u036f")
    return " ".join(unicodedata.normalize("NFC", plain).split())


def text(one: Condition, known: list[str] | None) -> bool | None:
    if one.op is Op.MISSING:
        return not known
    if known is None:
        return None
    wanted = [bare(str(value)) for value in one.values]
    for held in map(bare, known):
        if one.op is Op.MATCHES:
            if fnmatchcase(held, wanted[0].replace("[", "[[]")):
                return True
        elif one.op is Op.CONTAINS or one.field is Field.GENRE:
            if any(within(word, held) for word in wanted):
                return True
        elif held in wanted:
            return True
    return False


def within(word: str, held: str) -> bool:
    """Whether the words stand in it, and no letter of a script with gaps goes on at their ends."""
    places = [match.start() for match in re.finditer(f"(?={re.escape(word)})", held)] if word else []
    return any(
        not goes_on(held[at - 1 : at], word[0]) and not goes_on(held[at + len(word) :][:1], word[-1]) for at in places
    )


def goes_on(neighbour: str, edge: str) -> bool:
    return letter(neighbour) and letter(edge)


def letter(sign: str) -> bool:
    names = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR")
    return bool(re.fullmatch(r"[^\W_]", sign)) and not unicodedata.name(sign, "").startswith(names)


def days(value: str) -> tuple[date, date]:
    year, *rest = map(int, value.split("-"))
    first = date(year, *(*rest, 1, 1)[:2])
    last_month = first.month if rest else 12
    last_day = first.day if len(rest) == 2 else monthrange(year, last_month)[1]
    return first, date(year, last_month, last_day)


def dated(one: Condition, known: tuple[date, date] | None) -> bool | None:
    """By asking each single day that the date may mean."""
    if one.op is Op.MISSING:
        return known is None
    if known is None:
        return None
    answers = {on_day(one, known[0] + timedelta(days=n)) for n in range((known[1] - known[0]).days + 1)}
    return answers.pop() if len(answers) == 1 else None


def on_day(one: Condition, day: date) -> bool:
    today = NOW.astimezone(ZONE).date()
    if one.op is Op.LAST:
        return today - timedelta(days=int(one.values[0])) < day <= today
    if one.op is Op.THIS:
        key = {"day": "%F", "week": "%G-%V", "month": "%Y-%m", "year": "%Y"}[str(one.values[0])]
        return day.strftime(key) == today.strftime(key)
    first, last = days(str(one.values[0]))
    match one.op:
        case Op.IS:
            return first <= day <= last
        case Op.BETWEEN:
            return first <= day <= days(str(one.values[1]))[1]
        case Op.BELOW:
            return day < first
        case Op.ABOVE:
            return day > last
        case Op.AT_MOST:
            return day <= last
        case _:
            return day >= first


def number(one: Condition, known: int | None) -> bool | None:
    if one.op is Op.MISSING:
        return known is None
    if known is None:
        return None
    values = [int(value) for value in one.values]
    match one.op:
        case Op.IS | Op.IN:
            return known in values
        case Op.BETWEEN:
            return known in range(values[0], values[1] + 1)
        case Op.BELOW:
            return known < values[0]
        case Op.ABOVE:
            return known > values[0]
        case Op.AT_MOST:
            return not known > values[0]
        case _:
            return not known < values[0]


# What a person sees in the titles of this file; those without a letter tell nothing.
SCRIPTS_SEEN = {
    "夜に駆ける": {"japanese"}, "夜に駆ける (Live)": {"japanese", "latin"}, "紅蓮華": {"han"},
    "사랑 Love": {"korean", "latin"}, "Группа крови": {"cyrillic"}, "Ωμέγα": {"greek"}, "99": set(), "": set(),
}  # fmt: skip


def script(one: Condition, title: str) -> bool | None:
    seen = SCRIPTS_SEEN.get(title, {"latin"})
    if one.op is Op.MISSING or not seen:
        return not seen if one.op is Op.MISSING else None
    if seen & set(one.values):
        return True
    return None if seen == {"han"} and "japanese" in one.values else False


def language(one: Condition, facts: Facts) -> bool | None:
    seen = SCRIPTS_SEEN.get(facts.track.title, {"latin"})
    if one.op is Op.MISSING:
        return not facts.language and not seen
    if facts.language:
        return facts.language in one.values
    possible = languages(seen)
    if not possible:
        return None
    fitting = possible & set(one.values)
    return False if not fitting else True if possible <= set(one.values) else None


def languages(seen: set[str]) -> set[str]:
    """Among those that the tests ask for, and one more where there are others; empty: any."""
    for found, possible in (
        ("japanese", {"ja"}), ("korean", {"ko"}), ("greek", {"el"}), ("cyrillic", {"ru", "uk"}),
        ("han", {"zh", "ja", "ko", "other"}),
    ):  # fmt: skip
        if found in seen:
            return possible
    return set()
