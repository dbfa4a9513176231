"""What holds for all rules: the router chooses what a plain filter would, and what is unknown decides nothing."""

from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bot.engine.routing import Base, Routed, RulesTextMistake, parse, route, write
from bot.engine.routing.grammar import FIELD_NAMES
from bot.model.rules import By, Facts, Limit, Node, Rules, Sort, Unknown, conditions
from bot.model.rules_json import RulesMistake, from_json, to_json
from tests.unit.routing_cases import (
    NOW,
    ZONE,
    bases,
    facts_of,
    naive,
    one_fact,
    some_condition,
    some_rules,
    sorts,
    trees,
)


def every_time_the_same(examples: int) -> settings:
    """Without chance in CI; look for new cases by hand, with more examples and ``derandomize=False``."""
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(deadline=None, max_examples=examples, derandomize=True, suppress_health_check=quiet)


def routed(entries: list[Facts], rules: Rules) -> Routed:
    return route(entries, rules, now=NOW, zone=ZONE)


@every_time_the_same(500)
@given(bases, trees(some_condition()), st.sampled_from(list(Unknown)))
def test_routed_content_is_what_a_plain_filter_chooses(entries: list[Facts], where: Node, unknown: Unknown) -> None:
    answers = [naive(where, one) for one in entries]
    found = routed(entries, Rules(where=where, unknown=unknown))
    wanted = (True, None) if unknown is Unknown.INCLUDE else (True,)
    assert list(found.chosen) == [one for one, answer in zip(entries, answers, strict=True) if answer in wanted]
    assert list(found.undecided) == [one for one, answer in zip(entries, answers, strict=True) if answer is None]


@every_time_the_same(250)
@given(st.lists(one_fact, min_size=1, max_size=6), trees(some_condition()))
def test_the_undecided_are_named_by_the_fields_that_are_unknown_of_them(
    rows: list[dict[str, object]], where: Node
) -> None:
    entries = [facts_of(n, **row) for n, row in enumerate(rows)]
    found = routed(entries, Rules(where=where))
    for field, named in found.unknown.items():
        own = [one for one in conditions(where) if one.field is field]
        expected = [entry for entry in found.undecided if any(naive(one, entry) is None for one in own)]
        assert list(named) == expected
    assert {id(one) for named in found.unknown.values() for one in named} == {id(one) for one in found.undecided}


# How each field is hidden, and what it may turn out to be; a language only where the title has not told it already.
FILLS: dict[str, st.SearchStrategy[object]] = {
    "album": st.sampled_from(["Queen", "Other"]),
    "duration": st.sampled_from([100.0, 180.0, 5000.0]),
    "isrc": st.sampled_from(["GBAYE6800011", "USRC17607839"]),
    "explicit": st.booleans(),
    "release_date": st.sampled_from(["1989", "1990-05", "2026-11-22"]),
    "artists": st.sampled_from([("Queen",), ("Beyoncé", "and")]),
}
OWN_FILLS: dict[str, st.SearchStrategy[object]] = {
    "added_at": st.just(NOW),
    "added_by": st.just(("ann",)),
    "genres": st.sampled_from([(), ("metal",), ("k-pop", "rock")]),
    "popularity": st.integers(0, 100),
}


@every_time_the_same(400)
@given(one_fact, trees(some_condition(asking_missing=False)), st.data())
def test_what_is_unknown_never_decides(row: dict[str, object], where: Node, data: st.DataObject) -> None:
    """What is chosen or refused for certain stays so, whatever the unknown turns out to be."""
    entry = facts_of(0, **row)
    before = routed([entry], Rules(where=where))
    track = {
        name: data.draw(values)
        for name, values in FILLS.items()
        if getattr(entry.track, name) in (None, ()) or (name == "release_date" and entry.track.release_date == "0000")
    }
    own = {name: data.draw(values) for name, values in OWN_FILLS.items() if getattr(entry, name) is None}
    filled = replace(entry, track=replace(entry.track, **track), **own)  # type: ignore[arg-type]
    if not before.undecided:
        after = routed([filled], Rules(where=where))
        assert len(after.chosen) == len(before.chosen)
        assert not after.undecided


@every_time_the_same(200)
@given(st.sampled_from(["1999", "1999-05", "2026"]), trees(some_condition(asking_missing=False)), st.data())
def test_half_a_date_decides_only_what_every_day_of_it_decides(known: str, where: Node, data: st.DataObject) -> None:
    month = known if len(known) == 7 else f"{known}-{data.draw(st.integers(1, 12)):02}"
    day = f"{month}-{data.draw(st.integers(1, 28)):02}"
    half, whole = (routed([facts_of(0, release_date=each)], Rules(where=where)) for each in (known, day))
    assert half.undecided or len(half.chosen) == len(whole.chosen)


@every_time_the_same(400)
@given(some_rules)
def test_rules_survive_text_and_json(rules: Rules) -> None:
    text = write(rules)
    assert parse(text) == rules, text
    assert write(parse(text)) == text
    assert from_json(to_json(rules)) == rules


@every_time_the_same(200)
@given(some_rules)
def test_case_and_spacing_of_a_text_are_free(rules: Rules) -> None:
    text = write(rules)
    assume('"' not in text)
    spaced = text.replace(" ", " \n\t ").replace("(", " ( ").replace(",", " , ").replace("random (", "random(")
    assert parse(spaced) == rules
    assert write(parse(text.swapcase())).casefold() == text.casefold()


@every_time_the_same(200)
@given(bases, some_rules)
def test_a_limit_keeps_the_order_and_takes_away_only(entries: list[Facts], rules: Rules) -> None:
    whole, cut = (routed(entries, replace(rules, limit=limit)) for limit in (None, rules.limit))
    assume(rules.limit is not None)
    assert rules.limit is not None
    assert len(cut.chosen) == min(rules.limit.count, len(whole.chosen))
    assert cut.beyond == len(whole.chosen) - len(cut.chosen)
    places = [whole.chosen.index(one) for one in cut.chosen]
    assert places == sorted(places)


@every_time_the_same(200)
@given(bases, sorts)
def test_sorting_moves_and_loses_nothing(entries: list[Facts], sort: Sort) -> None:
    found = routed(entries, Rules(sort=sort)).chosen
    assert sorted(one.position for one in found) == list(range(len(entries)))


@every_time_the_same(200)
@given(bases, st.integers(1, 8), st.integers(0, 5))
def test_limits_keep_those_they_name(entries: list[Facts], count: int, seed: int) -> None:
    def kept(by: By) -> list[Facts]:
        return list(routed(entries, Rules(limit=Limit(count, by, seed if by is By.RANDOM else 0))).chosen)

    lost = {by: [one for one in entries if one not in kept(by)] for by in By}
    for by, later in ((By.NEWEST, True), (By.OLDEST, False)):
        for one in kept(by):
            for other in lost[by]:
                if other.added_at is not None:
                    assert one.added_at is not None, "the unknown came before the known"
                    assert one.added_at >= other.added_at if later else one.added_at <= other.added_at
    for by, longer in ((By.LONGEST, True), (By.SHORTEST, False)):
        lengths = [
            [one.track.duration for one in each if one.track.duration is not None] for each in (kept(by), lost[by])
        ]
        if all(lengths):
            assert (
                int(min(lengths[0])) >= int(max(lengths[1])) if longer else int(max(lengths[0])) <= int(min(lengths[1]))
            )
    assert kept(By.ORDER) == entries[:count]


@every_time_the_same(200)
@given(bases, st.integers(1, 8), st.integers(0, 99), st.integers(0, 11))
def test_a_draw_stays_when_another_track_goes(entries: list[Facts], count: int, seed: int, gone: int) -> None:
    rules = Rules(limit=Limit(count, By.RANDOM, seed))
    before = routed(entries, rules).chosen
    left = [one for one in entries if one.position != gone]
    after = routed(left, rules).chosen
    assert set(map(id, before)) - set(map(id, after)) <= {id(one) for one in entries if one.position == gone}
    assert routed(list(reversed(entries)), rules).chosen == tuple(reversed(before))


@every_time_the_same(200)
@given(bases, st.lists(some_rules, max_size=4))
def test_children_of_one_base_do_not_see_each_other(entries: list[Facts], children: list[Rules]) -> None:
    base = Base(entries)
    for rules in children:
        assert route(base, rules, now=NOW, zone=ZONE) == routed(entries, rules)


WORDS = """and or not no in is ( ) , .. < >= != " \\ “ « ' all of any none everything limit by sort desc 1990 90s 3:00
30 days last this month today unknown include random missing between contains matches metal 夜 Japanese under *
2026-02-30 99999999999 ² ٣ \ud800 a\x00b"""
PIECES = st.sampled_from([*FIELD_NAMES, *WORDS.split(), "\u3000", "\n"])
almost_rules = st.lists(PIECES, max_size=14).map(" ".join)


def read(text: str) -> Rules | RulesTextMistake:
    """No other error comes through."""
    try:
        return parse(text)
    except RulesTextMistake as mistake:
        return mistake


@every_time_the_same(1200)
@given(st.text(max_size=60) | almost_rules | st.lists(PIECES, max_size=14).map("".join))
def test_any_text_is_rules_or_a_mistake_within_it(text: str) -> None:
    found = read(text)
    if isinstance(found, Rules):
        assert parse(write(found)) == found
        assert from_json(to_json(found)) == found
    else:
        assert 1 <= found.column <= len(text) + 1
        assert str(found).startswith(f"Column {found.column}: ")
        line, caret = found.pointer.split("\n")
        assert caret.strip() == "^"
        assert len(line) <= 60


@every_time_the_same(400)
@given(some_rules, st.data())
def test_a_text_cut_or_changed_anywhere_is_rules_or_a_mistake_within_it(rules: Rules, data: st.DataObject) -> None:
    text = write(rules)
    at = data.draw(st.integers(0, len(text)))
    broken = text[:at] + data.draw(PIECES | st.just("")) + text[at + data.draw(st.integers(0, 5)) :]
    found = read(broken)
    assert isinstance(found, Rules) or 1 <= found.column <= len(broken) + 1


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@every_time_the_same(500)
@given(some_rules, anything, st.data())
def test_any_json_is_rules_or_a_mistake_with_its_path(rules: Rules, other: object, data: st.DataObject) -> None:
    """One place of good JSON is replaced by something else."""
    found: object = to_json(rules)
    places: list[tuple[dict[object, object] | list[object], object]] = []

    def walk(inner: object) -> None:
        items = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        for key, value in items:
            places.append((inner, key))  # type: ignore[arg-type]
            walk(value)

    walk(found)
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = other  # type: ignore[index, call-overload]
    again: Rules | RulesMistake
    try:
        again = from_json(found)
    except RulesMistake as mistake:
        again = mistake
    if isinstance(again, Rules):
        assert from_json(to_json(again)) == again
    else:
        assert again.path.startswith(("v", "where", "unknown", "sort", "limit"))
        assert again.sentence in str(again)
