"""The pipelines deals go through: which stages there are, and what a deal in each of them counts as.

Only the two marks of a stage together say that a deal is won: an open stage may be certain, too, and a
lost one likely. https://developers.hubspot.com/docs/api-reference/crm-pipelines-v3/guide
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icp_sync.simulator.clock import iso
from icp_sync.simulator.hubspot.catalogue import STANDARD_SINCE, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage. `probability` is text, as the API shows it."""

    id: str
    label: str
    probability: str
    closed: bool = False

    @property
    def won(self) -> bool:
        return self.closed and float(self.probability) == 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    id: str
    label: str
    stages: tuple[Stage, ...]


PIPELINES = (
    Pipeline(
        id="default",
        label="Sales Pipeline",
        stages=(
            Stage(id="appointmentscheduled", label="Appointment Scheduled", probability="0.2"),
            Stage(id="qualifiedtobuy", label="Qualified To Buy", probability="0.4"),
            Stage(id="presentationscheduled", label="Presentation Scheduled", probability="0.6"),
            Stage(id="decisionmakerboughtin", label="Decision Maker Bought-In", probability="0.8"),
            Stage(id="contractsent", label="Contract Sent", probability="0.9"),
            Stage(id="closedwon", label="Closed Won", probability="1.0", closed=True),
            Stage(id="closedlost", label="Closed Lost", probability="0.0", closed=True),
        ),
    ),
    Pipeline(
        id="75398411",
        label="Renewals",
        stages=(
            Stage(id="142611857", label="In review", probability="0.5"),
            Stage(id="142611858", label="Agreed by word", probability="1.0"),
            Stage(id="142611859", label="Renewed", probability="1.0", closed=True),
            Stage(id="142611860", label="Left us", probability="0.8", closed=True),
        ),
    ),
)
STAGES: Mapping[str, Stage] = {stage.id: stage for pipeline in PIPELINES for stage in pipeline.stages}
FIRST = PIPELINES[0].stages[0]
_PIPELINE_OF = {stage.id: pipeline.id for pipeline in PIPELINES for stage in pipeline.stages}


def as_json() -> list[Json]:
    """Every pipeline with its stages."""
    return [_shown(pipeline, n) for n, pipeline in enumerate(PIPELINES)]


def marks(stage: str) -> dict[str, str]:
    """What HubSpot works out of a deal's stage, as the deal's own properties."""
    found = STAGES[stage]
    return {
        "pipeline": _PIPELINE_OF[stage],
        "hs_is_closed": _text(found.closed),
        "hs_is_closed_won": _text(found.won),
        "hs_is_closed_lost": _text(found.closed and not found.won),
        "hs_deal_stage_probability": found.probability,
    }


def _shown(pipeline: Pipeline, order: int) -> Json:
    stages = [
        {
            **_described(n, stage.id, stage.label),
            "metadata": {"isClosed": _text(stage.closed), "probability": stage.probability},
        }
        for n, stage in enumerate(pipeline.stages)
    ]
    return {**_described(order, pipeline.id, pipeline.label), "stages": stages}


def _described(order: int, id: str, label: str) -> Json:
    at = iso(STANDARD_SINCE)
    return {
        "id": id,
        "label": label,
        "displayOrder": order,
        "createdAt": at,
        "updatedAt": at,
        "archived": False,
    }


def _text(truth: bool) -> str:
    return "true" if truth else "false"
