"""Rows that Spark keeps are clustered as those of one machine."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from discovery.clustering import AutoKMeans
from discovery.clustering.spark import fit
from discovery.features.spark import session

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not (find_spec("pyspark") and shutil.which("java")), reason="the extra `cluster` or Java is not installed"),
]


def model() -> AutoKMeans:
    """As both machines are asked."""
    return AutoKMeans(k_max=10, criterion="silhouette", n_resamples=0, random_state=0)


def frame() -> pd.DataFrame:
    """More rows than k is chosen on, far from the origin, as a frame with keys."""
    rows, _ = make_blobs(24_000, 6, centers=7, cluster_std=1.2, random_state=5)
    return pd.DataFrame(rows + 100.0).add_prefix("f").assign(key=np.arange(24_000).astype(str))


def test_spark_gives_the_labels_of_one_machine() -> None:
    """On 24,000 rows in five partitions, in any order, every label, the centres and the inertia are those of one machine."""
    table = frame()
    here = model().fit(table.filter(like="f").to_numpy())
    there = model()
    labelled = fit(there, session().createDataFrame(table.sample(frac=1, random_state=1)).repartition(5), key="key").toArrow().to_pandas()
    labels = labelled.set_index("key")["label"].loc[table["key"]].to_numpy()
    assert there.n_clusters_ == here.n_clusters_ > 1
    np.testing.assert_array_equal(labels, here.labels_)
    np.testing.assert_allclose(there.cluster_centers_, here.cluster_centers_, rtol=1e-6)
    assert there.inertia_ == pytest.approx(here.inertia_, rel=1e-6)
    np.testing.assert_array_equal(there.predict(table.filter(like="f").to_numpy()), here.labels_)


def test_spark_refuses_what_is_not_finite() -> None:
    """A value that is missing is told, whether the sample holds it or not."""
    table = frame()
    table.loc[table.index % 5 == 0, "f3"] = np.nan
    with pytest.raises(ValueError, match=r"NaN|not finite"):
        fit(model(), session().createDataFrame(table), key="key")
