"""One account: why it has its tier and owner, what it was, what was written, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.access import Role
from icp_sync.console.acting import Act, Done, action, figures_of
from icp_sync.console.pages.accounts import profiles_of
from icp_sync.console.pages.held import COUNTS
from icp_sync.console.rendering import page
from icp_sync.domain.guard import Rule
from icp_sync.domain.ownership import editor_text
from icp_sync.errors import ConfigError, IcpSyncError
from icp_sync.reporting.explain import explain_account, then, unexplained
from icp_sync.reporting.explain.explanation import held_words, missing_words, told_words
from icp_sync.reporting.explain.past import CAUSES, Moment, moments, writes

if TYPE_CHECKING:
    from icp_sync.domain.compile import Compiled
    from icp_sync.reporting.explain.explanation import Explained

MOMENTS, WRITES = 30, 30
"""The latest changes and writes that are shown."""


def routes() -> list[BaseRoute]:
    path = "accounts/{account}"
    return [
        Route(f"/c/{{connection}}/{path}", account),
        action(f"{path}/release", Role.OPERATOR, release),
        action(f"{path}/retry", Role.OPERATOR, retry),
        action(f"{path}/pass", Role.APPROVER, let_pass),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Where a score lies between 0 and 100. zones: tier, from where on, and how wide; best last."""

    low: int
    high: int
    score: int
    zones: tuple[tuple[str, int, int], ...]
    said: str


def account(request: Request) -> Response:
    """The page. as_of: a day or an instant in the address, for how it was then."""
    found = figures_of(request)
    place, account_id = found.place, request.path_params["account"]
    journal = place.journal
    stored = journal.account(account_id)
    if stored is None:
        raise HTTPException(404, "the journal knows no account with this id")
    version, compiled = profiles_of(place)
    asked = request.query_params.get("as_of", "").strip()[:40]
    past, problem = None, ""
    explained: Explained | None = None
    if asked:
        try:
            past = then(place.opened, account_id, asked, option="the day")
            explained = past.explained
        except IcpSyncError as error:
            problem = "; ".join(p.what for p in getattr(error, "problems", ())) or str(error)
    if not asked or problem:
        explained = (
            explain_account(journal, account_id, version, compiled) if _told(stored, compiled) else None
        )
    story = moments(journal, account_id, MOMENTS)
    return page(
        request,
        "account.html",
        title=stored.name or account_id,
        stored=stored,
        e=explained,
        why_none=unexplained(stored) if compiled else "no profile is active yet",
        range=_range(explained, [one.profile for one in compiled]) if explained else None,
        past=past,
        as_of=asked,
        problem=problem,
        moments=story,
        causes=CAUSES,
        scores=_scores(story),
        writes=writes(journal, account_id, WRITES),
        holds=journal.holds_of(account_id),
        editor_text=editor_text,
        held_words=held_words,
        missing_words=missing_words,
        told_words=told_words,
        address=f"/c/{place.name}/accounts/{quote(account_id, safe='')}",
    )


def _told(stored: Any, compiled: Sequence[Compiled]) -> bool:
    return bool(stored.evidence and compiled)


def _range(explained: Explained, profiles: Sequence[Any]) -> Range | None:
    """The bar, with the bounds of the profile that is shown."""
    shown = next((p.name for p in explained.profiles if p.shown), "")
    tiers = next((profile.tiers for profile in profiles if profile.name == shown), None)
    if tiers is None:
        return None
    bounds = [("D", 0), ("C", tiers.c), ("B", tiers.b), ("A", tiers.a)]
    ends = [*(start for _, start in bounds[1:]), 100]
    low, high, score = explained.low, explained.high, explained.score
    marks = ", ".join(f"{tier} from {start}" for tier, start in reversed(bounds[1:]))
    span = f", between {low} and {high} once everything is known" if low != high else ""
    return Range(
        low=low,
        high=high,
        score=score,
        zones=tuple((t, a, max(0, b - a)) for (t, a), b in zip(bounds, ends, strict=True)),
        said=f"score {score} of 100{span}; {marks}",
    )


def _scores(story: Sequence[Moment]) -> dict[str, Any]:
    """The score over time, oldest first."""
    dated = [one for one in reversed(story) if one.score is not None]
    return {
        "x": [int(one.at) for one in dated],
        "lines": [
            {"name": "score", "values": [one.score for one in dated]},
            {"name": "at least", "values": [one.low for one in dated]},
            {"name": "at most", "values": [one.high for one in dated]},
        ],
    }


def _to(act: Act) -> str:
    return f"/c/{act.place.name}/accounts/{quote(act.params['account'], safe='')}"


def release(act: Act) -> Done:
    """A value people hold, or all of them, becomes ours again; see `icp-sync release`."""
    account_id, field = act.params["account"], act.form.get("field", "")
    fields = [field] if field else None
    released = act.place.journal.release(account_id, fields, now=act.now, run="release")
    said = f"{', '.join(released)}: ours again."
    return Done(
        what="release",
        said=said if released else "People hold no such value there any more.",
        then="It is settled with the next due accounts." if released else "",
        to=_to(act),
        detail={"account": account_id, "fields": released},
        changed=bool(released),
    )


def retry(act: Act) -> Done:
    """What the CRM refused or put off is tried again at once; see `icp-sync retry`."""
    account_id = act.params["account"]
    woken = act.place.journal.retry([account_id], now=act.now)
    return Done(
        what="retry",
        said="Due now." if woken else "Nothing of it is refused or put off any more.",
        then="The worker tries it within a minute." if woken else "",
        to=_to(act),
        detail={"accounts": len(woken), "ids": woken, "note": ""},
        changed=bool(woken),
        outdates=COUNTS,
    )


def let_pass(act: Act) -> Done:
    """What the guard holds of this account goes on, by one rule; see `icp-sync apply --held`."""
    account_id, rule = act.params["account"], act.form.get("rule", "")
    if rule not in set(Rule):
        raise ConfigError("there is no such rule of the guard")
    released = act.place.journal.release_holds(by=act.user.name, rule=rule, ids=[account_id], now=act.now)
    detail: Mapping[str, object] = {
        "rule": rule,
        "accounts": [account_id],
        "rules": {rule: released},
        "note": "",
    }
    return Done(
        what="apply --held",
        said="Let pass." if released else "Nothing waits any more.",
        then="It is written when the account is settled next." if released else "",
        to=_to(act),
        detail=detail,
        changed=bool(released),
        outdates=COUNTS,
    )
