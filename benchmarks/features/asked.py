"""What everybody adds up is asked with these numbers."""

from __future__ import annotations

DAY = 86_400
MONTH = 28 * DAY
PATIENCE = 2 * DAY
"""Age from which a post without a reply counts as unanswered."""
LOOK_BACK = 4
"""Months a newcomer must not have been seen in."""
ENGAGED = 5
"""Days of a month on which an engaged author is active."""
