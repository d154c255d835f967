"""Configuration: ``config.yaml`` and the environment become one frozen :class:`Config`; nothing else reads either.

Order of precedence: environment (``SUBCURRENT_…``, nested by ``__``), then the file, then the defaults written here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from discovery.settings import (
    ClusteringSettings,
    EmbeddingSettings,
    FeatureSettings,
    GateSettings,
    LimitSettings,
    LlmSettings,
    MapMethod,
    ScoreSettings,
    SourceSettings,
)
from discovery.sources import Source, UnknownSourceError, configured, find, load

MAX_BYTES = 1 << 20
EXPECTED = {
    "tuple_type": "expected a list, one `- ` line an entry",
    "dict_type": "expected `key: value` lines",
    "model_type": "expected `key: value` lines",
    "model_attributes_type": "expected `key: value` lines",
}
"""What pydantic says in Python's words, in those of YAML."""


class ConfigError(ValueError):
    """The configuration cannot be used: which file, which line, which key, and what would be right."""


def _host(told: str) -> str:
    """Read a site's host, lower case, without "www."."""
    host = told.lower().removeprefix("www.")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host):
        raise ValueError(f"`{told}` is no host: write it as `example.org`, without `https://` and path")
    return host


class Config(BaseSettings):
    """Everything a run is told. The defaults run the planted world, offline and without keys."""

    model_config = SettingsConfigDict(env_prefix="SUBCURRENT_", env_nested_delimiter="__", extra="forbid", frozen=True)

    data_dir: Path = Field(Path("subcurrent-data"), description="Where all state lives.")
    seed: int = Field(1, ge=0, lt=2**32, description="Seed of every random draw.")
    window_days: int | None = Field(None, ge=28, description="Measure only the last days of each source; all of it when empty.")
    sources: tuple[SourceSettings, ...] = ()
    portfolio: tuple[str, ...] = Field((), description="Keys of your own communities, for cross-promotion fit.")
    sites: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        (), description="Hosts of your own sites, such as `example.org`, for links that lead to them."
    )
    features: FeatureSettings = FeatureSettings()
    clustering: ClusteringSettings = ClusteringSettings()
    score: ScoreSettings = ScoreSettings()
    gate: GateSettings = GateSettings()
    limits: LimitSettings = LimitSettings()
    llm: LlmSettings = LlmSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    map: MapMethod = Field("pca", description="How the map is drawn: principal components, or UMAP (extra `umap`), which keeps neighbours.")
    credentials: dict[str, dict[str, SecretStr]] = Field({}, description="Per kind of source; only from the environment.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file; nothing else is read."""
        return env_settings, init_settings

    def open_sources(self, arguments: list[str]) -> list[Source]:
        """Build the sources of a run: those named on the command line, else the configured ones.

        Raises:
            UnknownSourceError: an unknown kind or setting, a source named twice, or no source at all.
        """
        built = [load(argument, credentials=self.credentials) for argument in arguments] or list(self._configured_sources())
        if not built:
            raise UnknownSourceError("No source is named: use --source KIND:PATH, or list `sources` in config.yaml.")
        names = [source.name for source in built]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UnknownSourceError(f"{', '.join(twice)} is named twice: name each source once.")
        return built

    def _configured_sources(self) -> Iterator[Source]:
        for entry in self.sources:
            secrets = self.credentials.get(entry.kind, {})
            yield configured(find(entry.kind), entry.path, {**(entry.model_extra or {}), **secrets})

    def digest(self) -> str:
        """Hash what a run depends on; secrets and places of files do not count."""
        told = self.model_dump_json(exclude={"credentials", "data_dir", "limits"})
        return hashlib.sha256(told.encode()).hexdigest()


def read_config(path: Path | None) -> Config:
    """Read the configuration: the file named, else ``config.yaml`` here, else the packaged default.

    Raises:
        ConfigError: the file is missing, not YAML, or holds a key or value that no setting has.
    """
    if path is None:
        here = Path("config.yaml")
        path = here if here.exists() else _packaged()
    elif not path.is_file():
        raise ConfigError(f"{path}: no such file. Write one, or leave out --config for the planted world.")
    lines, values = _parse(path)
    try:
        return Config(**values)
    except ValidationError as error:
        raise ConfigError("\n".join(_explained(path, fault, lines) for fault in error.errors())) from None


def _packaged() -> Path:
    packaged = Path(str(resources.files("discovery").joinpath("config.default.yaml")))
    return packaged if packaged.exists() else Path(__file__).parents[1] / "config.yaml"


def _parse(path: Path) -> tuple[dict[tuple[Any, ...], int], dict[str, Any]]:
    """Parse YAML strictly: bounded size, no aliases, no key twice. Returns the line of each key, and the values."""
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ConfigError(f"{path}: {size:,} bytes; a configuration has at most {MAX_BYTES:,}.")
    try:
        text = path.read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ConfigError(f"{path}: YAML aliases (*name) are not read; write the value out.")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = dict(_lines(path, root)) if root is not None else {}
        values = yaml.safe_load(text) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: this is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected `key: value` lines, found {type(values).__name__}.")
    return lines, {str(key): value for key, value in values.items()}


def _lines(path: Path, node: yaml.Node, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise ConfigError(f"{path}, line {line}: `{key.value}` stands twice, first on line {seen[key.value]}; keep one.")
            seen[key.value] = line
            yield (*at, key.value), line
            yield from _lines(path, value, (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1
            yield from _lines(path, value, (*at, index))


def _explained(path: Path, fault: Any, lines: dict[tuple[Any, ...], int]) -> str:
    place = tuple(fault["loc"])
    line = next((lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines), None)
    where = f"{path}, line {line}" if line else f"{path} or the environment"
    dotted = ".".join(map(str, place))
    if fault["type"] == "extra_forbidden":
        level, keys = _keys_at(place[:-1])
        return f"{where}: unknown key `{dotted}`. The keys {level} are {', '.join(keys)}."
    return f"{where}: `{dotted}`: {EXPECTED.get(fault['type'], fault['msg'])}."


def _keys_at(place: tuple[Any, ...]) -> tuple[str, list[str]]:
    """Name the level of the configuration that a place is in, and the keys it has."""
    model: type[BaseModel] = Config
    for key in place:
        model = model.model_fields[key].annotation  # type: ignore[assignment]  # only settings have settings inside
    return f"of `{'.'.join(place)}`" if place else "at the top", list(model.model_fields)
