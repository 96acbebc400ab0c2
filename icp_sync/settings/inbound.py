"""Who may send us events of companies, how they prove it, and where in what they send it is said."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from icp_sync.normalize import domains
from icp_sync.normalize.kinds import Kind
from icp_sync.settings.parts import Part, Seconds, credential, duration, web_address

SHORTEST_SECRET = 16
_SOURCE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def source_name(raw: str) -> str:
    if not _SOURCE.fullmatch(raw) or len(raw) > 32:
        raise ValueError(f"'{raw[:40]}' is no name: lower-case letters and digits, joined by underscores")
    return raw


def _several(raw: Any) -> Any:
    return [raw] if isinstance(raw, str) else raw


Paths = Annotated[list[str], BeforeValidator(_several)]
"""JMESPath expressions, the first that gives something counts; one of them may stand alone."""


class InboundServer(Part):
    """Where events are taken in. Plain HTTP: what stands before it speaks TLS."""

    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(0, ge=0, le=65_535, description="0 turns it off.")
    public_url: str = Field("", description="How the senders call it: https://hooks.example.com")
    max_body: int = Field(262_144, ge=1_024, le=10_000_000, description="Bytes of one call.")
    own_domains: list[str] = Field([], description="Ours: visits of our own people are none.")

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, raw: str) -> str:
        return web_address(raw) if raw else raw

    @field_validator("own_domains")
    @classmethod
    def _own(cls, raw: list[str]) -> list[str]:
        named = [domains.registrable(text) for text in raw]
        if unfit := [text for text, name in zip(raw, named, strict=True) if not name]:
            raise ValueError(f"'{unfit[0][:100]}' is no domain of a company")
        return named


class MappedFact(Part):
    """Where a fact stands in an event, and how it is read."""

    paths: Paths = Field(alias="from", min_length=1)
    kind: Kind | None = None
    currency: str = ""
    separator: str = Field(";", min_length=1)
    values: dict[str, str] = Field({})

    @field_validator("currency")
    @classmethod
    def _currency(cls, raw: str) -> str:
        if raw and not _CURRENCY.fullmatch(raw):
            raise ValueError("a code such as USD is wanted")
        return raw


class InboundSource(Part):
    """One sender. Left out, `domain`, `id`, `time` and `facts` are those of its kind."""

    kind: Literal["generic", "leadpipe", "clay", "hubspot"] = "generic"
    secret: SecretStr = Field(description="What only the sender and we know.")
    auth: Literal["header", "hmac"] = Field("header", description="Sends the secret, or signs with it.")
    header: str = Field("", description="Where the secret or the signature stands.")
    timestamp_header: str = Field("X-Timestamp", description="With hmac: when it was signed.")
    events: str = Field("", description="JMESPath of the list of events; left out: all of it.")
    domain: Paths = Field([], description="JMESPath of the company's domain, website or an e-mail.")
    id: Paths = Field([], description="JMESPath of what names the event; left out: all that it says.")
    time: Paths = Field([], description="JMESPath of when it happened; left out: when it came.")
    facts: dict[str, str | MappedFact] = Field({}, description="Fact → where it stands.")
    visits: bool | None = Field(None, description="Whether each event is a visit to our site.")
    keep: Seconds = Field(duration("90d"), description="How long an event counts.")
    calls: int = Field(120, ge=1, le=6_000, description="Calls a minute it may make.")

    @field_validator("secret", mode="before")
    @classmethod
    def _secret(cls, raw: Any) -> str:
        text = credential(raw)
        if len(text) < SHORTEST_SECRET:
            raise ValueError(f"shorter than {SHORTEST_SECRET} characters, and so easily guessed")
        return text

    @field_validator("header", "timestamp_header")
    @classmethod
    def _header(cls, raw: str) -> str:
        if raw and not _HEADER.fullmatch(raw):
            raise ValueError("the name of an HTTP header is wanted")
        return raw

    @model_validator(mode="after")
    def _says_something(self) -> InboundSource:
        if self.kind == "generic" and not self.facts and not self.visits:
            raise ValueError("it would teach us nothing: name facts, or say visits = true")
        if self.kind == "generic" and not self.domain:
            raise ValueError("domain is missing: where the company's domain stands in an event")
        return self
