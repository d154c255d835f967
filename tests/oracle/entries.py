"""From the store's records to entries: what counts, where, and under which source; tables of plain pandas."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb
import pandas as pd

from discovery.features import Measurement, Scope
from discovery.features.intent import read

DAY = 86_400
MONTH = 28 * DAY


@dataclass(frozen=True, eq=False)
class Activity:
    """Entries of a run (one per record and community) and, per community, its platform, coverage and instants.

    One is like no other, so that what is made of it can be cached by it.
    """

    entries: pd.DataFrame
    places: pd.DataFrame
    tiers: dict[str, frozenset[str]]
    """Tiers of intent by record id, for communities whose language the lexicon knows."""
    volume: dict[str, int]
    """Records of people and programs, repeats too, by community."""
    copies: dict[str, tuple[int, int]]
    """People's records that repeat their own, and all of people's records, by community."""
    programs: dict[str, tuple[int, int]]
    """Records of programs, and all records, by community."""

    @cached_property
    def groups(self) -> dict[Any, pd.DataFrame]:
        """Entries by community."""
        return dict(iter(self.entries.groupby("community", sort=True)))


def activity(connection: duckdb.DuckDBPyConnection, *, scope: Scope, measured: Measurement) -> Activity:
    """Read the store record by record. Coverage and language, which are no features, are taken from what was measured."""
    names = dict(connection.execute("SELECT source_id, name FROM sources").fetchall())
    records = connection.execute("SELECT * FROM records").df()
    records["author"] = pd.Series([None if pd.isna(author) else int(author) for author in records["author"]], dtype=object)
    wanted = [[source for source in dict.fromkeys(found) if names[source] in scope.sources] for found in records["source_ids"]]
    records["sources"] = wanted
    records = records[[bool(found) for found in wanted]].sort_values("record_id", ignore_index=True)
    shown = records.explode("sources")
    now = {source: scope.now.get(names[source], last) for source, last in shown.groupby("sources")["created_at"].max().items()}
    since = {source: 0 if scope.window_days is None else last - scope.window_days * DAY for source, last in now.items()}
    shown = shown[[since[s] <= t <= now[s] for s, t in zip(shown["sources"], shown["created_at"], strict=True)]]
    main = _main_sources(shown, names)
    members = records.assign(community=[list(dict.fromkeys(found)) for found in records["communities"]]).explode("community")
    members = members[members["community"].isin(main)]
    inside = [since[main[c]] <= t <= now[main[c]] for c, t in zip(members["community"], members["created_at"], strict=True)]
    seen = members[inside]
    bot = seen["bot"].fillna(False).astype(bool)
    by_people = _without_programs(seen[~bot], seen[bot])
    entries = _first_of_repeats(by_people)
    written = by_people["community"].value_counts()
    copies = {c: (n - (entries["community"] == c).sum(), n) for c, n in written.items()}
    programs = {c: (n - written.get(c, 0), n) for c, n in seen["community"].value_counts().items()}
    places = pd.DataFrame({"source": pd.Series(main), "now": {c: now[s] for c, s in main.items()}}).sort_index()
    places = places.join(measured.communities[["platform", "coverage", "language"]]).assign(
        members=measured.communities["members"].astype(float)
    )
    known = set(places.index[places["language"] == "en"])
    readable = entries[entries["community"].isin(known)].drop_duplicates("record_id")
    tiers = {row.record_id: frozenset(hit.tier for hit in read(words(row.title, row.text))) for row in readable.itertuples()}
    tiers = {record: found | {"T3"} if "SW" in found else found for record, found in tiers.items()}
    volume = seen["community"].value_counts().to_dict()
    return Activity(_plain(entries), places, tiers, volume, copies, programs)


def _without_programs(members: pd.DataFrame, programs: pd.DataFrame) -> pd.DataFrame:
    """Take the stored replies of programs off what platforms count under a post."""
    automatic = programs[programs["kind"] == "reply"].groupby(["community", "thread"]).size()
    theirs = [
        automatic.get((row.community, row.record_id), 0) if row.kind == "post" and pd.notna(row.replies) else 0
        for row in members.itertuples()
    ]
    return members.assign(replies=(members["replies"] - theirs).clip(lower=0))


def words(title: str, text: str) -> str:
    """Give what a record says."""
    return "\n".join(part for part in (title, text) if part)


def _main_sources(shown: pd.DataFrame, names: dict[int, str]) -> dict[str, int]:
    """Give each community the source that shows most of it, the first by name of equals."""
    counts = (
        shown.explode("communities").drop_duplicates(["record_id", "sources", "communities"]).groupby(["communities", "sources"]).size()
    )
    return {
        str(community): min(group.items(), key=lambda item: (-item[1], names[item[0][1]]))[0][1]
        for community, group in counts.groupby(level=0)
    }


def _first_of_repeats(members: pd.DataFrame) -> pd.DataFrame:
    """Leave out an author's later copies of a text of 20 characters and more; a reply repeats only inside its thread."""
    members = members.assign(hash=members["record_id"].map(hashed)).sort_values(["created_at", "hash"])
    thread = members["thread"].where(members["kind"] == "reply", "").fillna("")
    key = pd.DataFrame({"c": members["community"], "a": members["author"], "1": members["title"], "2": members["text"], "3": thread})
    counted = (members["title"].str.len() + members["text"].str.len() >= 20) & members["author"].notna()
    return members[~(counted & key.duplicated(keep="first"))]


def hashed(record: str) -> int:
    """Give the lower half of the MD5 of an id."""
    return int.from_bytes(hashlib.md5(record.encode(), usedforsecurity=False).digest()[8:], "little")


def _plain(entries: pd.DataFrame) -> pd.DataFrame:
    """Keep the columns features are made of, in the order of record ids."""
    entries = entries.sort_values(["community", "record_id"], ignore_index=True)
    return pd.DataFrame(
        {
            **{
                name: entries[name]
                for name in (
                    "community",
                    "record_id",
                    "author",
                    "thread",
                    "parent",
                    "replies",
                    "accepted",
                    "score",
                    "domain",
                    "title",
                    "text",
                )
            },
            "t": entries["created_at"].astype("int64"),
            "post": entries["kind"] == "post",
        }
    )
