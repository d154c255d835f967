"""Features: every feature declared once, with its name, unit, formula, source and minimum evidence.

SQL reduces records to sufficient statistics per community and per author; Python turns those into estimates. A feature is
one function under :func:`~discovery.features.declaration.feature`; from its declaration follow the feature matrix, the
README's table, ``explain`` and the tests.
"""

from __future__ import annotations

from discovery.features.background import Background
from discovery.features.declaration import FEATURES, Block, Evidence, Feature, Ratio, Transform
from discovery.features.measure import measure
from discovery.features.measurement import Measurement, Scope, Vocabulary
from discovery.settings import FeatureSettings
from storage.errors import SourceNotStoredError

__all__ = [
    "FEATURES",
    "Background",
    "Block",
    "Evidence",
    "Feature",
    "FeatureSettings",
    "Measurement",
    "Ratio",
    "Scope",
    "SourceNotStoredError",
    "Transform",
    "Vocabulary",
    "measure",
]
