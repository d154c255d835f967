"""From archetypes to ranked opportunities: components, score, uncertainty, verdicts, and the report."""
