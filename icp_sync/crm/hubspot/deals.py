"""Deals: what was sold to which company, for how much, and when. Judges nothing.

Found like companies (search by stamp, or the list for all of them) and read in full; the account is the
company HubSpot calls primary, type id 5 ("Associations v4", HubSpot's API documentation), or the first one
where none is. Whether associations go on naming a company that was archived or merged away is documented
nowhere, so every company named is looked at. What a stage counts as is read from the deal; where the deal
does not say, from its pipeline ("Pipelines"): a stage is won that is closed and certain, whatever its name.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from icp_sync.crm.ahead import ahead
from icp_sync.crm.canonical import YES_NO, canonical_text, instant, is_number
from icp_sync.crm.hubspot import associations, discovery
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.records import BATCH, Json, Records, listed
from icp_sync.crm.hubspot.values import MERGED, OWNER, STAMP, merged_ids, properties_of, stamp_of
from icp_sync.crm.paging import Found
from icp_sync.crm.roster import Roster
from icp_sync.domain import stamp as at_creation
from icp_sync.errors import UnavailableError
from icp_sync.observe import log
from icp_sync.ports import NONE_READ, Deal, Identity

AT_ONCE = 1_000
PRIMARY = 5
PROPERTIES = (
    "dealname",
    "amount",
    "deal_currency_code",
    "dealstage",
    "hs_is_closed",
    "hs_is_closed_won",
    "closedate",
    "createdate",
    STAMP,
    OWNER,
    MERGED,
)

_log = log("hubspot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a pipeline, as people call it, and what a deal in it counts as."""

    label: str
    closed: bool
    won: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Deals changed since (ms), 0 for all; whose ids come after one; less those whose last change is told."""

    since: int
    after: str
    spare: Mapping[str, int]


def deals(
    client: Client,
    roster: Roster,
    executor: Executor,
    wanted: Wanted,
    identity: Identity,
    stamp: Mapping[str, str],
) -> Generator[Deal]:
    """The deals wanted, in order of id. identity: the portal's. stamp: field of our stamp → property.

    What search does not show yet is not among them: who goes on from an instant begins a little before it.
    Raises AuthError naming the scope that is missing.
    """
    portal = _Portal(
        roster=roster,
        stages=stages(client.pipelines()),
        currency=identity.currency,
        zone=_zone(identity.time_zone),
        stamp=stamp,
    )
    for records in _chunks(client, executor, wanted, [*PROPERTIES, *stamp.values()]):
        accounts = _accounts(client, executor, [str(record["id"]) for record in records])
        for record in records:
            account = accounts.get(str(record["id"]))
            if account is not None:
                yield portal.deal(record, account)


def stages(reply: Json) -> Mapping[str, Stage]:
    """Stage id → stage, of every pipeline in HubSpot's reply; what cannot be read is left out."""
    pipelines = reply.get("results")
    found = {}
    for pipeline in pipelines if isinstance(pipelines, list) else []:
        listed = pipeline.get("stages") if isinstance(pipeline, dict) else None
        for stage in listed if isinstance(listed, list) else []:
            if not isinstance(stage, dict) or stage.get("id") is None:
                continue
            marks = stage.get("metadata")
            marks = marks if isinstance(marks, dict) else {}
            closed = _truth(marks.get("isClosed")) is True
            certain = _amount(str(marks.get("probability") or "")) == 1.0
            label = str(stage.get("label") or stage["id"])
            found[str(stage["id"])] = Stage(label=label, closed=closed, won=closed and certain)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Portal:
    """What deals are read with. zone: where a day ends, for the day a deal closed on."""

    roster: Roster
    stages: Mapping[str, Stage]
    currency: str
    zone: tzinfo
    stamp: Mapping[str, str]

    def deal(self, record: Json, account: str) -> Deal:
        raw = properties_of(record)
        stage = raw.get("dealstage") or ""
        known = self.stages.get(stage, Stage(label=stage, closed=False, won=False))
        told = _truth(raw.get("hs_is_closed_won"))
        won = known.won if told is None else told
        told = _truth(raw.get("hs_is_closed"))
        closed = won or (known.closed if told is None else told)
        began = str(raw.get("createdate") or record.get("createdAt") or "")
        created = instant(began)
        return Deal(
            id=str(record["id"]),
            account_id=account,
            name=(raw.get("dealname") or "").strip(),
            amount=_amount(raw.get("amount") or ""),
            currency=(raw.get("deal_currency_code") or self.currency).strip().upper(),
            stage=known.label,
            open=not closed,
            won=won,
            closed_on=self._day(raw.get("closedate") or ""),
            created_on=self._day(began),
            created_at=0 if created is None else round(created * 1000),
            changed_at=stamp_of(record),
            owner=self.roster.email(raw.get(OWNER) or ""),
            stamp=stamp_of_deal(record, self.stamp),
        )

    def _day(self, text: str) -> str:
        """HubSpot keeps an instant; people chose a day in their own zone."""
        seconds = instant(text)
        if seconds is None:
            return ""
        try:
            return datetime.fromtimestamp(seconds, self.zone).date().isoformat()
        except (ValueError, OverflowError, OSError):  # beyond the calendar, by the shift of the zone
            return ""


def stamp_of_deal(record: Json, stamp: Mapping[str, str]) -> dict[str, str]:
    """Our values as they stand on a deal, canonical by field; what the portal does not name is absent."""
    raw = properties_of(record)
    return {
        field: canonical_text(at_creation.STAMP[field].type, (raw[name] or "").strip())
        for field, name in stamp.items()
        if name in raw
    }


def _chunks(
    client: Client, executor: Executor, wanted: Wanted, properties: Sequence[str]
) -> Iterator[list[Json]]:
    """Whole deals in order of id, about as many at a time as one call tells the companies of."""
    if wanted.since <= 0:
        pages = discovery.listing(client.deals, properties, wanted.after)
        for found in _gathered(ahead(pages, discovery.AHEAD)):
            yield list(found.values())
        return
    # A filter at the beginning of time breaks HubSpot's search.
    since = str(max(wanted.since, 1000))
    changed: discovery.Filter = {"propertyName": STAMP, "operator": "GTE", "value": since}
    search = discovery.search(client.deals, [changed], wanted.after, [STAMP])
    for found in _gathered(ahead(search, discovery.AHEAD), wanted.spare):
        known = standing(client.deals, executor, list(found), properties)
        # One merged into another is told as that one, at that one's place.
        yield [known[id] for id in found if id in known and str(known[id]["id"]) == id]


def _gathered(pages: Iterator[Found], spare: Mapping[str, int] = NONE_READ) -> Iterator[Mapping[str, Json]]:
    """Pages put together to ids with records, less those whose last change is known."""
    gathered: dict[str, Json] = {}
    for page in pages:
        gathered |= {id: page.records[id] for id, at in page.stamps.items() if spare.get(id) != at}
        if len(gathered) + BATCH > AT_ONCE:
            yield gathered
            gathered = {}
    if gathered:
        yield gathered


def _accounts(client: Client, executor: Executor, ids: Sequence[str]) -> Mapping[str, str]:
    """Deal → the account it belongs to, "" for none; a deal of which HubSpot says nothing is left out."""
    named = _named(client, ids)
    if silent := [id for id in ids if id not in named]:
        named |= _named(client, silent)
    if silent := [id for id in ids if id not in named]:
        if not named:
            raise UnavailableError("HubSpot does not say to which companies deals belong")
        _log.error("deals whose company HubSpot does not tell; left for a later pass", deals=silent)
    companies = list(dict.fromkeys(id for id in named.values() if id))
    alive = standing(client.companies, executor, companies, [MERGED])
    return {deal: str(alive[company]["id"]) if company in alive else "" for deal, company in named.items()}


def _named(client: Client, ids: Sequence[str]) -> dict[str, str]:
    """Deal → the company it is tied to, the primary one or else the first; "" for none for certain."""
    named: dict[str, str] = {}
    pending: list[Json] = [{"id": id} for id in ids]
    while pending:
        page = client.companies_of(pending[: associations.AT_ONCE])
        asked, pending = pending[: associations.AT_ONCE], pending[associations.AT_ONCE :]
        cursors = {str(one["id"]): one.get("after") for one in asked}
        for ties in associations.ties(page):
            cursor = cursors.pop(ties.id, None)
            primary = next(
                (id for id, types in zip(ties.to, ties.types, strict=True) if PRIMARY in types), ""
            )
            named[ties.id] = primary or named.get(ties.id) or next(iter(ties.to), "")
            if ties.after and not primary and ties.after != cursor:
                pending.append({"id": ties.id, "after": ties.after})
        nobody = associations.without(page, list(cursors), told=len(cursors) < len(asked))
        named |= dict.fromkeys(nobody - named.keys(), "")
    return named


def standing(
    records: Records, executor: Executor, ids: Sequence[str], properties: Sequence[str]
) -> dict[str, Json]:
    """Id → the record that stands for it today: itself, or the survivor of its merge. Absent: it is gone."""
    batches = [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]
    found: dict[str, Json] = {}
    for page in executor.map(lambda batch: records.batch_read(batch, properties), batches):
        for record in listed(page):
            found |= dict.fromkeys((str(record["id"]), *merged_ids(record)), record)
    absent = [id for id in ids if id not in found]
    alone: Iterable[Json | None] = executor.map(lambda id: records.one(id, properties), absent)
    return found | {id: record for id, record in zip(absent, alone, strict=True) if record and "id" in record}


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        return UTC


def _amount(text: str) -> float | None:
    """A finite number, None for anything else."""
    value = float(text) if is_number(text) else None
    return value if value is not None and abs(value) != float("inf") else None


def _truth(value: object) -> bool | None:
    """What a mark of HubSpot's says, None where it says nothing."""
    return {"true": True, "false": False}.get(YES_NO.get(str(value).lower(), ""))
