"""Held: what waits for a person and why, what the CRM refuses, what people hold, and who was told of what."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, cast
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.access import Role
from icp_sync.console.acting import Act, Done, action, figures_of
from icp_sync.console.beside import counted, failing
from icp_sync.console.rendering import page
from icp_sync.domain.guard import Rule
from icp_sync.errors import ConfigError
from icp_sync.journal import Journal
from icp_sync.reporting import waiting
from icp_sync.reporting.refusals import reasons, refused_for
from icp_sync.reporting.text import counted as said_of

EXAMPLES = 10
"""Accounts shown of each rule before somebody asks for all of them."""
LIMIT = 50
LISTED = 50
"""Accounts held whole, and notices, that are listed."""
EVERY = 15.0
LONGEST = 200
RULES: Mapping[str, str] = {
    Rule.DOWNGRADES: "More accounts would go down a tier within a day than may unseen.",
    Rule.OWNER_MOVES: "More accounts would change hands within a day than may unseen.",
    Rule.EXCLUSIONS: "An account with an open deal would become Not ICP.",
    Rule.ROBOTS: "Something writes our fields back each time we write them: we stopped.",
    Rule.PORTAL: "So many accounts are fought over that all writing waits.",
}
"""What each rule of the guard keeps from landing, for people."""
COUNTS = ("held", "reasons", "sealed")
"""What is counted beside the requests here."""


def routes() -> list[BaseRoute]:
    return [
        Route("/c/{connection}/held", held),
        action("held/pass", Role.APPROVER, _pass),
        action("refused/retry", Role.OPERATOR, _retry),
        action("theirs/release", Role.OPERATOR, _release),
    ]


def held(request: Request) -> Response:
    """Everything that waits for somebody."""
    found = figures_of(request)
    journal, clock = found.place.journal, request.app.state.clock
    data = found.latest.data if found.latest else None
    rule = request.query_params.get("rule", "")
    rule = rule if rule in set(Rule) else ""
    return page(
        request,
        "held.html",
        title="Held",
        made=counted(journal, "held", lambda: _held(journal), clock, every=EVERY),
        meanings=RULES,
        address=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        only=_of_rule(journal, rule, request.query_params.get("after", "")) if rule else None,
        sealed=counted(journal, "sealed", lambda: journal.held(LISTED), clock, every=EVERY),
        reasons=counted(journal, "reasons", lambda: reasons(journal), clock, every=EVERY),
        refused=_refused(journal, request.query_params.get("refused", "")),
        theirs=_theirs(journal, request.query_params.get("theirs", "")),
        failed=failing(journal, *COUNTS),
        counts=data["counts"] if data else None,
        left_alone=data["left_alone"] if data else None,
        alerts=journal.alerts(),
        told=data["notices"] if data else None,
        notices=journal.notices(limit=LISTED),
        listed=LISTED,
        limit=LIMIT,
    )


def _of_rule(journal: Journal, rule: str, after: str) -> dict[str, Any]:
    """The accounts one rule keeps from moving, a page at a time."""
    said, _, account = after[:LONGEST].partition("~")
    try:
        since = float(said)
    except ValueError:
        since = float("-inf")
    since, account = (since, account) if isfinite(since) else (float("-inf"), "")
    holds = journal.holds_page(rule, after=(since, account), limit=LIMIT + 1)
    names = journal.names_of({hold.account_id for hold in holds})
    last = holds[LIMIT - 1] if len(holds) > LIMIT else None
    return {
        "rule": rule,
        "rows": [{**waiting.example(hold), "name": names.get(hold.account_id, "")} for hold in holds[:LIMIT]],
        "more": urlencode({"rule": rule, "after": f"{last.since!r}~{last.account_id}"}) if last else "",
        "begun": bool(after),
    }


def _refused(journal: Journal, after: str) -> dict[str, Any]:
    """Accounts the CRM refused, a page at a time."""
    listed = journal.accounts_page(statuses=("refused", "dead"), after=after[:LONGEST], limit=LIMIT)
    return {
        "rows": listed.accounts,
        "more": urlencode({"refused": listed.after}) if listed.after else "",
        "begun": bool(after),
    }


def _theirs(journal: Journal, after: str) -> dict[str, Any]:
    """Values people hold, a page at a time."""
    account, _, field = after[:LONGEST].partition("~")
    rows = journal.left_alone_page((account, field), LIMIT + 1)
    last = rows[LIMIT - 1] if len(rows) > LIMIT else None
    return {
        "rows": rows[:LIMIT],
        "more": urlencode({"theirs": f"{last.account_id}~{last.field}"}) if last else "",
        "begun": bool(after),
    }


def _held(journal: Journal) -> dict[str, Any]:
    """What each rule keeps, what was let pass and has not landed, and the names of the examples."""
    rules = waiting.waiting(journal, EXAMPLES)
    shown: Any = [example for rule in rules for example in cast(list[Any], rule["examples"])]
    names = journal.names_of({example["account"] for example in shown})
    return {"rules": rules, "let_pass": journal.let_pass(), "names": names}


def _here(act: Act, part: str = "") -> str:
    return f"/c/{quote(act.place.name)}/held{part}"


def _pass(act: Act) -> Done:
    """Let held changes pass: of a rule, or of one account."""
    journal, account = act.place.journal, act.form.get("account", "")
    rule = waiting.the_rule(act.form["rule"]) if act.form.get("rule") else None
    if not (account or rule):
        raise ConfigError("name a rule or an account", next_step="icp-sync status --held")
    ids = [account] if account else None
    released, rules = waiting.let_pass(journal, by=act.user.name, ids=ids, rule=rule, now=act.now)
    said = f"{said_of(released, 'change')} may pass, once and as held."
    return Done(
        what="apply --held",
        said=said if released else "Nothing of that is held any more.",
        then="They land with the next due accounts." if released else "",
        to=_here(act),
        detail={"rule": rule or "", "accounts": ids or [], "rules": rules},
        changed=bool(released),
        outdates=COUNTS,
    )


def _retry(act: Act) -> Done:
    """Try again what the CRM refused: one account, those of one reason, or all."""
    journal, account, key = act.place.journal, act.form.get("account", ""), act.form.get("reason", "")
    if not (account or key or act.form.get("all")):
        raise ConfigError("name an account, a reason, or all", next_step="icp-sync status --refused")
    ids = [account] if account else refused_for(journal, key) if key else None
    woken = journal.retry(ids, now=act.now) if ids is None or ids else []
    said = f"{said_of(len(woken), 'account')} due now."
    return Done(
        what="retry",
        said=said if woken else "Nothing of that is refused or deferred any more.",
        then="The worker tries again within a minute." if woken else "",
        to=_here(act, "#refused"),
        detail={"accounts": len(woken), "ids": woken if account else []},
        changed=bool(woken),
        outdates=COUNTS,
    )


def _release(act: Act) -> Done:
    """A value people hold becomes ours again."""
    journal, account, field = act.place.journal, act.form.get("account", ""), act.form.get("field", "")
    if not account:
        raise ConfigError("name an account", next_step="icp-sync status --left-alone")
    released = journal.release(account, [field] if field else None, now=act.now, run="release")
    said = f"{', '.join(released)} on {account}: ours again."
    return Done(
        what="release",
        said=said if released else f"People hold nothing of that on account {account} any more.",
        then="It is settled with the next due accounts." if released else "",
        to=_here(act, "#theirs"),
        detail={"account": account, "fields": released},
        changed=bool(released),
    )
