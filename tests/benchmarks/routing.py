"""How long it takes to choose the tracks of ten children out of a base of 5,000 tracks.

``python -m tests.benchmarks.routing [--tracks N] [--rounds N]`` prints the median and the worst of all rounds in
milliseconds of processor time (other programs share the machine): with everything made anew, as in a run, and for a
base that is laid out already, which is the routing itself. It fails when the second median is not below 50 ms.
"""

import argparse
import random
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.engine.routing import Base, parse, route
from bot.engine.routing.scripts import scripts_of
from bot.model.music import Service, Track
from bot.model.rules import Facts

LIMIT_MS = 50.0
ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHILDREN = (
    "year 1990..1999",
    "duration < 3:00",
    "not explicit",
    "language is Japanese",
    "genre metal and not title contains live",
    "added this month",
    "everything limit 50 by newest",
    "country in (GB, IE) and year 1960..1969 sort by released",
    "added by in (ann, bo) and (added in last 30 days or popularity > 80) unknown include sort by artist",
    "genre in (house, disco, funk) and title matches *love* and duration 2:30..6:00 limit 100 by random(7)",
)
WORDS = "love night fire rain heart light river stone dance live gold ghost city".split()
FOREIGN = "Straße 夜に 夢 사랑 кровь été".split()  # in one title of five
GENRES = "rock,metal,heavy metal,pop,k-pop,house,disco,funk,jazz,hip hop,drum and bass,folk".split(",")


def made(tracks: int) -> list[Facts]:
    """A base of which one field in ten is unknown, with 3,000 artists and 1,500 albums."""
    chance = random.Random(1)

    def known(value: object) -> object:
        return value if chance.random() > 0.1 else None

    return [
        Facts(
            track=Track(
                service=Service.SPOTIFY,
                external_id=f"{number:022}",
                title=_title(chance, number),
                artists=(f"Artist {chance.randrange(3000)}",),
                album=f"Album {chance.randrange(1500)}",
                duration=known(chance.uniform(90, 420)),  # type: ignore[arg-type]
                isrc=known(f"{chance.choice(['GB', 'US', 'QZ', 'IE', 'JP'])}ABC{number:07}"),  # type: ignore[arg-type]
                explicit=known(chance.random() < 0.2),  # type: ignore[arg-type]
                release_date=known(
                    f"{chance.randint(1955, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
                ),  # type: ignore[arg-type]
            ),
            position=number,
            added_at=NOW - timedelta(minutes=chance.randrange(2_000_000)),
            added_by=(chance.choice(["ann", "bo", "cy"]),),
            genres=known(tuple(chance.sample(GENRES, k=chance.randint(0, 4)))),  # type: ignore[arg-type]
            popularity=known(chance.randint(0, 100)),  # type: ignore[arg-type]
        )
        for number in range(tracks)
    ]


def _title(chance: random.Random, number: int) -> str:
    words = chance.choices(WORDS, k=3)
    if chance.random() < 0.2:
        words[0] = chance.choice(FOREIGN)
    return f"{' '.join(words)} {number % 977}".title()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tracks", type=int, default=5_000)
    options.add_argument("--rounds", type=int, default=30)
    asked = options.parse_args()
    entries, children = made(asked.tracks), [parse(text) for text in CHILDREN]
    anew, again = [], []
    for _ in range(asked.rounds):
        scripts_of.cache_clear()
        start = time.process_time()
        base = Base(entries)
        found = [route(base, rules, now=NOW, zone=ZONE) for rules in children]
        middle = time.process_time()
        for rules in children:
            route(base, rules, now=NOW, zone=ZONE)
        end = time.process_time()
        anew.append((middle - start) * 1000)
        again.append((end - middle) * 1000)
    for text, routed in zip(CHILDREN, found, strict=True):
        print(f"{len(routed.chosen):6,} chosen {len(routed.undecided):6,} undecided   {text}")
    print(f"{asked.tracks:,} tracks x {len(children)} children, {asked.rounds} rounds, milliseconds of processor time")
    for name, times in (("anew", anew), ("laid out", again)):
        print(f"{name:9} median {statistics.median(times):6.1f}   worst {max(times):6.1f}")
    return 0 if statistics.median(again) < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
