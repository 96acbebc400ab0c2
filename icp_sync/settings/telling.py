"""Whom we tell of what, and by which way: reps about their accounts, operators about alerts."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from icp_sync.domain.standing import STATES
from icp_sync.domain.telling import Telling
from icp_sync.settings.inbound import SHORTEST_SECRET
from icp_sync.settings.parts import Part, Seconds, credential, duration, web_address

_SHORTEST_DIGEST = 300.0


def _off(raw: Any) -> Any:
    """None for a period that is switched off."""
    off = raw is False or (isinstance(raw, str) and raw.strip().lower() in ("off", "0", "0s"))
    return None if off else raw


Period = Annotated[Seconds | None, BeforeValidator(_off)]
"""A duration, or "off" (None once read)."""


class Webhook(Part):
    """Where messages are sent to. The address is a secret: whoever has it can post there."""

    url: SecretStr | None = Field(None, description="https; plain http to this machine only. A secret.")
    format: Literal["slack", "json"] = Field(
        "slack", description="slack: text with blocks; json: the plain data, signed where `secret` is set."
    )
    secret: SecretStr | None = Field(
        None, description="json: what each message is signed with (HMAC-SHA256)."
    )

    @field_validator("url", mode="before")
    @classmethod
    def _url(cls, raw: Any) -> Any:
        if raw is None:
            return None
        text = credential(raw)
        try:
            parts = urlsplit(text)
        except ValueError:
            raise ValueError("not a web address") from None
        try:
            web_address(parts._replace(query="").geturl())
        except ValueError as error:
            if "plain http" in str(error):
                what = "plain http would send messages in the clear; use https (http is for loopback only)"
                raise ValueError(what) from None
            raise
        return text

    @field_validator("secret", mode="before")
    @classmethod
    def _secret(cls, raw: Any) -> Any:
        if raw is None:
            return None
        text = credential(raw)
        if len(text) < SHORTEST_SECRET:
            raise ValueError(f"shorter than {SHORTEST_SECRET} characters, and so easily guessed")
        return text

    @model_validator(mode="after")
    def _signed(self) -> Webhook:
        if self.secret is not None and self.format != "json":
            raise ValueError('secret: only format = "json" is signed')
        return self


class Notify(Webhook):
    """Operators: once when an alert begins, once when it has ended."""

    quiet: Seconds = Field(
        duration("15m"), description="Of an alert that comes and goes, two messages within so long; then one."
    )
    down_after: Seconds = Field(
        duration("10m"), description="For how long a stream must fail before it is an alert."
    )


class Tell(Webhook):
    """Reps: which news about their accounts, by which way, and how often."""

    by: Literal["off", "webhook", "task"] = Field(
        "off", description="task: a task in the CRM for the owner; the webhook where there is no such owner."
    )
    tiers: list[str] = Field(["A"], description="An account that rises into one of these is news.")
    assignments: bool = Field(True, description="An account that a route of ours gave somebody is news.")
    firm_only: bool = Field(False, description="A provisional tier is no news.")
    backfills: bool = Field(False, description="Also what a backfill or the first reading settles.")
    digest: Period = Field(
        duration("24h"), description='One message per owner and period; "off": each at once.'
    )
    hour: int = Field(7, ge=0, le=23, description="Of the day (UTC) from which periods are counted.")
    again_after: Seconds = Field(
        duration("30d"), description="The same account, tier and owner are not told again before."
    )
    every: Seconds = Field(duration("60s"), description="How often is looked for what is to be sent.")
    task_due: Seconds = Field(duration("2d"), description="After how long a task is due.")
    record_url: str = Field(
        "", description="A record's page, {id} for its id: https://example.my.salesforce.com/{id}"
    )

    @field_validator("tiers")
    @classmethod
    def _tiers(cls, tiers: list[str]) -> list[str]:
        if unknown := [tier for tier in tiers if tier not in STATES[:4]]:
            raise ValueError(f"there is no tier '{unknown[0][:20]}'; there are {', '.join(STATES[:4])}")
        return list(dict.fromkeys(tiers))

    @field_validator("digest")
    @classmethod
    def _digest(cls, seconds: float | None) -> float | None:
        if seconds is not None and seconds < _SHORTEST_DIGEST:
            raise ValueError('at least 5m, or "off"')
        return seconds

    @field_validator("record_url")
    @classmethod
    def _record_url(cls, raw: str) -> str:
        if raw and ("{id}" not in raw or "|" in raw or ">" in raw):
            raise ValueError("an address with {id} in the place of a record's id is wanted")
        return web_address(raw.replace("{id}", "0")) and raw.strip() if raw else raw

    @model_validator(mode="after")
    def _somewhere(self) -> Tell:
        if self.by == "webhook" and self.url is None:
            raise ValueError("url is missing: where the webhook is")
        return self

    @property
    def telling(self) -> Telling:
        return Telling(
            on=self.by != "off",
            tiers=frozenset(self.tiers),
            assignments=self.assignments,
            firm_only=self.firm_only,
            backfills=self.backfills,
            digest=self.digest or 0.0,
            hour=self.hour,
        )
