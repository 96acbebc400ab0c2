"""Asking about companies on a person's word: one account, a company that is none yet, or all that lack facts.

What is bought is journaled and budgeted like everything a stream buys, and the accounts come due, so that
their standing follows in the next cycle. Writes nothing to the CRM.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

from icp_sync.domain.account import NOT_REMEMBERED, Account, Memory
from icp_sync.domain.buying import Budgets, Buy
from icp_sync.domain.facts import LEVELS, Signal, choice
from icp_sync.errors import ConfigError, Problem
from icp_sync.journal import Asked, Journal
from icp_sync.ports import Page, Position, Query, Stream, account_key
from icp_sync.quota import Priority, working_for
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.draft import Draft, Policy, draft
from icp_sync.sync.enrich import Bought, enrich, with_answers
from icp_sync.sync.recalling import as_of_now
from icp_sync.sync.report import Report
from icp_sync.sync.subjects import company_key, per_account, subjects_of
from icp_sync.sync.told import Looked, told_of
from icp_sync.sync.vendors import Vendors, believed
from icp_sync.sync.waterfall import Waterfall

KIND = "enrich"
NOBODY = "?"
"""Before the domain of a company that is no account, as its id while it is asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom to ask about: an account by its id, a company by its domain, or with neither every account.

    vendors: only these, by name; about one company then all they know. limit: accounts read at most. by: who
    asks, for the audit.
    """

    id: str = ""
    domain: str = ""
    vendors: tuple[str, ...] = ()
    limit: int | None = None
    by: str = ""

    @property
    def single(self) -> bool:
        return bool(self.id or self.domain)

    def to_json(self) -> dict[str, object]:
        return {"id": self.id, "domain": self.domain, "vendors": list(self.vendors), "limit": self.limit}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, by: str) -> Wanted:
        vendors = data.get("vendors")
        limit = data.get("limit")
        return cls(
            id=str(data.get("id", "")),
            domain=str(data.get("domain", "")),
            vendors=tuple(map(str, vendors)) if isinstance(vendors, list) else (),
            limit=limit if isinstance(limit, int) else None,
            by=by,
        )


@dataclass(slots=True)
class _Total:
    """What asking about many came to. wanting: accounts something was worth asking about; told: those about
    which something was learned."""

    wanting: int = 0
    told: int = 0
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, looked: Sequence[Looked]) -> None:
        for one in looked:
            self.wanting += bool(one.asks)
            self.told += bool(one.learned)
            before, after = one.before.evaluation, one.after.evaluation
            if before.in_scope and after.in_scope and before.tier != after.tier:
                self.moved[before.tier, after.tier] += 1


def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object] | None:
    """What a command handed over; None when it was cut short: asked again, nobody is paid twice."""
    wanted = Wanted.from_json(asked.args, by=asked.by)
    result = inquire(wanted, parts, replace(scope, apply=True))
    return result if wanted.single or scope.going() else None


@working_for(Priority.SWEEP)
def inquire(wanted: Wanted, parts: Parts, scope: Scope) -> dict[str, object]:
    """Ask, or with `scope.apply` false say what would be asked, as plain JSON (see `sync.told`).

    Raises ConfigError for an account that is gone or a vendor nobody configured, and what the CRM raises.
    """
    _refuse_unknown(wanted, parts)
    journal, report = parts.journal, Report(apply=scope.apply)
    policy = parts.policy()
    if not wanted.domain:
        journal.set_owners(parts.crm.owners(), now=parts.clock())
    run, outcome = "", "failed"
    if scope.apply:
        for name in wanted.vendors:  # a person's word is the trial of a source that is left alone
            Vendors.of(parts.enrichers).forgive(name, journal, parts.clock())
        run = journal.start_run(KIND, now=parts.clock(), detail=wanted.to_json())
    try:
        result = _one(wanted, parts, policy, scope, report, run) if wanted.single else None
        if result is None:
            result = _all(wanted, parts, policy, scope, report, run)
        outcome = "done" if scope.going() else "interrupted"
    finally:
        if run:
            journal.end_run(run, {**report.to_json(), "changes": [], "outcome": outcome}, now=parts.clock())
            _audit(wanted, parts, report, run)
    perhaps = journal.reserved_by(run) if run else {}
    bounds = {
        "budgets_left": budgets_left(journal, policy.buying.budgets, parts.clock(), single=wanted.single),
        "left_alone": left_alone(journal, [e.name for e in parts.enrichers], parts.clock()),
    }
    return {
        "apply": scope.apply,
        "run": run,
        **result,
        **_credits(report),
        "credits_perhaps": perhaps,
        **bounds,
    }


def budgets_left(journal: Journal, budgets: Budgets, now: float, *, single: bool = False) -> dict[str, float]:
    """Credits left of every budget that is set: those with a calendar as the journal has them, that of a run
    as of one that begins now, and of one account where a `single` one is asked about."""
    whole = {"run": budgets.run} | ({"account": budgets.account} if single else {})
    left = {**journal.budget_left(budgets, now=now), **whole}
    return {name: max(0.0, credits) for name, credits in left.items() if isfinite(credits)}


def left_alone(journal: Journal, names: Iterable[str], now: float) -> dict[str, dict[str, object]]:
    """Source → until when it is left alone, and why; of those that are."""
    states = {name: believed(journal.vendor(name), now) for name in names}
    return {
        name: {"until": state.open_until, "kind": state.kind, "message": state.message}
        for name, state in states.items()
        if state.open_until > now
    }


def _audit(wanted: Wanted, parts: Parts, report: Report, run: str) -> None:
    """Who spent what on whom, where anybody was asked."""
    if not report.asked:
        return
    about = {"account": wanted.id} if wanted.id else {"domain": wanted.domain} if wanted.domain else {}
    spent = {"asked": dict(report.asked), "credits": dict(report.credits)}
    parts.journal.audit(KIND, who=wanted.by, now=parts.clock(), run=run, **about, **spent)


def _one(
    wanted: Wanted, parts: Parts, policy: Policy, scope: Scope, report: Report, run: str
) -> dict[str, object]:
    if wanted.vendors:  # whoever is named is asked, whatever it is worth
        policy = replace(policy, buying=replace(policy.buying, mode=Buy.EVERYTHING))
    [looked] = _look(_page(wanted, parts), wanted, parts, policy, report, run, spend=scope.apply)
    if wanted.domain:
        looked = replace(looked, id="")
    knowable = frozenset[str]().union(*(enricher.facts for enricher in parts.enrichers))
    return told_of(looked, parts.journal, policy, report, parts.clock(), knowable=knowable)


def _all(
    wanted: Wanted, parts: Parts, policy: Policy, scope: Scope, report: Report, run: str
) -> dict[str, object]:
    total = _Total()
    query = Query(stream=Stream.BACKFILL, position=Position(), limit=wanted.limit)
    for page in parts.crm.pages(query):
        total.add(_look(page, wanted, parts, policy, report, run, spend=scope.apply))
        scope.ticked(report)
        if not scope.going():
            break
    return {
        "accounts": report.read,
        "wanting": total.wanting,
        "told": total.told,
        "moved": {f"{before} → {after}": n for (before, after), n in sorted(total.moved.items())},
    }


def _look(
    page: Page, wanted: Wanted, parts: Parts, policy: Policy, report: Report, run: str, *, spend: bool
) -> list[Looked]:
    """The accounts of a page before and after asking about them."""
    now, journal = parts.clock(), parts.journal
    page, memory = as_of_now(page, policy, parts.enrichers, journal, parts.crm, now)
    memory = _but_for(memory, page, wanted, parts)
    before = draft(page.accounts, policy, memory, now)
    vendors = Vendors.of(parts.enrichers)
    vendors.experience.read(journal, vendors)
    waterfall = Waterfall(vendors, policy, vendors.experience)
    asks = [waterfall.asks(d, d.known, subjects_of(d, memory, policy, vendors), now) for d in before]
    found = enrich(
        before,
        vendors,
        policy,
        journal,
        memory,
        now=now,
        run=run,
        spend=spend,
        report=report,
        clock=parts.clock,
    )
    after = before
    if spend and found:
        memory = with_answers(memory, before, found, policy)
        after = draft(page.accounts, policy, memory, now)
    if spend:  # whoever is named comes due in any case: an earlier try may have ended before this line
        named = [wanted.id] if wanted.id else []
        journal.wake_accounts([*named, *(d.account.id for d in before if _touched(d, found))], now=now)
    report.saw(after)
    return [
        Looked(id=b.account.id, before=b, after=a, asks=tuple(worth), learned=tuple(_news(b, a)))
        for b, a, worth in zip(before, after, asks, strict=True)
    ]


def _touched(d: Draft, found: Mapping[str, Bought]) -> bool:
    return not found.keys().isdisjoint((company_key(d.account.domain), account_key(d.account.id)))


def _news(before: Draft, after: Draft) -> Iterator[Signal]:
    held = set(map(_same, before.remembered.signals))
    return (signal for signal in after.remembered.signals if _same(signal) not in held)


def _same(signal: Signal) -> tuple[object, ...]:
    return signal.fact, signal.source, signal.value, signal.observed_at


def _page(wanted: Wanted, parts: Parts) -> Page:
    """The one account, read just now; or a company with nothing known of it but its domain."""
    if wanted.domain:
        where = Signal(fact="domain", value=choice(wanted.domain), source="asked", observed_at=0.0)
        account = Account(id=NOBODY + wanted.domain, name="", signals=(where,))
        return Page(stream=Stream.DUE, accounts=(account,), position=Position())
    page = parts.crm.fetch([wanted.id])
    if page.accounts:
        return page
    survivor = page.gone.get(wanted.id, "")
    what = f"merged into {survivor}" if survivor else "the CRM has no such account any more"
    step = f"icp-sync enrich {survivor}" if survivor else ""
    raise ConfigError([Problem(where=f"account {wanted.id}", what=what)], next_step=step)


def _but_for(memory: Memory, page: Page, wanted: Wanted, parts: Parts) -> Memory:
    """The memory with every source that must not be asked as one that was.

    Where vendors are named it is those alone, about one company that company alone; who knows accounts knows
    nothing of a company that is none.
    """
    everybody = {e.name for e in parts.enrichers}
    others = {name for name in everybody if wanted.vendors and name not in wanted.vendors}
    if wanted.domain:
        others |= {e.name for e in parts.enrichers if per_account(e)}
    if not others and not wanted.vendors:
        return memory
    accounts = dict(memory.accounts)
    here = {account.id for account in page.accounts}
    above = {kin.above(level)[0] for kin in memory.kin.values() for level in LEVELS} - here - {""}
    barred = dict.fromkeys(above, everybody if wanted.single else others) | dict.fromkeys(here, others)
    for account_id, names in barred.items():
        known = accounts.get(account_id, NOT_REMEMBERED)
        pending = {name: job for name, job in known.pending.items() if name not in names}
        accounts[account_id] = replace(known, asked=known.asked | names, pending=pending)
    return replace(memory, accounts=accounts)


def _refuse_unknown(wanted: Wanted, parts: Parts) -> None:
    names = [enricher.name for enricher in parts.enrichers]
    if not names:
        raise ConfigError(
            [Problem(where="enrichers", what="there is none to ask")], next_step="icp-sync vendors --all"
        )
    unknown = [name for name in wanted.vendors if name not in names]
    if unknown:
        hint = f"there are: {', '.join(names)}"
        problems = [
            Problem(where=f"--vendor {name[:64]}", what="is not configured", hint=hint) for name in unknown
        ]
        raise ConfigError(problems, next_step="icp-sync vendors --all")


def _credits(report: Report) -> dict[str, object]:
    """Per vendor: requests, hits, credits spent; of a dry run those expected, the most, and of everything."""
    return {
        "asked": dict(report.asked),
        "hits": dict(report.hits),
        "credits": dict(report.credits),
        "credits_most": dict(report.credits_most),
        "credits_everything": dict(report.credits_everything),
        "over_budget": dict(report.over_budget),
    }
