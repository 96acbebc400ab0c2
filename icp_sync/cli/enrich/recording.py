"""`icp-sync enrich VENDOR DOMAIN --raw`: one real reply of a vendor, kept as a sample for its manifest.

It is a request like any other and may be paid for: reserved against the budgets before it is sent, and
counted when it has ended, and the vendor's health follows from it. Nothing is remembered of the company.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icp_sync.errors import ConfigError, IcpSyncError, Problem, UnavailableError

if TYPE_CHECKING:
    from icp_sync.journal import Journal
    from icp_sync.ports import Answer, Enricher, Request
    from icp_sync.reporting.opened import Opened

USAGE = "icp-sync enrich VENDOR DOMAIN --raw"
_KEY = "raw {number}"
"""Under which key the journal counts what such a request cost: no company's, so that nothing of one that is
forgotten stays."""


def record(
    words: list[str],
    out: Path | None,
    config: Path | None,
    connection: str | None,
    *,
    as_json: bool,
    dry_run: bool = False,
) -> None:
    """Ask the vendor once and print its reply, or write it to a file that ends in .json.

    dry_run: only say what it would cost. Raises ConfigError when the vendor is not configured or cannot be
    recorded, or the domain is none; IcpSyncError when a budget is used up, UnavailableError where the vendor
    gives no reply.
    """
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import document, note

    _refuse_unfit(words, out)
    with opened(config, connection) as at:
        enricher, entry = _vendor(at, words[0])
        request = _request(at.journal, enricher, words[1])
        if dry_run:
            _tell_price(at.name, enricher, request, as_json=as_json)
            return
        recorded = _recorded(at, enricher, entry, request)
    sample = recorded.sample
    if "status" not in sample:
        why = str(sample.get("answer") or recorded.outcome)
        what = f"there was no reply to record: {why}; {recorded.paid}"
        raise UnavailableError(what, next_step="icp-sync vendors")
    if out is None:
        document(sample)
    else:
        from icp_sync.cli.writing import written_lines

        written_lines(out, json.dumps(sample, ensure_ascii=False, indent=2).splitlines())
        if as_json:
            told = {"connection": at.name, "vendor": enricher.name, "sample": str(out)}
            document({**told, "outcome": recorded.outcome, "credits": recorded.charge})
        else:
            note(f"kept in {out}")
    note(f"{enricher.name}: {recorded.words}; {recorded.paid}")
    file = f"{recorded.outcome}.json"
    note(f"look through it, then keep it as samples/{enricher.name}/{file} beside the vendor's manifest")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """What came of it. charge: the credits that are counted; sure: whether they were really taken."""

    sample: Mapping[str, object]
    outcome: str
    charge: float
    sure: bool

    @property
    def words(self) -> str:
        from icp_sync.sync.told import refusal

        status = self.sample.get("status")
        clean = self.outcome in ("hit", "miss", "ambiguous", "pending")
        return self.outcome if clean else refusal(self.outcome, f"HTTP {status}" if status else "")

    @property
    def paid(self) -> str:
        from icp_sync.reporting.text import credits

        cost = credits(self.charge)
        return f"it cost {cost}" if self.sure else f"it perhaps cost {cost}, which stay counted"


def _refuse_unfit(words: list[str], out: Path | None) -> None:
    from icp_sync.cli.output import precious

    if len(words) != 2:
        raise ConfigError([Problem(where="--raw", what="wants one vendor and one domain", hint=USAGE)])
    problems = precious(out, (".json",))
    if out is not None and out.suffix != ".json":
        problems = [
            Problem(where="--out", what="a sample is a JSON file", hint="name one that ends in .json")
        ]
    if problems:
        raise ConfigError(problems)


def _tell_price(connection: str, enricher: Enricher, request: Request, *, as_json: bool) -> None:
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.text import credits

    if as_json:
        told = {"connection": connection, "vendor": enricher.name, "domain": request.domain}
        document({**told, "apply": False, "credits_most": enricher.price})
    else:
        asked = f"{enricher.name} would be asked about {request.domain or request.name} once"
        Screen.here().say(f"{asked}, for at most {credits(enricher.price)}.")
        Screen.here().say("Nothing was asked and nothing was bought.")


def _vendor(at: Opened, name: str) -> tuple[Enricher, Mapping[str, Any]]:
    """The configured enricher of this name and its entry. Its samples are not looked at: it may be the first
    of them that is to be recorded."""
    import difflib

    from icp_sync.enrichers import load
    from icp_sync.settings.enrichment import name_of
    from icp_sync.wiring import named

    names = []
    for entry in at.connection.enrichers:
        said = name_of(entry)
        if name in (said, entry["use"]) or (":" in entry["use"] and not entry.get("name")):
            try:
                [enricher] = load([entry], rehearsed=False)
            except ConfigError as error:
                problems = [named(problem, [entry], at.name) for problem in error.problems]
                raise ConfigError(problems, next_step=error.next_step) from None
            if name in (enricher.name, entry["use"]):
                return enricher, entry
            said = enricher.name
        names.append(said)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"configured are: {', '.join(names) or 'none'}"
    what = f"no enricher '{name[:64]}' is configured"
    raise ConfigError([Problem(where="--raw", what=what, hint=hint)], next_step="icp-sync vendors --all")


def _request(journal: Journal, enricher: Enricher, text: str) -> Request:
    """The question about a domain, with what the journal knows of its account."""
    from icp_sync.domain.facts import Members
    from icp_sync.domain.why import facts_of_evidence
    from icp_sync.normalize.domains import registrable
    from icp_sync.ports import Request
    from icp_sync.sync.vendors import takes

    domain, name, country = registrable(text), "", ""
    for account_id, named, own in journal.find(text) or journal.find(domain):
        stored = journal.account(account_id)
        value = facts_of_evidence(stored.evidence).get("country") if stored else None
        domain, name = own or domain, named
        country = min(value.known, default="") if isinstance(value, Members) and value.complete else ""
        break
    request = Request(
        account_id="", domain=domain, name=name, country=country, wanted=frozenset(enricher.facts)
    )
    if (domain or name) and takes(enricher, request):
        return request
    what = f"{enricher.name} cannot be asked about '{text[:80]}'" if domain or name else "is no domain"
    hint = "it needs what the journal does not know: name an account that it does" if domain else USAGE
    raise ConfigError([Problem(where=f"'{text[:80]}'", what=what, hint=hint)])


def _recorded(at: Opened, enricher: Enricher, entry: Mapping[str, Any], request: Request) -> _Recorded:
    """The reply, paid for within the budgets; the vendor's health and its answer are counted."""
    from icp_sync.journal.bought import Answered, Tally
    from icp_sync.settings.enrichment import budget_of
    from icp_sync.sync.vendors import Vendors

    ask = getattr(enricher, "recorded", None)
    if not callable(ask):
        what = f"{enricher.name} has no replies to record: it is no manifest"
        raise ConfigError([Problem(where="--raw", what=what)], next_step="icp-sync vendors")
    buying = at.connection.enrichment.buying_with({enricher.name: budget_of(entry)})
    now, key = time.time(), _KEY.format(number=secrets.token_hex(6))
    reserved = at.journal.reserve(
        enricher.name,
        {key: enricher.price},
        now=now,
        run="",
        budgets=buying.budgets,
        retry_unknown_after=buying.retry_unknown_after,
    )
    if over := reserved.over.get(key):
        what = f"the budget '{over}' has nothing left for {enricher.name}"
        raise IcpSyncError(what, next_step="icp-sync vendors")
    health = Vendors.of([enricher])
    health.forgive(enricher.name, at.journal, now)
    sample: Mapping[str, object] = ask(request)
    charge, outcome = sample.get("charge"), str(sample.get("outcome") or "hit")
    health.ended(enricher, [_answer(sample, outcome)], at.journal, now)
    if outcome == "unknown":  # of unknown fate it stays reserved at its full price
        return _Recorded(sample=sample, outcome=outcome, charge=enricher.price, sure=False)
    paid = float(charge) if isinstance(charge, int | float) else enricher.price
    clean = outcome in ("hit", "miss", "ambiguous")
    tally = Tally(fact="", segment="", asked=1, told=int(outcome == "hit"), charge=paid)
    answered = Answered(key=key, kind="none", charge=paid)
    at.journal.record_all(enricher.name, [answered], now=now, tallies=[tally] if clean else [])
    return _Recorded(sample=sample, outcome=outcome, charge=paid, sure=True)


def _answer(sample: Mapping[str, object], outcome: str) -> Answer:
    """What a recorded reply says of the vendor's health."""
    from icp_sync.ports import Hit, Miss, Pending, Unavailable

    if outcome == "hit":
        return Hit(signals=())
    if outcome in ("miss", "ambiguous"):
        return Miss()
    if outcome == "pending":
        return Pending(job="")
    said = f"HTTP {sample['status']}" if "status" in sample else str(sample.get("answer", ""))
    return Unavailable(kind=outcome, message=said)
