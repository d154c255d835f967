-- The public SQL. Columns may be added at the end of a view, never renamed, moved or removed.
-- The views named `…_rankings` hold every run that still has its rows; everything else but `archetype_history`, `runs`,
-- `source_runs` and `quarantine` shows the published run only. Times are seconds since 1970-01-01 UTC.

CREATE VIEW published_run AS
SELECT run.* FROM run JOIN publication ON publication.run_id = run.run_id;

CREATE VIEW archetype_rankings AS
SELECT
    score.rank, archetype.archetype_id, archetype.name, archetype.summary, score.verdict,
    score.score, score.score_low, score.score_high, score.rank_low, score.rank_high, score.p_top5,
    archetype.communities, archetype.active_authors, run.structure, archetype.stability, score.coverage,
    run.score_status, run.run_id, run.published_at,
    score.verdict_reason, archetype.counter_argument, archetype.would_change, archetype.event, archetype.label_source
FROM score
JOIN archetype ON archetype.run_id = score.run_id AND archetype.archetype_id = score.entity_id
JOIN run ON run.run_id = score.run_id
WHERE score.entity = 'archetype'
ORDER BY run.sequence, score.rank;

CREATE VIEW ranked_archetypes AS
SELECT * FROM archetype_rankings WHERE run_id = (SELECT run_id FROM publication) ORDER BY rank;

CREATE VIEW niche_rankings AS
SELECT
    score.rank, niche.niche_id, niche.archetype_id, niche.name, niche.summary, score.verdict,
    score.score, score.score_low, score.score_high, score.rank_low, score.rank_high,
    niche.communities, niche.active_authors, niche.top_need, run.run_id, run.published_at,
    score.p_top5, niche.stability, score.coverage, run.score_status,
    score.verdict_reason, niche.counter_argument, niche.would_change, niche.event, niche.label_source
FROM score
JOIN niche ON niche.run_id = score.run_id AND niche.niche_id = score.entity_id
JOIN run ON run.run_id = score.run_id
WHERE score.entity = 'niche'
ORDER BY run.sequence, score.rank;

CREATE VIEW ranked_niches AS
SELECT * FROM niche_rankings WHERE run_id = (SELECT run_id FROM publication) ORDER BY rank;

CREATE VIEW community_rankings AS
SELECT
    score.rank, community.community_id, community.name, community.source, community.url, score.verdict,
    score.score, score.score_low, score.score_high, score.rank_low, score.rank_high, score.p_top5,
    community.archetype_id, community.niche_id, community.records, community.authors, score.coverage,
    run.score_status, run.run_id, run.published_at, score.verdict_reason
FROM score
JOIN community ON community.run_id = score.run_id AND community.community_id = score.entity_id
JOIN run ON run.run_id = score.run_id
WHERE score.entity = 'community'
ORDER BY run.sequence, score.rank;

CREATE VIEW ranked_communities AS
SELECT * FROM community_rankings WHERE run_id = (SELECT run_id FROM publication) ORDER BY rank;

CREATE VIEW archetype_communities AS
SELECT
    archetype_id, niche_id, community_id, source, name, url, distance, confidence, is_exemplar, duplicate_of
FROM community
WHERE run_id = (SELECT run_id FROM publication) AND (archetype_id IS NOT NULL OR niche_id IS NOT NULL)
ORDER BY archetype_id, niche_id, community_id;

CREATE VIEW archetype_features AS
SELECT
    profile.archetype_id, profile.feature, profile.value, profile.low, profile.high, profile.unit, profile.z, feature.title
FROM archetype_feature AS profile
LEFT JOIN feature ON feature.run_id = profile.run_id AND feature.feature = profile.feature
WHERE profile.run_id = (SELECT run_id FROM publication)
ORDER BY profile.archetype_id, profile.feature;

CREATE VIEW community_features AS
SELECT
    measured.community_id, measured.feature, measured.value, measured.low, measured.high, measured.n, measured.coverage,
    measured.missing_reason, feature.unit, feature.title
FROM community_feature AS measured
LEFT JOIN feature ON feature.run_id = measured.run_id AND feature.feature = measured.feature
WHERE measured.run_id = (SELECT run_id FROM publication)
ORDER BY measured.community_id, measured.feature;

CREATE VIEW features AS
SELECT feature, title, unit, formula, origin, block, clustered
FROM feature
WHERE run_id = (SELECT run_id FROM publication)
ORDER BY feature;

CREATE VIEW score_components AS
SELECT
    entity_id AS archetype_id, component, value, percentile, weight, contribution
FROM score_component
WHERE run_id = (SELECT run_id FROM publication) AND entity = 'archetype'
ORDER BY archetype_id, component;

CREATE VIEW niche_components AS
SELECT
    entity_id AS niche_id, component, value, percentile, weight, contribution
FROM score_component
WHERE run_id = (SELECT run_id FROM publication) AND entity = 'niche'
ORDER BY niche_id, component;

CREATE VIEW community_components AS
SELECT
    entity_id AS community_id, component, value, percentile, weight, contribution
FROM score_component
WHERE run_id = (SELECT run_id FROM publication) AND entity = 'community'
ORDER BY community_id, component;

CREATE VIEW score_ingredients AS
SELECT
    entity, entity_id, component, ingredient, value, percentile, weight, missing_reason
FROM score_ingredient
WHERE run_id = (SELECT run_id FROM publication)
ORDER BY entity, entity_id, component, ingredient;

CREATE VIEW archetype_evidence AS
SELECT
    entity_id AS archetype_id, record_id, community_id, url, tier, quote, sha256, licence
FROM evidence
WHERE run_id = (SELECT run_id FROM publication) AND entity = 'archetype'
ORDER BY archetype_id, tier, record_id;

CREATE VIEW niche_evidence AS
SELECT
    entity_id AS niche_id, record_id, community_id, url, tier, quote, sha256, licence
FROM evidence
WHERE run_id = (SELECT run_id FROM publication) AND entity = 'niche'
ORDER BY niche_id, tier, record_id;

CREATE VIEW needs AS
SELECT entity, entity_id, need, authors, communities
FROM need
WHERE run_id = (SELECT run_id FROM publication)
ORDER BY entity, entity_id, authors DESC, need;

CREATE VIEW terms AS
SELECT entity, entity_id, term, z, authors
FROM term
WHERE run_id = (SELECT run_id FROM publication)
ORDER BY entity, entity_id, z DESC, term;

CREATE VIEW criteria AS
SELECT criterion, k, value, error
FROM criterion
WHERE run_id = (SELECT run_id FROM publication)
ORDER BY criterion, k;

CREATE VIEW votes AS
SELECT criterion, k
FROM criterion_vote
WHERE run_id = (SELECT run_id FROM publication)
ORDER BY criterion;

CREATE VIEW clusters AS
SELECT cluster, communities, stability, standing, archetype_id
FROM cluster
WHERE run_id = (SELECT run_id FROM publication)
ORDER BY cluster;

CREATE VIEW archetype_hierarchy AS
SELECT
    step, first_id, second_id, height, communities,
    height * height / nullif(sum(height * height) OVER (), 0.0) AS share
FROM archetype_merge
WHERE run_id = (SELECT run_id FROM publication)
ORDER BY step;

CREATE VIEW archetype_history AS
SELECT
    archetype.archetype_id, archetype.run_id, run.finished_at, score.rank, score.score, archetype.event,
    archetype.name, score.verdict, run.sequence
FROM archetype
JOIN run ON run.run_id = archetype.run_id
JOIN score ON score.run_id = archetype.run_id AND score.entity = 'archetype' AND score.entity_id = archetype.archetype_id
WHERE run.published_at IS NOT NULL
ORDER BY archetype.archetype_id, run.sequence;

CREATE VIEW communities AS
SELECT
    community_id, source, name, url, description, members, records, authors, first_at, last_at, language, policy,
    coverage, archetype_id, niche_id, is_outlier, nearest_archetype_id, duplicate_of
FROM community
WHERE run_id = (SELECT run_id FROM publication)
ORDER BY community_id;

CREATE VIEW runs AS
SELECT
    run_id, sequence, status, started_at, finished_at, published_at, version, seed, config_sha256,
    structure, n_clusters, confidence, records, authors, communities, platform_association, panel_version,
    score_status, invented, reason, notes, detail,
    run_id IS (SELECT run_id FROM publication) AS is_published,
    background_version, embedding_model, embedding_version, map_method
FROM run
ORDER BY sequence;

CREATE VIEW source_runs AS
SELECT
    source_run.run_id, source, kind, source_run.started_at, source_run.finished_at, source_run.status, fetched, stored, unchanged,
    quarantined, refused, requests, coverage, source_run.reason
FROM source_run
JOIN run ON run.run_id = source_run.run_id
ORDER BY run.sequence, source;

CREATE VIEW quarantine AS
SELECT run_id, source, position, reason, sha256
FROM quarantined_item
ORDER BY id;
