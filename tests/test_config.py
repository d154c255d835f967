"""The configuration: what is read wins over what is written here, and what cannot be used is named with its line."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discovery.config import Config, ConfigError, read_config
from discovery.sources import UnknownSourceError


def written(folder: Path, text: str) -> Path:
    """Write a configuration."""
    path = folder / "c.yaml"
    path.write_text(text)
    return path


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SUBCURRENT_"):
            monkeypatch.delenv(name)


def test_every_key_has_a_default(tmp_path: Path) -> None:
    """An empty file is a whole configuration."""
    assert read_config(written(tmp_path, "")) == Config()


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable wins over the file, also deep inside; what neither says is the default."""
    monkeypatch.setenv("SUBCURRENT_DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("SUBCURRENT_CLUSTERING__K_MAX", "7")
    config = read_config(written(tmp_path, "data_dir: here\nclustering: {k_max: 9, k_min: 2}\n"))
    assert (config.data_dir, config.clustering.k_max, config.clustering.k_min) == (tmp_path / "elsewhere", 7, 2)
    assert config.score == Config().score


def test_without_a_file_the_one_here_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`config.yaml` in the working directory comes next, and the packaged planted world last."""
    monkeypatch.chdir(tmp_path)
    assert [source.kind for source in read_config(None).sources] == ["world"]
    (tmp_path / "config.yaml").write_text("seed: 9\n")
    assert read_config(None).seed == 9


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("seed: 1\nsead: 2\n", r"line 2: unknown key `sead`\. The keys at the top are data_dir, seed", id="unknown"),
        pytest.param(
            "score:\n  replicate: 3\n", r"line 2: unknown key `score\.replicate`\. The keys of `score` are replicates", id="inside"
        ),
        pytest.param("score:\n  replicates: 3\n", r"line 2: `score\.replicates`: .*greater than or equal to 200", id="too-small"),
        pytest.param("seed: 1\nseed: 2\n", r"line 2: `seed` stands twice, first on line 1", id="twice"),
        pytest.param("gate: {max_lost_share: 1, max_lost_share: 0}", r"line 1: `max_lost_share` stands twice", id="twice-inside"),
        pytest.param("sources: world\n", r"line 1: `sources`: expected a list", id="no-list"),
        pytest.param("sources:\n  - {path: x}\n", r"line 2: `sources\.0\.kind`: Field required", id="no-kind"),
        pytest.param("clustering: 3\n", r"line 1: `clustering`: expected `key: value` lines", id="no-mapping"),
        pytest.param(
            "clustering: {k_min: 9, k_max: 3}", r"line 1: `clustering`: .*k_min \(9\) is larger than k_max \(3\)", id="contradiction"
        ),
        pytest.param("sites: [https://example.org/shop]\n", r"line 1: `sites.0`: .*is no host: write it as `example\.org`", id="no-host"),
        pytest.param("- seed\n", r"expected `key: value` lines, found list", id="list"),
        pytest.param("seed\n", r"expected `key: value` lines, found str", id="word"),
        pytest.param("seed: [1\n", r"this is not YAML: .*line 2", id="not-yaml"),
        pytest.param("\tseed: 1\n", r"this is not YAML: .*line 1", id="tab"),
        pytest.param("seed: \x00", r"this is not YAML", id="nul"),
        pytest.param("a: &a 1\nb: *a\n", r"aliases .* are not read", id="alias"),
        pytest.param("seed: !!python/object/apply:os.getpid []", r"this is not YAML", id="python"),
        pytest.param("x: " + "y" * (1 << 20), r"1,048,579 bytes; a configuration has at most 1,048,576", id="huge"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, said: str) -> None:
    """Each fault is told with its file, its line and what would be right."""
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=said) as caught:
        read_config(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is an error, never the default."""
    with pytest.raises(ConfigError, match=r"absent\.yaml: no such file"):
        read_config(tmp_path / "absent.yaml")


def test_a_wrong_variable_is_not_blamed_on_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that came from the environment is said to."""
    monkeypatch.setenv("SUBCURRENT_SEED", "many")
    with pytest.raises(ConfigError, match=r"or the environment: `seed`"):
        read_config(written(tmp_path, ""))


@given(text=st.text(alphabet=st.sampled_from("seed: \n-{}[]&*!\"'#|>%@`,?\t1a"), max_size=60))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_configuration_or_an_error_of_ours(tmp_path: Path, text: str) -> None:
    """Whatever stands in the file, it is read or refused, never with another exception."""
    path = written(tmp_path, text)
    with suppress(ConfigError):
        assert isinstance(read_config(path), Config)


def test_secrets_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret shows neither in the text of the configuration nor in its digest."""
    before = Config().digest()
    monkeypatch.setenv("SUBCURRENT_CREDENTIALS__REDDIT__CLIENT_SECRET", "hunter2")
    config = read_config(written(tmp_path, ""))
    assert config.credentials["reddit"]["client_secret"].get_secret_value() == "hunter2"
    assert "hunter2" not in repr(config) + config.model_dump_json()
    assert config.digest() == before


def test_the_digest_is_of_what_changes_results(tmp_path: Path) -> None:
    """Another seed is another run; another folder, memory or number of threads is not."""
    same = read_config(written(tmp_path, "data_dir: elsewhere\nlimits: {threads: 1, memory: 1GB}\n"))
    assert same.digest() == Config().digest()
    assert read_config(written(tmp_path, "seed: 2\n")).digest() != Config().digest()


def test_sources_come_from_arguments_or_the_file() -> None:
    """Arguments replace what is configured."""
    config = Config(sources=[{"kind": "world", "path": "3", "communities": 4}])  # type: ignore[arg-type,list-item]
    assert [source.name for source in config.open_sources([])] == ["world:3?communities=4"]
    assert [source.name for source in config.open_sources(["world:5"])] == ["world:5"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "No source is named"),
        (["world:1", "world:1"], "world:1 is named twice"),
        (["nowhere:1"], "`nowhere` is no kind of source; the kinds are chat_log"),
        (["world:1?colour=red"], "colour: Extra inputs are not permitted. Its settings are seed"),
    ],
)
def test_a_source_that_is_none_is_named(arguments: list[str], said: str) -> None:
    """No source, one twice, an unknown kind and an unknown setting are each told."""
    with pytest.raises(UnknownSourceError, match=re.escape(said)):
        Config().open_sources(arguments)
