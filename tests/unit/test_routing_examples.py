"""The rules of docs/routing.md choose what they promise, and each mistake is pointed at."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.engine.routing import RulesTextMistake, parse, route, write
from bot.engine.routing.grammar import FIELD_NAMES
from bot.engine.routing.scripts import scripts_of
from bot.model.errors import UserMistake
from bot.model.music import PlaylistEntry, Service, Track
from bot.model.rules import By, Condition, Facts, Field, Group, Join, Limit, Op, Rules, Sort, Unknown, fields
from bot.model.rules_json import RulesMistake, from_json, to_json
from tests.unit.routing_cases import NOW, ZONE, facts_of

DOC = (Path(__file__).parents[2] / "docs" / "routing.md").read_text(encoding="utf-8")
TEN = dict(re.findall(r"^\| ([^|]+?) \| `([^`|]+)` \|$", DOC.partition("## Ten rules")[2].partition("\n## ")[0], re.M))

RECENT = NOW - timedelta(days=10)
BASE = [
    facts_of(0, title="Enter", genres=("thrash metal",), release_date="1991-08-12", duration=331.0, explicit=False),
    facts_of(1, title="Enter (Live)", genres=("metal",), release_date="1999", duration=179.5, explicit=True),
    facts_of(2, title="夜に駆ける", duration=261.0, explicit=False, added_at=RECENT, added_by=("ann",)),
    facts_of(3, title="Alive", genres=("metal", "rock"), release_date="2003", duration=180.0, added_at=NOW),
    facts_of(4, title="Waterloo", genres=(), release_date="1967-09", duration=193.0, isrc="GBAAA67", added_by=("cy",)),
    facts_of(5, title="Lola", release_date="1966", duration=None, isrc="GBAAA66", added_at=RECENT, added_by=("Bo",)),
    facts_of(6, title="Le Freak", genres=("disco",), release_date="1978", duration=150.9, isrc="QMAAA7800001"),
]  # fmt: skip
CHOSEN = {
    "90s": [0, 1],
    "under 3 minutes": [1, 6],
    "no explicit": [0, 2],
    "Japanese": [2],
    "metal but not live": [0, 3],
    "added this month": [2, 3, 5],
    "the fifty newest": [0, 1, 2, 3, 4, 5, 6],
    "British sixties, oldest first": [5, 4],
    "what Ann or Bo put in lately": [2, 5],
    "party mix, another draw with another number": [6],
}


def chosen(text: str, base: list[Facts] = BASE) -> list[int]:
    return [one.position for one in route(base, parse(text), now=NOW, zone=ZONE).chosen]


def mistake(text: str) -> RulesTextMistake:
    with pytest.raises(RulesTextMistake) as caught:
        parse(text)
    return caught.value


def test_the_page_has_the_ten_rules_that_are_tried_here() -> None:
    assert list(TEN) == list(CHOSEN)


@pytest.mark.parametrize("name", CHOSEN)
def test_each_rule_of_the_page_chooses_what_its_name_says(name: str) -> None:
    assert chosen(TEN[name]) == CHOSEN[name]
    rules = parse(TEN[name])
    assert parse(write(rules)) == rules == from_json(json.loads(json.dumps(to_json(rules))))


def test_the_page_names_every_field_and_its_json_is_its_text() -> None:
    for field in Field:
        assert f"`{field.label}`" in DOC
    text, example = (re.findall(rf"```{kind}\n(.*?)```", DOC, re.DOTALL)[0] for kind in ("", "json"))
    assert from_json(json.loads(example)) == parse(text)


@pytest.mark.parametrize(
    ("short", "written"),
    [
        ("90s", "year 1990..1999"),
        ("2010s", "year 2010..2019"),
        ("year 60s", "year 1960..1969"),
        ("under 3 minutes", "duration < 3:00"),
        ("longer than 1 h 2 min 3 s", "duration > 1:02:03"),
        ("no explicit", "not explicit"),
        ("Japanese", "language is ja"),
        ("CYRILLIC", "script is cyrillic"),
        ("genre metal but not title live", "genre is metal and not title contains live"),
        ("Added In The Last 2 Weeks", "added in last 14 days"),
        ("added today", "added today"),
        ("limit 50 by newest", "everything limit 50 by newest"),
        ("everything limit 9 by duration desc", "everything limit 9 by longest"),
        ("year>=1990 sort by year desc", "year >= 1990 sort by year desc"),
        ("unknown include 90s", None),
        ("artist is Miles Davis", 'artist is "Miles Davis"'),
        ("artist “Earth, Wind & Fire”", 'artist is "Earth, Wind & Fire"'),
        ("language is not Korean", "not language is ko"),
        ("genre is missing or genre is unknown", "genre missing or genre missing"),
        ("released between 1999 and 2003-05", "released 1999..2003-05"),
        ("released in 1999", "released is 1999"),
        ("added since 2026-11-01", "added since 2026-11-01"),
        ("(explicit or 90s) and (explicit)", "(explicit or year 1990..1999) and explicit"),
        ("none of (explicit, 90s)", "none of (explicit, year 1990..1999)"),
        ("popularity != 50", "not popularity 50"),
        ("explicit is no", "explicit is no"),
    ],
)
def test_natural_spellings_have_one_written_form(short: str, written: str | None) -> None:
    if written is None:
        assert mistake(short).column == 17
    else:
        assert write(parse(short)) == written


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "a rule is wanted"),
        ("metal", 1, "write `genre metal`"),
        ("gnre metal", 1, "did you mean `genre`?"),
        ("year", 5, "wants an operator"),
        ("year abc", 6, "a whole number"),
        ("year 1990 genre metal", 11, "`and` or `or` is wanted"),
        ("year 1990 and", 14, "missing at the end: a condition"),
        ("(year 1990", 11, "missing at the end: `)`"),
        ("year 1990)", 10, "`)` does not fit here"),
        ("year 1999..1990", 12, "must not be after"),
        ("artist < 5", 8, "`artist` does not know this operator; it knows is, in, contains"),
        ("title contains \"x", 16, "never closed"),
        ("duration < 3", 12, "a length is written"),
        ("released before 1999-02-30", 17, "not in the calendar"),
        ("language is Klingon", 13, "a language is"),
        ("script in (latin, elvish)", 19, "the scripts are"),
        ("country is Britain", 12, "two letters"),
        ("added in last 30", 15, "days or weeks"),
        ("added this decade", 12, "one of day, week"),
        ("everything limit 0", 18, "from 1 to 10000"),
        ("everything limit 5 by luck", 23, "newest"),
        ("everything limit 5 by newest(3)", 30, "its seed"),
        ("everything sort by genre", 20, "sorted by title"),
        ("everything limit 5 limit 6", 20, "stands twice"),
        ("everything unknown maybe", 20, "`exclude` or `include`"),
        ("explicit is maybe", 13, "yes or no"),
        ("not " * 8 + "explicit", 1, "8 deep"),
        (" or ".join(["explicit"] * 100), 12 * 99 + 1, "at most 100 conditions"),
        ("x" * 20_001, 20_001, "at most 20000 signs"),
    ],
)  # fmt: skip
def test_each_mistake_is_pointed_at_and_says_what_is_wanted(text: str, column: int, words: str) -> None:
    found = mistake(text)
    assert (found.column, words in str(found)) == (column, True), str(found)
    assert isinstance(found, UserMistake)


def test_the_caret_stands_under_the_place_also_behind_wide_signs() -> None:
    assert mistake("title 夜 and foo bar").pointer == "title 夜 and foo bar\n" + " " * 13 + "^"
    far = mistake(" or ".join(["explicit"] * 50) + " or metal").pointer.split("\n")
    assert far[0][len(far[1]) - 1 :] == "metal"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"v": 2}, "v"),
        ({"v": True}, "v"),
        ({"extra": 1}, ""),
        ({"where": []}, "where"),
        ({"where": {"all": []}}, "where.all"),
        ({"where": {"all": [{"any": [{"field": "year", "op": "is", "value": "1999"}]}]}}, "where.all[0].any[0].value"),
        ({"where": {"field": "mood", "op": "is", "value": "x"}}, "where.field"),
        ({"where": {"field": "year", "op": "contains", "value": 1}}, "where.op"),
        ({"where": {"field": "year", "op": "in", "value": [1999, True]}}, "where.value[1]"),
        ({"where": {"field": "year", "op": "between", "value": 1999}}, "where.value"),
        ({"where": {"field": "genre", "op": "missing", "value": None}}, "where.op"),
        ({"where": {"all": [], "any": []}}, "where"),
        ({"unknown": "perhaps"}, "unknown"),
        ({"limit": {"count": 0}}, "limit.count"),
        ({"limit": {"count": 5, "seed": 1}}, "limit.seed"),
        ({"sort": {"field": "genre"}}, "sort.field"),
        ({"sort": {"field": "year", "descending": 1}}, "sort.descending"),
    ],
)
def test_each_fault_of_json_has_its_path(change: dict[str, object], path: str) -> None:
    with pytest.raises(RulesMistake) as caught:
        from_json({"v": 1, "where": None, **change})
    assert caught.value.path == path


def test_json_is_bounded_in_depth_size_and_signs() -> None:
    deep: dict[str, object] = {"field": "explicit", "op": "is", "value": True}
    for _ in range(7):
        deep = {"none": [deep]}
    from_json({"v": 1, "where": deep})
    with pytest.raises(RulesMistake, match="8 deep"):
        from_json({"v": 1, "where": {"none": [deep]}})
    many = {"field": "title", "op": "in", "value": ["x" * 100] * 41}
    with pytest.raises(RulesMistake, match="4000 signs"):
        from_json({"v": 1, "where": many})
    with pytest.raises(RulesMistake, match="1 to 50"):
        from_json({"v": 1, "where": {**many, "value": ["x"] * 51}})


def test_the_largest_rule_that_the_bounds_allow_has_a_text_that_can_be_read() -> None:
    values = tuple('"' * 99 + str(n) for n in range(10))
    wide = tuple(Condition(Field.ADDED_BY, Op.IN, values) for _ in range(4))
    rules = Rules(where=Group(Join.ALL, wide), unknown=Unknown.INCLUDE)
    assert from_json(to_json(rules)) == parse(write(rules)) == rules


def test_no_pattern_runs_away() -> None:
    base = [facts_of(0, title="a" * 5000)]
    assert chosen("title matches " + "*a" * 10 + "b", base) == []
    assert chosen("title matches *" + "a?" * 40 + "*", base) == [0]


@pytest.mark.parametrize(
    ("title", "scripts"),
    [
        ("Hello", {"latin"}), ("夜に駆ける", {"japanese"}), ("ｱｲ (Live)", {"japanese", "latin"}), ("紅蓮華", {"han"}),
        ("愛 Love", {"han", "latin"}), ("사랑", {"korean"}), ("Кино", {"cyrillic"}), ("حبيبي", {"arabic"}),
        ("שלום", {"hebrew"}), ("รัก", {"thai"}), ("प्यार", {"devanagari"}), ("Δ Airlines", {"latin"}), ("Σ", {"greek"}),
        (r"¯\_(ツ)_/¯ shrug", {"latin"}), ("１２ ＡＢ", {"latin"}), ("123 !", set()), ("", set()),
    ],
)  # fmt: skip
def test_the_scripts_of_a_title(title: str, scripts: set[str]) -> None:
    assert scripts_of(title) == scripts


@pytest.mark.parametrize(
    ("title", "rule", "answer"),
    [
        ("Группа крови", "language is ja", False),
        ("Группа крови", "language is ru", None),
        ("Yoru ni Kakeru", "language is ja", None),
        ("紅蓮華", "language is ja", None),
        ("紅蓮華", "script is japanese", None),
        ("紅蓮華", "language is en", False),
        ("夜に駆ける (Live)", "language is ja", True),
        ("夜に駆ける", "language is zh", False),
        ("99", "script is latin", None),
    ],
)
def test_letters_tell_a_language_or_nothing(title: str, rule: str, answer: bool | None) -> None:
    found = route([facts_of(0, title=title)], parse(rule), now=NOW, zone=ZONE)
    assert (True if found.chosen else None if found.undecided else False) is answer


@pytest.mark.parametrize(
    ("told", "rule", "answer"),
    [
        ("1999", "released until 1999-05", None),
        ("1999", "released after 1999-05", None),
        ("1999-05", "released is 1999-05-31", None),
        ("1999", "released until 1999", True),
        ("1999-12", "released before 2000", True),
        ("2024-02", "released 2024-02-01..2024-02-29", True),
        ("1999", "released since 2000", False),
        ("0000", "released since 2000", None),
        ("0000", "year > 1000", None),
    ],
)
def test_half_a_date_tells_what_all_its_days_tell(told: str, rule: str, answer: bool | None) -> None:
    found = route([facts_of(0, release_date=told)], parse(rule), now=NOW, zone=ZONE)
    assert (True if found.chosen else None if found.undecided else False) is answer


def test_the_language_that_a_source_knows_outranks_the_letters() -> None:
    assert chosen("language is ja", [facts_of(0, title="Yoru ni Kakeru", language="ja")]) == [0]


def test_unknown_tracks_are_counted_and_follow_the_choice() -> None:
    found = route(BASE, parse("genre metal and year 1990..2009"), now=NOW, zone=ZONE)
    assert [one.position for one in found.undecided] == [2]
    assert {field: [one.position for one in named] for field, named in found.unknown.items()} == {
        Field.GENRE: [2],
        Field.YEAR: [2],
    }
    assert chosen("genre metal and year 1990..2009 unknown include") == [0, 1, 2, 3]
    assert chosen("not genre metal") == [4, 6], "of an unknown genre the opposite is unknown too"


def test_days_are_those_of_the_guild() -> None:
    late = [facts_of(0, added_at=datetime(2026, 10, 31, 15, tzinfo=UTC))]  # in Tokyo it is November
    rules = parse("added this month")
    assert [len(route(late, rules, now=NOW, zone=zone).chosen) for zone in (ZONE, ZoneInfo("UTC"))] == [1, 0]


def test_sort_and_limit_work_together() -> None:
    assert chosen("everything sort by released desc limit 3") == [3, 1, 0]
    assert chosen("everything sort by title limit 3 by longest") == [0, 4, 2]
    assert chosen("everything limit 2 by newest") == [3, 5], "of the same moment the later place is newer"
    assert route(BASE, parse("everything limit 2"), now=NOW, zone=ZONE).beyond == 5


def test_rules_say_which_fields_they_need() -> None:
    assert fields(parse("genre metal and not explicit sort by year limit 5 by newest")) == {
        Field.GENRE, Field.EXPLICIT, Field.YEAR, Field.ADDED,
    }  # fmt: skip
    assert fields(Rules(sort=Sort(Field.TITLE), limit=Limit(1, By.LONGEST))) == {Field.TITLE, Field.DURATION}


def test_facts_take_over_what_an_entry_tells() -> None:
    track = Track(service=Service.SPOTIFY, external_id="t", title="x")
    facts = Facts.of(PlaylistEntry(position=3, track=track, added_at=NOW, added_by="ann"), genres=["rock"])
    assert (facts.position, facts.added_at, facts.added_by, facts.genres) == (3, NOW, ("ann",), ("rock",))
    assert Facts.of(PlaylistEntry(position=0, track=track)).added_by is None


def test_every_name_of_a_field_is_read() -> None:
    for name, field in FIELD_NAMES.items():
        where = parse(f"{name.upper()} missing").where
        assert where == Condition(field, Op.MISSING)
