"""`icp-sync enrich VENDOR DOMAIN --raw`: one real reply of a vendor, kept as a sample for its manifest.

It is a request like any other and may be paid for: reserved against the budgets before it is sent, and
counted when it has ended. Nothing is remembered of the company.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icp_sync.errors import ConfigError, IcpSyncError, Problem, UnavailableError

if TYPE_CHECKING:
    from icp_sync.cli.opening import Opened
    from icp_sync.journal import Journal
    from icp_sync.ports import Enricher, Request

USAGE = "icp-sync enrich VENDOR DOMAIN --raw"
_KEY = "raw {number}"
"""Under which key the journal counts what such a request cost: no company's, so that nothing of one that is
forgotten stays."""


def record(
    words: list[str], out: Path | None, config: Path | None, connection: str | None, *, as_json: bool
) -> None:
    """Ask the vendor once and print its reply, or write it to a file that ends in .json.

    Raises ConfigError when the vendor is not configured or cannot be recorded, or the domain is none;
    IcpSyncError when a budget is used up, UnavailableError where the vendor gives no reply.
    """
    from icp_sync.cli.opening import opened
    from icp_sync.cli.output import precious
    from icp_sync.cli.rendering import document, note

    if len(words) != 2:
        raise ConfigError([Problem(where="--raw", what="wants one vendor and one domain", hint=USAGE)])
    problems = precious(out, (".json",))
    if out is not None and out.suffix != ".json":
        problems = [
            Problem(where="--out", what="a sample is a JSON file", hint="name one that ends in .json")
        ]
    if problems:
        raise ConfigError(problems)
    with opened(config, connection) as at:
        enricher, entry = _vendor(at, words[0])
        request = _request(at.journal, enricher, words[1])
        sample = _recorded(at, enricher, entry, request)
    if out is None:
        document(sample)
    else:
        from icp_sync.cli.writing import written_lines

        written_lines(out, json.dumps(sample, ensure_ascii=False, indent=2).splitlines())
        if as_json:
            document({"connection": at.name, "vendor": enricher.name, "sample": str(out)})
        else:
            note(f"kept in {out}")
    file = f"{sample.get('outcome') or 'hit'}.json"
    note(f"look through it, then keep it as samples/{enricher.name}/{file} beside the vendor's manifest")


def _vendor(at: Opened, name: str) -> tuple[Enricher, Mapping[str, Any]]:
    """The configured enricher of this name and its entry."""
    import difflib

    from icp_sync.enrichers import load

    names = []
    for entry in at.connection.enrichers:
        said = str(entry.get("name") or "")
        if name in (said, entry["use"]) or not said:
            [enricher] = load([entry])
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


def _recorded(
    at: Opened, enricher: Enricher, entry: Mapping[str, Any], request: Request
) -> Mapping[str, object]:
    """The reply, paid for within the budgets."""
    from icp_sync.journal.bought import Answered
    from icp_sync.settings.enrichment import budget_of

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
    sample: Mapping[str, object] = ask(request)
    charge, outcome = sample.get("charge"), str(sample.get("outcome") or "hit")
    if outcome != "unknown":  # of unknown fate it stays reserved at its full price
        paid = float(charge) if isinstance(charge, int | float) else enricher.price
        at.journal.record_all(enricher.name, [Answered(key=key, kind="none", charge=paid)], now=now)
    if "status" not in sample:
        why = str(sample.get("answer") or outcome)
        raise UnavailableError(f"there was no reply to record: {why}", next_step="icp-sync vendors")
    return sample
