"""What each part of a run can be told: frozen values with their bounds and meanings, apart from the code they steer.

Nothing heavy is imported here, so that a command that only reads the configuration answers at once.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, model_validator

from scoring.thresholds import Thresholds

MapMethod = Literal["pca", "umap"]


class Settings(BaseModel):
    """A part of the configuration: frozen, and it refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceSettings(BaseModel):
    """One configured source: its kind, its path (file, folder, address or seed) and the settings that its kind knows."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    path: str = ""


class FeatureSettings(Settings):
    """Bounds of what is read for words and kept as evidence."""

    sample_records: int = Field(
        default=500, ge=50, description="Records a community's words are counted in, of past months where these are enough; by a hash."
    )
    max_terms: int = Field(default=50_000, ge=1_000, description="Words in the vocabulary of a run; the ones most authors use stay.")
    batch_records: int = Field(
        default=2_000_000, ge=1, description="Records that are reduced at once; fewer take less memory and more time."
    )
    mentions_per_tier: int = Field(default=40, ge=1, description="Records kept as evidence per community and tier of intent.")


Algorithm = Literal["kmeans", "spherical", "hdbscan"]


class ClusteringSettings(Settings):
    """How communities are clustered."""

    seed: int = Field(1, ge=0, lt=2**32, description="Seed of the clustering; a run sets it to its own.")
    algorithm: Algorithm = Field("kmeans", description="What finds the archetypes; docs/clustering.md compares them.")
    k_min: int = Field(1, ge=1, description="Fewest archetypes; 1 lets the run find that there are none.")
    k_max: int = Field(20, ge=1, le=100, description="Most archetypes.")
    allow_segments: bool = Field(True, description="Offer a stable cut where communities form a continuum.")
    pca_variance: float = Field(0.9, gt=0, le=1, description="Share of variance that the principal components keep.")
    within_platform: bool = Field(True, description="Centre and scale features within each platform of ten communities or more.")

    @model_validator(mode="after")
    def _range_of_k(self) -> Self:
        if self.k_min > self.k_max:
            raise ValueError(f"k_min ({self.k_min}) is larger than k_max ({self.k_max})")
        if self.algorithm == "hdbscan" and self.k_min > 1:
            raise ValueError(f"k_min ({self.k_min}) cannot be asked of hdbscan, which finds what there is: set it to 1")
        return self


class ScoreSettings(Settings):
    """How the score's uncertainty is drawn and when a verdict is given."""

    replicates: int = Field(200, ge=200, le=10_000, description="Bootstrap replicates behind every interval.")
    thresholds: Thresholds = Thresholds()


class GateSettings(Settings):
    """When a run is held back from readers instead of published."""

    max_moved_share: float = Field(0.15, ge=0, le=1, description="Largest share of communities that may change archetype overnight.")
    max_lost_share: float = Field(0.5, ge=0, le=1, description="Largest share of last night's communities that may be missing tonight.")


class LimitSettings(Settings):
    """What a run may use of the machine."""

    memory: str = Field(
        "2GB", pattern=r"^\d+(\.\d+)?\s?(MB|GB)$", description="Memory of the activity store; beyond it, it spills to disk."
    )
    threads: int = Field(2, ge=1, le=256)


class EndpointSettings(Settings):
    """A model server that speaks OpenAI's protocol. Without ``base_url`` there is none; the key comes from the environment."""

    section: ClassVar[str]
    """What this part of the configuration is called."""

    base_url: HttpUrl | None = Field(None, description="Root of an OpenAI-compatible server, for example http://127.0.0.1:8080/v1.")
    model: str = Field("", max_length=200, description="Name of the model, as the server knows it.")
    api_key: SecretStr = Field(SecretStr(""), description="From SUBCURRENT_LLM__API_KEY, SUBCURRENT_EMBEDDINGS__API_KEY.")
    max_calls: int = Field(60, ge=1, le=1_000, description="Requests in one run, retries counted.")
    deadline_seconds: float = Field(30.0, gt=0, le=600, description="Longest time one request may take, from first to last byte.")
    run_deadline_seconds: float = Field(300.0, gt=0, le=3_600, description="Longest time all requests of a run may take.")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.base_url is not None and not self.model:
            raise ValueError(
                f"{self.section}.base_url is {self.base_url} but {self.section}.model is empty: name the model that this server offers"
            )
        return self


class LlmSettings(EndpointSettings):
    """The language model that may name things."""

    section: ClassVar[str] = "llm"

    max_tokens: int = Field(400, ge=64, le=4_096, description="Longest reply.")


class EmbeddingSettings(EndpointSettings):
    """The model that may place communities by what they talk about, for niches."""

    section: ClassVar[str] = "embeddings"

    max_calls: int = Field(1_000, ge=1, le=100_000, description="Requests in one run, of 64 texts each; a community has three texts.")
    run_deadline_seconds: float = Field(1_800.0, gt=0, le=36_000, description="Longest time all requests of a run may take.")
    dimensions: int | None = Field(None, ge=8, le=8_192, description="Length of the vectors, where the model offers several.")
