"""The SQL of the report, all of it over the published run. Every query is a constant; values are bound."""

from __future__ import annotations

from typing import Literal

Kind = Literal["archetype", "niche", "community"]
KINDS: tuple[Kind, ...] = ("niche", "archetype", "community")
"""What a decision is best made about first."""

RANKED: dict[Kind, str] = {
    "archetype": "SELECT archetype_id AS id, NULL AS parent, * FROM ranked_archetypes WHERE rank <= ? ORDER BY rank",
    "niche": """
SELECT n.niche_id AS id, a.name AS parent, n.*
FROM ranked_niches AS n LEFT JOIN ranked_archetypes AS a USING (archetype_id)
WHERE n.rank <= ? ORDER BY n.rank
""",
    "community": """
SELECT c.community_id AS id, coalesce(n.name, a.name) AS parent, 1 AS communities, c.authors AS active_authors, NULL AS stability,
    '' AS summary, '' AS counter_argument, '' AS would_change, c.*
FROM ranked_communities AS c
LEFT JOIN ranked_archetypes AS a USING (archetype_id)
LEFT JOIN ranked_niches AS n USING (niche_id)
WHERE c.rank <= ? ORDER BY c.rank
""",
}
_MEMBERS = "SELECT community_id, name, url, source, authors, records FROM community WHERE run_id = (SELECT run_id FROM publication) AND "
_MOST_TYPICAL = " ORDER BY is_exemplar DESC, distance IS NULL, distance, authors DESC, community_id LIMIT 3"
EXEMPLARS: dict[Kind, str] = {
    "archetype": _MEMBERS + "archetype_id = ?" + _MOST_TYPICAL,
    "niche": """
WITH own AS (SELECT entity_id, term FROM term WHERE run_id = (SELECT run_id FROM publication) AND entity = 'community'),
shared AS (
    SELECT own.entity_id, sum(t.z) AS alike FROM own
    JOIN term AS t ON t.run_id = (SELECT run_id FROM publication) AND t.entity = 'niche' AND t.entity_id = ?1 AND t.term = own.term
    GROUP BY own.entity_id
)
SELECT c.community_id, c.name, c.url, c.source, c.authors, c.records
FROM community AS c LEFT JOIN shared ON shared.entity_id = c.community_id
WHERE c.run_id = (SELECT run_id FROM publication) AND c.niche_id = ?1
ORDER BY coalesce(alike, 0) DESC, authors DESC, community_id LIMIT 3
""",
    "community": _MEMBERS + "community_id = ?" + _MOST_TYPICAL,
}
"""For an archetype those that behave like it, for a niche those that say most of its words."""
NEEDS = "SELECT need, authors, communities FROM needs WHERE entity = ? AND entity_id = ? ORDER BY authors DESC, need LIMIT 3"
TERMS = "SELECT term FROM terms WHERE entity = ? AND entity_id = ? ORDER BY z DESC, term LIMIT 8"
EVIDENCE = """
SELECT e.record_id, e.community_id, e.url, e.tier, e.quote, e.licence, c.name AS community
FROM evidence AS e LEFT JOIN community AS c USING (run_id, community_id)
WHERE e.run_id = (SELECT run_id FROM publication) AND e.entity = ? AND e.entity_id = ?
ORDER BY e.tier, e.record_id
"""
PARTS = """
SELECT component, percentile, contribution FROM score_component
WHERE run_id = (SELECT run_id FROM publication) AND entity = ? AND entity_id = ?
ORDER BY contribution, component
"""
PROFILE = """
SELECT coalesce(title, feature) AS title, value, low, high, unit, z FROM archetype_features
WHERE archetype_id = ? ORDER BY abs(z) DESC, feature LIMIT 5
"""
VERDICTS = "SELECT verdict, count(*) AS n FROM score WHERE run_id = (SELECT run_id FROM publication) AND entity = ? GROUP BY verdict"
RUN = "SELECT * FROM published_run"
TOTALS = """
SELECT max(last_at) AS through, min(first_at) AS since, coalesce(sum(policy LIKE 'sensitive%'), 0) AS sensitive,
    coalesce(sum(is_outlier), 0) AS outliers, count(DISTINCT substr(community_id, 1, instr(community_id, ':'))) AS platforms,
    coalesce(sum(coverage = 'listing'), 0) AS listed, max(CASE WHEN coverage = 'listing' THEN records END) AS longest_listing,
    coalesce(sum(niche_id IS NULL), 0) AS in_no_niche
FROM community WHERE run_id = (SELECT run_id FROM publication)
"""
SENSITIVE = """
SELECT replace(policy, 'sensitive: ', '') AS subject, count(*) AS n FROM community
WHERE run_id = (SELECT run_id FROM publication) AND policy LIKE 'sensitive%' GROUP BY policy ORDER BY n DESC, policy
"""
LICENCES = """
SELECT DISTINCT c.source, e.licence FROM evidence AS e JOIN community AS c USING (run_id, community_id)
WHERE e.run_id = (SELECT run_id FROM publication) AND e.quote <> '' AND e.licence <> '' ORDER BY c.source, e.licence
"""
SOURCES = """
WITH shown AS (
    SELECT source, count(*) AS communities, sum(coverage = 'listing') AS listed,
        max(CASE WHEN coverage = 'listing' THEN records END) AS longest_listing
    FROM community WHERE run_id = (SELECT run_id FROM publication) GROUP BY source
)
SELECT r.*, coalesce(s.communities, 0) AS communities, coalesce(s.listed, 0) AS listed, s.longest_listing
FROM source_runs AS r LEFT JOIN shown AS s USING (source) WHERE r.run_id = (SELECT run_id FROM publication) ORDER BY r.source
"""
SET_ASIDE = """
SELECT reason, count(*) AS n FROM quarantine WHERE run_id = (SELECT run_id FROM publication)
GROUP BY reason ORDER BY n DESC, reason LIMIT 5
"""
FEATURE_COVERAGE = """
WITH counted AS (
    SELECT feature, missing_reason, count(*) AS n FROM community_feature
    WHERE run_id = (SELECT run_id FROM publication) GROUP BY feature, missing_reason
)
SELECT
    c.feature, coalesce(f.title, c.feature) AS title, coalesce(sum(c.n) FILTER (WHERE c.missing_reason IS NULL), 0) AS measured,
    sum(c.n) AS communities,
    (SELECT m.missing_reason FROM counted AS m WHERE m.feature = c.feature AND m.missing_reason IS NOT NULL
     ORDER BY m.n DESC, m.missing_reason LIMIT 1) AS reason
FROM counted AS c LEFT JOIN features AS f USING (feature)
GROUP BY c.feature ORDER BY measured, c.feature
"""
UNSEEN = """
SELECT f.feature FROM community_feature AS f JOIN community AS c USING (run_id, community_id)
WHERE f.run_id = (SELECT run_id FROM publication) AND c.coverage = 'listing' GROUP BY f.feature HAVING count(f.value) = 0 ORDER BY f.feature
"""
"""What no community that is seen through a listing has a value for."""
CRITERIA = "SELECT criterion, k, value, error FROM criteria ORDER BY criterion, k"
VOTES = "SELECT criterion, k FROM votes ORDER BY criterion"
CLUSTERS = """
SELECT c.communities, c.stability, c.standing, r.rank, r.name
FROM clusters AS c LEFT JOIN ranked_archetypes AS r USING (archetype_id) ORDER BY r.rank IS NULL, r.rank, c.cluster
"""
MERGES = "SELECT step, first_id, second_id, height, share FROM archetype_hierarchy ORDER BY step"
NAMED = "SELECT archetype_id, rank, name FROM ranked_archetypes"
PROFILES = """
SELECT r.rank, r.name, f.feature, coalesce(f.title, f.feature) AS title, f.z
FROM archetype_features AS f JOIN ranked_archetypes AS r USING (archetype_id)
WHERE r.rank <= 10 ORDER BY r.rank, f.feature
"""
PLACES = """
SELECT c.x, c.y, r.rank, r.name
FROM community AS c LEFT JOIN ranked_archetypes AS r USING (archetype_id)
WHERE c.run_id = (SELECT run_id FROM publication) AND c.x IS NOT NULL AND c.y IS NOT NULL
ORDER BY c.community_id
"""
OUTLIERS = """
SELECT c.name, c.url, r.rank AS nearest_rank, r.name AS nearest
FROM communities AS c LEFT JOIN ranked_archetypes AS r ON r.archetype_id = c.nearest_archetype_id
WHERE c.is_outlier = 1 ORDER BY c.community_id LIMIT 10
"""
