"""What comes back: how soon, from whom, how often nothing, how often no solution.

In: the entries of a batch and the hits of intent. Out: the partials ``thread`` (one row per post that opens a thread) and
``pair``; from them, once ``now`` is known, ``thread_state`` and ``author_thread``, and the features about answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from discovery.features.declaration import Evidence, Interval, Ratio, Statistics, because, columns, feature
from discovery.features.estimation import author_share
from discovery.features.partials import Partial
from discovery.features.survival import median_waits

if TYPE_CHECKING:
    import duckdb

HOUR = 3_600
PATIENCE = 48 * HOUR
"""Age at which a post without a reply counts as unanswered."""
SETTLING = 7 * 24 * HOUR
"""Time in which a help thread can be solved."""
UNANSWERED = Ratio({"unanswered": 1}, "aged")
UNSOLVED = Ratio({"unsolved": 1}, "help")
QUESTIONS = Ratio({"questions": 1}, "posts")
NO_REPLIES = "replies: the source neither stores nor counts them"
NOT_STORED = "replies: the source does not store them"

_THREAD = """
WITH sought AS (SELECT DISTINCT c, key FROM partial.hit SEMI JOIN readable USING (c) WHERE tier = 'T1'),
opened AS (
    SELECT p.c, p.key, a, t, replies, accepted, asks OR sought.key IS NOT NULL AS help FROM entry p LEFT JOIN sought USING (c, key)
    WHERE post AND thread IS NOT NULL
), heard AS (SELECT c, thread, key, a, t, accepted, thanks FROM entry WHERE NOT post AND thread IS NOT NULL)
SELECT p.c, p.key, min(p.a) AS a, min(p.t) AS t, min(p.replies) AS replies,
    CASE WHEN bool_or(q.accepted) THEN true ELSE bool_or(p.accepted) END AS accepted, bool_or(help) AS help,
    count(q.key) AS stored,
    min(greatest(q.t, p.t)) FILTER (q.key IS NOT NULL AND (q.a IS NULL OR p.a IS NULL OR q.a <> p.a)) AS first_other,
    count(DISTINCT q.a) FILTER (p.a IS NULL OR q.a <> p.a) AS others,
    coalesce(bool_or(q.thanks AND q.a = p.a AND q.t <= p.t + $settling), false) AS thanked
FROM opened p LEFT JOIN heard q ON p.c = q.c AND p.key = q.thread GROUP BY p.c, p.key
"""

_PAIR = """
WITH directed AS (
    SELECT DISTINCT q.c, q.a AS giver, p.a AS taker FROM entry q JOIN entry p ON q.c = p.c AND q.parent = p.key WHERE q.a <> p.a
), pairs AS (SELECT c, least(giver, taker) AS one, greatest(giver, taker) AS other, count(*) AS directions FROM directed GROUP BY ALL),
ends AS (SELECT c, one AS a, directions FROM pairs UNION ALL SELECT c, other, directions FROM pairs),
person AS (SELECT c, count(*) AS contacts, count(*) FILTER (directions = 2) AS mutual FROM ends GROUP BY c, a),
pulls AS (
    SELECT c, sum(mutual * mutual)::BIGINT AS mutual_squares, sum(mutual * contacts)::BIGINT AS mutual_contacts,
        sum(contacts * contacts)::BIGINT AS contact_squares
    FROM person GROUP BY c
), counts AS (SELECT c, count(*) AS pairs, count(*) FILTER (directions = 2) AS mutual_pairs FROM pairs GROUP BY c)
SELECT c, pairs, mutual_pairs, mutual_squares, mutual_contacts, contact_squares FROM counts JOIN pulls USING (c)
"""

PARTIALS = (Partial("thread", _THREAD, {"settling": SETTLING}), Partial("pair", _PAIR))
"""Threads, one row per post that opens one, and how many pairs of people answer each other. They need ``partial.hit``."""

_STATE = """
CREATE OR REPLACE TEMP TABLE thread_state AS
SELECT c, row, key, a, t, help, stored, others, accepted,
    CASE WHEN stores_replies THEN greatest(stored, coalesce(replies, 0)) ELSE replies END AS answers,
    t <= now - $patience AND a IS NOT NULL AND (stores_replies OR replies IS NOT NULL) AS aged,
    CASE WHEN first_other IS NOT NULL THEN first_other - t > $patience ELSE coalesce(replies, 0) = 0 OR stored > 0 END AS unanswered,
    help AND t <= now - $settling AND a IS NOT NULL AND (stores_replies OR accepted IS NOT NULL) AS settled,
    coalesce(accepted, false) OR thanked AS solved,
    CASE WHEN stores_replies AND t <= now - $patience AND a IS NOT NULL AND (stored > 0 OR coalesce(replies, 0) = 0)
        THEN coalesce(first_other, now) - t END AS wait, first_other IS NOT NULL AS answered
FROM partial.thread JOIN span USING (c)
"""

_AUTHOR = """
CREATE OR REPLACE TEMP TABLE author_thread AS
SELECT c, a, count(*) FILTER (aged) AS aged, count(*) FILTER (aged AND unanswered) AS unanswered,
    count(*) FILTER (settled) AS help, count(*) FILTER (settled AND NOT solved) AS unsolved
FROM thread_state WHERE a IS NOT NULL GROUP BY c, a
"""

_COUNTS = """
SELECT row, count(answers) AS counted_threads, sum(answers)::BIGINT AS answer_sum,
    sum(answers::HUGEINT * answers)::DOUBLE AS answer_squares,
    sum(others)::BIGINT AS other_sum, sum(others * others)::BIGINT AS other_squares, count(*) FILTER (aged) AS aged_threads,
    count(*) FILTER (settled) AS help_threads, count(wait) AS waited_threads
FROM thread_state GROUP BY row ORDER BY row
"""


def thread_tables(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Build ``thread_state`` and ``author_thread``; return counts of threads and of reply pairs per row."""
    connection.execute(_STATE, {"patience": PATIENCE, "settling": SETTLING})
    connection.execute(_AUTHOR)
    counts = connection.execute(_COUNTS).df().set_index("row")
    pairs = connection.execute("SELECT * EXCLUDE (c) FROM partial.pair JOIN (SELECT c, row FROM span) USING (c) ORDER BY row").df()
    return counts.join(pairs.set_index("row"), how="outer")


def waits(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """List how long each aged post waited for another person: row, seconds, answered (else still waiting)."""
    return connection.execute(
        "SELECT row, wait AS seconds, answered FROM thread_state WHERE wait IS NOT NULL ORDER BY row, seconds, answered"
    ).df()


@feature(
    title="hours until another person replies",
    unit="hours",
    formula="Kaplan–Meier median of (first reply by another person − post), posts of at least 48 h, right-censored at the end of what the "
    "source shows; left out: posts of deleted authors, because removed posts look unanswered, and posts whose replies the platform counts "
    "but the source does not hold",
    source="CHAOSS time to first response; Brookmeyer & Crowley 1982 (interval)",
    block="behaviour",
    transform="log1p",
    needs=Evidence(threads=10),
    counted={"threads": "waited_threads"},
)
def reply_latency(statistics: Statistics) -> pd.DataFrame:
    """Median hours until another person replies."""
    facts, table = statistics.communities, statistics.waits
    seconds, answered = table["seconds"].to_numpy(dtype=float), table["answered"].to_numpy(dtype=bool)
    value, low, high = np.asarray(median_waits(table["row"].to_numpy(), seconds, answered, size=len(facts))) / HOUR
    low = np.where(np.isfinite(low), low, value)
    reason = because(~np.isfinite(value), "censored: fewer than half of the posts are ever answered")
    reason[~facts["stores_replies"].to_numpy(dtype=bool)] = NOT_STORED
    waited = facts["waited_threads"].to_numpy()
    coverage = facts["observed"].to_numpy() * waited / np.maximum(facts["threads"].to_numpy(), 1)
    return columns(Interval(value, np.minimum(low, value), np.maximum(high, value)), n=waited, coverage=coverage, reason=reason)


@feature(
    title="share of posts nobody answers in two days",
    unit="fraction, 0 to 1",
    formula="posts of at least 48 h without a reply by another person within 48 h / such posts; where replies are not stored: posts the "
    "platform counts no reply on (a counted reply that is not stored is taken as in time); posts of "
    "deleted authors left out, because removed posts look unanswered",
    source="CHAOSS time to first response; beta-binomial shrinkage",
    block="behaviour",
    transform="logit",
    needs=Evidence(threads=10),
    ratio=UNANSWERED,
    counted={"threads": "aged_threads"},
)
def unanswered_48h(statistics: Statistics) -> pd.DataFrame:
    """Share of posts that nobody else answers within 48 hours."""
    facts = statistics.communities
    coverage = facts["observed"].to_numpy() * facts["aged_threads"].to_numpy() / np.maximum(facts["threads"].to_numpy(), 1)
    return author_share(
        statistics, UNANSWERED, coverage=coverage, reason=because(~(facts["stores_replies"] | facts["counts_replies"]), NO_REPLIES)
    )


@feature(
    title="share of calls for help that end without a solution",
    unit="fraction, 0 to 1",
    formula="help threads (a request for a solution, or a post that asks, as question_share counts it) "
    "of at least 7 days whose asker neither thanks within"
    " 7 days nor accepts an answer / such threads",
    source="acknowledgement words; accepted answers where the platform marks them; beta-binomial shrinkage",
    block="behaviour",
    transform="logit",
    needs=Evidence(threads=10),
    ratio=UNSOLVED,
    counted={"threads": "help_threads"},
)
def unsolved_share(statistics: Statistics) -> pd.DataFrame:
    """Share of help threads without thanks or an accepted answer after seven days."""
    facts = statistics.communities
    reason = because(~(facts["stores_replies"] | (facts["marks"] > 0)), NOT_STORED)
    unread = ~facts["lexicon"].to_numpy(dtype=bool) & (facts["marks"].to_numpy() == 0)
    reason[unread] = facts["lexicon_reason"].to_numpy(dtype=object)[unread]
    return author_share(statistics, UNSOLVED, reason=reason)


@feature(
    title="share of posts that ask",
    unit="fraction, 0 to 1",
    formula="posts with a question mark in the title (in the text where there is no title) / posts, beta-binomial shrinkage",
    source="descriptive",
    block="language",
    transform="logit",
    needs=Evidence(records=20, authors=10),
    ratio=QUESTIONS,
    counted={"records": "worded_posts"},
)
def question_share(statistics: Statistics) -> pd.DataFrame:
    """Share of posts that hold a question."""
    return author_share(statistics, QUESTIONS)
