"""Samples: replies of a vendor kept beside its manifest, each with what it means.

A sample is one JSON file: where it is from, status, headers and body, and either the facts it is read as or
its outcome. Knows nothing of how a reply is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from icp_sync.enrichers.manifest.vocabulary import Outcome
from icp_sync.ports import Request
from icp_sync.profile_file.reading import Report

LARGEST = 2_000_000
"""Bytes of a sample's file."""
ASKED_DOMAIN = "acme.com"
"""The domain a sample was asked about, unless it says another one."""


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str = ASKED_DOMAIN
    name: str = "Acme"
    country: str = ""

    @property
    def request(self) -> Request:
        return Request(account_id="1", domain=self.domain, name=self.name, country=self.country)


class Reply(BaseModel):
    """A reply as it came. body: JSON, or text where it was none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: int = Field(200, ge=100, le=599)
    headers: dict[str, str] = {}
    body: Any = None

    @property
    def text(self) -> str:
        return self.body if isinstance(self.body, str) else json.dumps(self.body)


class Meant(BaseModel):
    """What a reply means: facts, or an outcome that brings none. charge: credits, where it is stated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    expect: dict[str, list[Any]] | None = None
    outcome: Outcome | None = None
    charge: float | None = None

    @model_validator(mode="after")
    def _one(self) -> Meant:
        if (self.expect is None) is (self.outcome is None):
            raise ValueError("needs either expect or outcome")
        return self


class Sample(Reply, Meant):
    """One file. asked: about whom. steps: the replies to the requests before the main one. unread: facts that
    were said and cannot be read. job: the one of an earlier pending answer this is the result of."""

    made: str = Field(min_length=1)
    asked: Asked = Asked()
    steps: tuple[Reply, ...] = ()
    unread: tuple[str, ...] = ()
    job: str = ""
    options: dict[str, Any] = {}


class Several(Reply):
    """`batch.json`: one reply to several, and what it means for each."""

    made: str = Field(min_length=1)
    asked: tuple[Asked, ...] = Field(min_length=2)
    answers: tuple[Meant, ...]

    @model_validator(mode="after")
    def _each(self) -> Several:
        if len(self.asked) != len(self.answers):
            raise ValueError("needs as many answers as asked")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """All samples of one vendor, by the name of their file without its ending."""

    folder: Path
    single: Mapping[str, Sample] = field(default_factory=dict)
    batch: Several | None = None


def samples_of(manifest_path: Path, vendor: str, report: Report) -> Samples:
    """The samples beside a manifest; what is wrong with one goes to the report, about the manifest."""
    folder = manifest_path.parent / "samples" / vendor
    single: dict[str, Sample] = {}
    batch: Several | None = None
    for path in sorted(folder.glob("*.json")):
        try:
            text = path.read_text(encoding="utf-8")
            if len(text) > LARGEST:
                raise ValueError(f"larger than {LARGEST:,} bytes")
            data = json.loads(text)
            if path.stem == "batch":
                batch = Several.model_validate(data)
            else:
                single[path.stem] = Sample.model_validate(data)
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_input=False):
                place = ".".join(map(str, problem["loc"]))
                what = f"{place}: {problem['msg']}" if place else problem["msg"]
                report.value(("vendor",), f"sample {path.name}: {what}")
        except (OSError, ValueError, RecursionError) as error:
            report.value(("vendor",), f"sample {path.name} cannot be read: {error}")
    if "hit" not in single and not report.problems:
        report.value(
            ("vendor",),
            f"there is no sample {folder.name}/hit.json in {folder.parent}",
            "write down the reply the vendor's documentation shows, and what it means",
        )
    return Samples(folder=folder, single=single, batch=batch)
