"""Where verdicts change: numbers with their bounds and meanings, apart from the code that compares with them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Thresholds(BaseModel):
    """Where verdicts change. A value equal to its threshold passes, except the switching wedge, which must be above."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    coverage: float = Field(0.6, ge=0, le=1, description="Least share of the score's weight that must be measured.")
    authors: int = Field(30, ge=1, description="Least number of distinct authors.")
    stability: float = Field(0.6, ge=0, le=1, description="Least bootstrap Jaccard of an archetype or niche.")
    demand: float = Field(0.5, ge=0, le=1, description="Shallow where demand and money are both below theirs; both are needed to pursue.")
    money: float = Field(0.5, ge=0, le=1, description="See demand.")
    retained_reach: float = Field(0.25, ge=0, le=1, description="Shallow where retained reach is below.")
    headroom: float = Field(0.25, ge=0, le=1, description="Saturated where headroom is below and no switching wedge is above its own.")
    switching_wedge: float = Field(0.5, ge=0, le=1, description="Panel percentile above which people leave what fills the field.")
    score: float = Field(60, ge=0, le=100, description="Least score to pursue.")
    score_low: float = Field(50, ge=0, le=100, description="Least lower end of the score's 90 % interval to pursue.")
