"""The lowest floor: the values that cross borders, the activity store (DuckDB) and the results (SQLite). It imports nobody above it."""
