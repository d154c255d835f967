"""Arguments: what speaks against an entity, and what would change its verdict, as sentences with its own numbers."""

from scoring.arguments.against import VOICES, counter_argument
from scoring.arguments.change import would_change

__all__ = ["VOICES", "counter_argument", "would_change"]
