"""One portal: its credentials, profiles, facts, outputs, pace and share of the limits."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.settings.alerts import Alerts
from icp_sync.settings.backfill import Backfill
from icp_sync.settings.deals import Deals
from icp_sync.settings.enrichment import Enrichment, refuse_namesakes, refuse_unfit_generic, with_secrets
from icp_sync.settings.guard import Guard, Share
from icp_sync.settings.inbound import InboundSource, source_name
from icp_sync.settings.learning import Learning
from icp_sync.settings.outputs import Outputs
from icp_sync.settings.overrides import Editors
from icp_sync.settings.parts import Part, Seconds, credential, duration, web_address
from icp_sync.settings.retention import Retention
from icp_sync.settings.retries import Retries
from icp_sync.settings.salesforce import Salesforce
from icp_sync.settings.telling import Tell
from icp_sync.settings.watch import Watch

_FACT = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Schedule(Part):
    """How often each stream runs, and how far apart poll and trailing pass read."""

    poll: Seconds = Field(duration("60s"), description="Read what changed, up to the CRM's now.")
    trailing: Seconds = Field(duration("5m"), description="Read the same windows again, `lag` later.")
    due: Seconds = Field(duration("60s"), description="Settle what was deferred and has come due.")
    sweep: Seconds = Field(duration("24h"), description="Read everything by id, and count what was missed.")
    watch: Seconds = Field(duration("24h"), description="Look whether the profile still tells who is won.")
    lag: Seconds = Field(duration("1h"), description="How far the trailing pass stays behind.")
    overlap: Seconds = Field(duration("2m"), description="How much of the last window poll reads again.")


class Quota(Part):
    """The most we send. A lower limit that the CRM's own headers state is obeyed without being set here.

    HubSpot (usage guidelines): 190 requests in 10 s for a Service Key on Professional and Enterprise, 100
    below; 5 searches a second for all apps of an account together, so one is left to the others.
    """

    burst: int = Field(190, ge=1, le=10_000, description="Requests in 10 seconds.")
    search: int = Field(4, ge=1, le=1_000, description="Searches in one second.")
    reserve: Share = Field(0.2, lt=1, description="Of the day's calls, left to everybody else.")
    reserve_calls: int = Field(0, ge=0, description="Calls a day left to everybody else at least.")
    at_once: int = Field(0, ge=0, le=100, description="HubSpot: requests of one process under way; 0: any.")
    backfill: Share = Field(0.5, description="Of what is above the reserve, the most backfills use.")


class Connection(Part):
    """One portal or org. Everything durable carries its name."""

    crm: Literal["hubspot", "salesforce"] = "hubspot"
    token: SecretStr | None = Field(
        None,
        validate_default=True,
        description="HubSpot: a Service Key. Best kept out of files in version control.",
    )
    salesforce: Salesforce | None = Field(None, validate_default=True)
    base_url: str = Field("", description="By default https://api.hubapi.com, or the org's My Domain.")
    path_version: Literal["v3", "2026-03", "2026-09"] = Field(
        "2026-03", description="HubSpot: the API's path family."
    )
    profiles: list[Path] = Field(min_length=1, description="Profile files, at most three; first wins ties.")
    tables: Path | None = Field(
        None, description="Folder of absences.csv and the tables routes name; by default the profiles' own."
    )
    facts: list[dict[str, Any]] = Field([], description="Additions to the default facts map.")
    custom_facts: dict[str, FactType] = Field(
        {}, description="Facts beyond the catalogue: name → number, money, date, choice, set or yes_no."
    )
    secrets: dict[str, dict[str, SecretStr]] = Field(
        {}, description="Keys of enrichers, by the enricher's name and the key's; kept out of `enrichers`."
    )
    enrichers: list[dict[str, Any]] = Field(
        [], repr=False, description="Sources beside the CRM: `use` and that source's own keys."
    )
    enrichment: Enrichment = Enrichment()
    inbound: dict[Annotated[str, AfterValidator(source_name)], InboundSource] = Field(
        {}, description="Who may send events of companies, by a name of your choice."
    )
    outputs: Outputs = Field(Outputs(), validate_default=True)
    deals: Deals = Field(Deals(), validate_default=True)
    schedule: Schedule = Schedule()
    editors: Editors = Editors()
    quota: Quota = Quota()
    backfill: Backfill = Backfill()
    guard: Guard = Guard()
    retries: Retries = Retries()
    retention: Retention = Retention()
    learning: Learning = Learning()
    watch: Watch = Watch()
    alerts: Alerts = Alerts()
    telling: Tell = Tell()
    apply: Literal["free", "needs_approval"] = Field(
        "free", description="Whether `icp-sync apply` needs a plan somebody else has approved."
    )

    @property
    def tables_folder(self) -> Path:
        return self.tables or self.profiles[0].parent

    @property
    def address(self) -> str:
        """Where the CRM's API is, without a trailing slash."""
        own = self.salesforce.address if self.salesforce else "https://api.hubapi.com"
        return self.base_url or own

    @property
    def nobody(self) -> frozenset[str]:
        """Emails of users who stand for nobody."""
        return frozenset(self.salesforce.vacant_owners) if self.salesforce else frozenset()

    @property
    def field_properties(self) -> dict[str, str]:
        """Logical field → property, as this connection's CRM names it."""
        return self.outputs.field_properties(self.crm)

    @property
    def deal_properties(self) -> dict[str, str]:
        """Field of the stamp → property of the deal; nothing where deals are not stamped."""
        return self.deals.properties(self.outputs, self.crm) if self.deals.stamp else {}

    @field_validator("token", mode="before")
    @classmethod
    def _token(cls, raw: Any, info: ValidationInfo) -> Any:
        if raw is None and info.data.get("crm") != "salesforce":
            raise PydanticCustomError("missing", "is missing")
        return None if raw is None else credential(raw)

    @field_validator("salesforce")
    @classmethod
    def _salesforce(cls, section: Salesforce | None, info: ValidationInfo) -> Salesforce | None:
        if (section is None) is (info.data.get("crm") == "salesforce"):
            raise PydanticCustomError(
                "missing" if section is None else "extra", 'is for crm = "salesforce" only'
            )
        return section

    @field_validator("outputs")
    @classmethod
    def _outputs(cls, outputs: Outputs, info: ValidationInfo) -> Outputs:
        outputs.check(str(info.data.get("crm", "hubspot")))
        return outputs

    @field_validator("deals")
    @classmethod
    def _deals(cls, deals: Deals, info: ValidationInfo) -> Deals:
        if isinstance(outputs := info.data.get("outputs"), Outputs):
            deals.check(outputs, str(info.data.get("crm", "hubspot")))
        return deals

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, raw: str) -> str:
        return web_address(raw) if raw else raw

    @field_validator("profiles", mode="before")
    @classmethod
    def _profiles(cls, raw: Any) -> Any:
        """An environment variable may name several files with commas between them."""
        return [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else raw

    @field_validator("profiles")
    @classmethod
    def _once(cls, paths: list[Path]) -> list[Path]:
        twice = sorted({str(path) for path in paths if paths.count(path) > 1})
        if twice:
            raise ValueError(f"named twice: {', '.join(twice)}")
        return paths

    @field_validator("custom_facts")
    @classmethod
    def _custom_facts(cls, facts: dict[str, FactType]) -> dict[str, FactType]:
        for name in facts:
            if name in CATALOGUE:
                raise ValueError(f"'{name}' is in the catalogue already; choose another name")
            if not _FACT.fullmatch(name):
                raise ValueError(
                    f"'{name[:64]}' is no name for a fact: lower-case letters, digits, underscores"
                )
        return facts

    @field_validator("enrichment")
    @classmethod
    def _enrichment(cls, said: Enrichment, info: ValidationInfo) -> Enrichment:
        known = [*CATALOGUE, *(info.data.get("custom_facts") or {})]
        for fact in said.facts:
            if fact not in known:
                raise ValueError(f"facts: there is no fact '{fact[:64]}'{_near(fact, known)}")
        return said

    @field_validator("watch")
    @classmethod
    def _watch(cls, said: Watch, info: ValidationInfo) -> Watch:
        known = [*CATALOGUE, *(info.data.get("custom_facts") or {})]
        for fact in said.segments:
            if fact not in known:
                raise ValueError(f"segments: there is no fact '{fact[:64]}'{_near(fact, known)}")
        return said

    @field_validator("enrichers")
    @classmethod
    def _enrichers(cls, sources: list[dict[str, Any]], info: ValidationInfo) -> list[dict[str, Any]]:
        """Each names what it uses; what looks like a credential is hidden from here on."""
        for index, source in enumerate(sources):
            if not isinstance(source.get("use"), str) or not source["use"].strip():
                raise ValueError(f"number {index + 1} has no `use`, for example public_companies")
            refuse_unfit_generic(source, index + 1)
        refuse_namesakes(sources)
        return with_secrets(sources, info.data.get("secrets") or {})


def _near(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""
