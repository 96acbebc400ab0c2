"""What a fresh org holds: the companies every simulated CRM has, as a sales team types them into Salesforce.

Values of a field an org does not have are kept and shown once the feature is switched on. Deals and contacts
are made up; so is who belongs to whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from icp_sync.normalize import countries
from icp_sync.simulator import contact_seeds, seeds
from icp_sync.simulator.clock import iso
from icp_sync.simulator.people import LEFT, PEOPLE
from icp_sync.simulator.salesforce.founding import UNASSIGNED
from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.salesforce.picklists import RATINGS, SOURCES, STAGES
from icp_sync.simulator.salesforce.seeded_industries import nearest
from icp_sync.simulator.store import Record, Source

Row = tuple[dict[str, str], Source, int, int]
_TYPES = {
    "PROSPECT": "Prospect",
    "PARTNER": "Technology Partner",
    "RESELLER": "Channel Partner / Reseller",
    "VENDOR": "Other",
}
_CHILD = 0.03
_LONGEST_CITY = 40
_DAY = 86_400_000
_COPIED = {
    "name": "Name",
    "city": "BillingCity",
    "state": "BillingState",
    "country": "BillingCountry",
    "description": "Description",
    "numberofemployees": "NumberOfEmployees",
    "annualrevenue": "AnnualRevenue",
    "founded_year": "YearStarted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """A user as the seeds see one; `id` is what goes into OwnerId."""

    id: str
    type: str = "PERSON"
    archived: bool = False


def fill(org: Org, count: int, *, contacts: bool) -> None:
    """Make accounts, their deals and, if asked, their contacts: the same ones for the same seed and now."""
    listed = list(seeds.companies(count, org.seed, org.clock.now_ms(), _sellers(org)))
    random = Random(f"accounts {org.seed}")  # noqa: S311 - the same accounts for the same seed
    nobody = _id(org, UNASSIGNED)
    made = org.accounts.load(_account(row, nobody, org.integration.id, random) for row in listed)
    _adopt(org, made, random)
    told = list(zip(made, (row[0] for row in listed), strict=True))
    deals = Random(f"deals {org.seed}")  # noqa: S311 - as above
    org.objects["opportunity"].load(
        _deal(org, account, facts, stage, deals) for account, facts in told for stage in _stages(facts, deals)
    )
    if contacts:
        people = Random(f"contacts {org.seed}")  # noqa: S311 - as above
        org.objects["contact"].load(_contacts(org, told, people))


def _id(org: Org, email: str) -> str:
    user = org.user(email)
    return "" if user is None else user.id


def _sellers(org: Org) -> Sequence[Seller]:
    """Everybody who may own an account, in the order of every CRM, so that the dice fall the same."""
    here = [Seller(id=_id(org, person.email)) for person in PEOPLE]
    queue = Seller(id=_id(org, UNASSIGNED), type="QUEUE")
    return (*here, Seller(id=_id(org, LEFT.email), archived=True), queue)


def _account(row: seeds.Seeded, nobody: str, made_by: str, random: Random) -> Row:
    """One company's facts as fields of an account. Nobody's accounts belong to a user made for them."""
    facts, origin, created, modified = row
    values = {field: facts.get(name, "") for name, field in _COPIED.items()}
    if len(values["BillingCity"]) > _LONGEST_CITY:
        values["BillingCity"] = ""  # coordinates, which nobody types into a CRM
    values |= {
        "Website": _website(facts, random),
        "Industry": nearest(facts.get("industry", "")),
        "Ownership": "Public" if facts.get("is_public") == "true" else "",
        "Type": _kind(facts),
        "BillingCountryCode": countries.code(facts.get("country", "")),
        "OwnerId": facts.get("hubspot_owner_id") or nobody,
        "AccountSource": random.choice(SOURCES).value if random.random() < 0.5 else "",
        "Rating": random.choice(RATINGS).value if facts.get("hs_lead_status") else "",
        "LastActivityDate": facts.get("notes_last_contacted", "")[:10],
        "CreatedById": made_by,
        "LastModifiedById": made_by,
        "LastModifiedDate": iso(modified),
    }
    return {name: value for name, value in values.items() if value}, origin, created, modified


def _website(facts: Mapping[str, str], random: Random) -> str:
    """With a scheme, with www, or bare, as it came to whoever typed it."""
    domain = facts.get("domain", "")
    spelled = random.choice((facts.get("website", ""), f"www.{domain}", domain, f"https://{domain}"))
    return spelled if domain else facts.get("website", "")


def _kind(facts: Mapping[str, str]) -> str:
    if facts.get("lifecyclestage") == "customer":
        return "Customer - Direct"
    return _TYPES.get(facts.get("type", ""), "")


def _adopt(org: Org, made: Sequence[Record], random: Random) -> None:
    """A few are subsidiaries of another."""
    for record in made[1:]:
        if random.random() < _CHILD:
            record.props["ParentId"] = org.accounts.id_of(made[random.randrange(len(made))])
            if record.props["ParentId"] == org.accounts.id_of(record):
                del record.props["ParentId"]


def _stages(facts: Mapping[str, str], random: Random) -> Iterator[str]:
    """The stages of a company's deals: as many open ones as it has, and some that are over."""
    running = int(facts.get("hs_num_open_deals") or 0)
    over = max(0, int(facts.get("num_associated_deals") or 0) - running)
    being_worked = [stage.label for stage in STAGES if not stage.closed]
    for _ in range(running):
        yield random.choice(being_worked)
    customer = facts.get("lifecyclestage") == "customer"
    for number in range(over):
        won = (customer and number == 0) or random.random() < 0.4
        yield "Closed Won" if won else "Closed Lost"


def _deal(org: Org, account: Record, facts: Mapping[str, str], stage: str, random: Random) -> Row:
    now = org.clock.now_ms()
    created = random.randrange(account.created, now - _DAY // 24)
    modified = random.randrange(created, now - _DAY // 48)
    over = stage.startswith("Closed")
    day = datetime.fromtimestamp((modified if over else now) / 1000, UTC).date()
    closing = day if over else day + timedelta(days=random.randrange(5, 120))
    values = {
        "Name": f"{account.props.get('Name', '')[:100]}: {random.choice(('new', 'renewal', 'upgrade'))}",
        "AccountId": org.accounts.id_of(account),
        "StageName": stage,
        "Amount": str(random.randrange(2, 240) * 500) if random.random() < 0.8 else "",
        "CloseDate": closing.isoformat(),
        "OwnerId": account.props["OwnerId"],
        "LastStageChangeDate": iso(modified),
        "LastModifiedDate": iso(modified),
    }
    held = {name: value for name, value in values.items() if value}
    return held, Source("IMPORT"), created, modified


def _contacts(org: Org, told: Iterable[tuple[Record, Mapping[str, str]]], random: Random) -> Iterator[Row]:
    for account, facts in told:
        for _ in range(int(facts.get("num_associated_contacts") or 0)):
            person, at = contact_seeds.somebody(random, account)
            values = {
                "FirstName": person["firstname"],
                "LastName": person["lastname"],
                "Email": person["email"],
                "Title": person["jobtitle"],
                "AccountId": org.accounts.id_of(account),
                "OwnerId": account.props["OwnerId"],
                "LastModifiedDate": iso(at),
            }
            yield {name: value for name, value in values.items() if value}, Source("IMPORT"), at, at
