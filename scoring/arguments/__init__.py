"""Arguments: what speaks against an entity, and what would change its verdict, as sentences with its own numbers."""
