"""What people and other systems do to a CRM: each verb changes it, and what the simulation knows."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from random import Random

from icp_sync.domain.facts import FactValue, Signal, choice, number
from icp_sync.domain.standing import instant_text
from icp_sync.ports import Editor, Stream
from tests.simulation.company import Company, Hold
from tests.simulation.connected import EDITORS, Connected
from tests.simulation.oracle import DAY, STATES, Truth

TYPED = {"tier": STATES, "lane": ("success", ""), "profile": ("theirs", "mine", "")}


class People(Connected):
    """The office floor."""

    def create(
        self, truth: Truth, *, book: Truth | None = None, owner: str = "", late: float = 0.0
    ) -> Company:
        self.made += 1
        domain = f"c{self.made}.com"
        if book is not None:
            self.vendor.book = {**self.vendor.book, domain: _values(book)}
        signals = (*_signals(truth, self.clock()), _signal("domain", choice(domain), self.clock()))
        account_id = self.crm.create(name=f"C{self.made}", signals=signals, owner=owner, late=late)
        company = Company(id=account_id, truth=truth, book=book, owner=owner or None)
        self.companies[account_id] = company
        self.touch(company)
        return company

    def change(self, company: Company, *, late: float = 0.0, **facts: object) -> None:
        """Its facts are others now, as far as named. What was known once stays known."""
        before = company.truth
        company.truth = replace(before, **facts)  # type: ignore[arg-type]
        self.crm.edit(company.id, signals=_signals(company.truth, self.clock()), late=late)
        if company.truth != before:
            self.touch(company)

    def type_over(self, company: Company, name: str, dice: Random, by: Editor) -> str:
        """Somebody types a value we never wrote there; "" where there is none left, else whose hand."""
        live = self.crm.account(company.id).live
        now = self.clock()
        ever = company.ever.get(name, set())
        left = [value for value in TYPED[name] if value not in ever and value != live.get(name)]
        if name not in live or (not live[name] and "" in left):
            left = [value for value in left if value]
        if not left or name not in live:
            return ""
        value = str(dice.choice(left))
        if name == "tier":
            company.changed = now  # our own is calm no longer while people decide
            company.loose.update(company.undone)
            company.undone.clear()
        self.crm.edit(company.id, live={name: value}, by=by)
        company.holds[name] = Hold(value=value, until=now + EDITORS[by.value])
        company.hand[name] = "people"
        if company.undone.pop(name, None) is not None:
            company.loose.add(name)  # once it is over, we do not write there either
        company.unsure.discard(name)
        return value

    def override(self, company: Company, tier: str, *, days: float = inf) -> None:
        """Somebody fills in, or with "" blanks, the override that is theirs."""
        until = self.clock() + days * DAY
        text = instant_text(float(int(until))) if tier and until < inf else ""
        self.crm.edit(company.id, live={"tier_override": tier, "tier_override_until": text})
        company.override, company.override_until = tier, float(int(until)) if text else inf
        self.touch(company)

    def assign(self, company: Company, owner: str) -> None:
        if self.crm.account(company.id).owner == owner:
            return
        self.crm.edit(company.id, owner=owner)
        company.owner, company.cleared_at = owner, self.clock()
        company.hand["owner"] = "people"

    def archive(self, company: Company) -> None:
        self.archived[company.id] = self.crm.archive(company.id)

    def restore(self, dice: Random) -> None:
        if not self.archived:
            return
        account_id = dice.choice(sorted(self.archived))
        self.crm.restore(self.archived.pop(account_id))
        company = self.companies[account_id]
        company.loose.update(company.undone)
        company.undone.clear()
        company.changed = self.clock()

    def merge(self, loser: Company, survivor: Company) -> None:
        """The survivor keeps its own values, and inherits what we wrote to the other."""
        self.crm.merge(loser.id, survivor.id)
        del self.companies[loser.id]
        for name, values in loser.ever.items():
            survivor.ever.setdefault(name, set()).update(values)
            hold = survivor.holds.get(name)
            if hold is not None and hold.value in values:
                survivor.unsure.add(name)

    def fight(self, company: Company, dice: Random) -> None:
        """A workflow types its own lane each time we wrote ours, for an hour."""
        if company.held("lane", self.clock()):
            return
        for _ in range(10):
            if self.crm.account(company.id).live.get("lane", "success") == "success":
                self.pass_time(60)
                continue
            self.crm.edit(company.id, live={"lane": "success"}, by=Editor.WORKFLOW)
            company.holds["lane"] = Hold(value="success", until=self.clock())
            company.hand["lane"] = "people"
            if company.undone.pop("lane", None) is not None:
                company.loose.add("lane")
            self.pass_time(60)
            self.cycle(Stream.POLL)

    def take_away(self, name: str) -> None:
        self.crm.made.take_away(name)
        self.taken.add(name)


def _signal(fact: str, value: FactValue, at: float) -> Signal:
    return Signal(fact=fact, value=value, source=f"crm:{fact}", observed_at=at)


def _values(truth: Truth) -> dict[str, FactValue]:
    said: dict[str, FactValue] = {}
    if truth.size is not None:
        said["employees"] = number(*truth.size) if isinstance(truth.size, tuple) else number(truth.size)
    if truth.trade:
        said["industry"] = choice(truth.trade)
    return said


def _signals(truth: Truth, at: float) -> tuple[Signal, ...]:
    said = _values(truth)
    said["lifecycle"] = choice("prospect" if truth.prospect else "customer")
    if truth.funded is not None:
        said["last_funding_date"] = number(truth.funded)
    if truth.agency:
        said["business_model"] = choice("agency")
    return tuple(_signal(fact, value, at) for fact, value in said.items())
