"""How one Salesforce org is opened, and what is peculiar to it.

An External Client App logs in by client credentials (key and secret) or, where no shared secret may exist,
by JWT bearer (key, username, private key): Salesforce Help, "Configure the OAuth 2.0 Client Credentials
Flow for External Client Apps" and "OAuth 2.0 JWT Bearer Flow".
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from icp_sync.settings.parts import Part, credential

_HOST = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)*")
_SUFFIX = ".salesforce.com"
_VERSION = re.compile(r"\d{2,3}\.0")
_OLDEST = 58.0
"""Spring '23: the first with everything we use (result pages of Bulk API 2.0 queries)."""


class Salesforce(Part):
    """One org's login, API version and special wishes."""

    my_domain: str = Field(description="acme.my, of https://acme.my.salesforce.com.")
    session_id: SecretStr | None = Field(None, description="For trying out: a session somebody opened.")
    username: str = Field("", description="JWT bearer flow: the integration user.")
    private_key: SecretStr | None = Field(None, description="JWT bearer flow: PEM text, from a secret file.")
    consumer_key: str = Field("", validate_default=True, description="Of the External Client App.")
    consumer_secret: SecretStr | None = Field(
        None, validate_default=True, description="Client credentials flow."
    )
    audience: Literal["login", "test"] = Field("login", description="JWT bearer flow: test for a sandbox.")
    api_version: str = "66.0"
    vacant_owners: list[str] = Field(
        [], description="Emails of users who stand for nobody: what they own counts as unowned."
    )
    visible_accounts: int | None = Field(
        None, ge=0, description="How many accounts there are, as an admin sees them; check compares."
    )
    bulk_writes: bool = Field(
        False, description="Bulk API 2.0 for large backfills. It cannot switch assignment rules off."
    )

    @property
    def address(self) -> str:
        return f"https://{self.my_domain}{_SUFFIX}"

    @field_validator("my_domain", mode="before")
    @classmethod
    def _my_domain(cls, raw: Any) -> Any:
        text = str(raw).strip().lower().removeprefix("https://").split("/")[0].removesuffix(_SUFFIX)
        if not _HOST.fullmatch(text):
            raise ValueError("the name before .salesforce.com is wanted, for example acme.my")
        if text in ("login", "test", "www"):
            raise ValueError(f"'{text}' is everybody's; the org's own My Domain is wanted, such as acme.my")
        if not text.endswith(".my"):
            meant = re.sub(r"\.(lightning|my)?\.?(force|setup|site).*$", "", text).removesuffix(".lightning")
            raise ValueError(f"a My Domain ends in .my; did you mean {meant}.my?")
        return text

    @field_validator("session_id", mode="before")
    @classmethod
    def _session_id(cls, raw: Any) -> Any:
        return None if raw is None else credential(raw)

    @field_validator("consumer_key")
    @classmethod
    def _consumer_key(cls, key: str, info: ValidationInfo) -> str:
        if not key and info.data.get("session_id") is None:
            raise PydanticCustomError("missing", "is missing")
        return key.strip()

    @field_validator("consumer_secret", mode="before")
    @classmethod
    def _consumer_secret(cls, raw: Any, info: ValidationInfo) -> Any:
        said = info.data
        signed = said.get("private_key") is not None and said.get("username")
        if raw is None and said.get("session_id") is None and not signed:
            raise PydanticCustomError("missing", "is missing")
        return None if raw is None else credential(raw)

    @field_validator("private_key", mode="before")
    @classmethod
    def _private_key(cls, raw: Any) -> Any:
        text = raw.get_secret_value() if isinstance(raw, SecretStr) else raw
        if text is not None and "PRIVATE KEY-----" not in str(text):
            raise ValueError("a private key in PEM form is wanted, with its BEGIN and END lines")
        return text

    @field_validator("api_version")
    @classmethod
    def _api_version(cls, raw: str) -> str:
        if not _VERSION.fullmatch(raw) or float(raw) < _OLDEST:
            raise ValueError(f"a version from {_OLDEST} on is wanted, for example 66.0")
        return raw

    @field_validator("vacant_owners")
    @classmethod
    def _vacant_owners(cls, emails: list[str]) -> list[str]:
        if wrong := [email for email in emails if "@" not in email]:
            raise ValueError(f"emails are wanted, not {', '.join(wrong)[:100]}")
        return [email.strip().lower() for email in emails]
