"""Where the real community data lies, which is never part of the project: beside the checkout, or where the environment says."""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(os.environ.get("SUBCURRENT_SHARED_DATA", Path(__file__).parents[2] / "shared")) / "data"
