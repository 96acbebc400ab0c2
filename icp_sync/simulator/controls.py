"""The simulator's own controls: statistics, logs, people's edits, time, faults, switches.

`CONTROLS` is the list of what there is; each takes its arguments as JSON and answers with JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

from icp_sync.simulator.arguments import (
    PAGE,
    Arguments,
    Unusable,
    entries_after,
    follows_up,
    lateness_given,
    page_size,
    record_named,
    seconds_given,
    source_given,
    stamp_given,
    values_given,
)
from icp_sync.simulator.clock import instant, iso
from icp_sync.simulator.hubspot.documents import document, view
from icp_sync.simulator.hubspot.portal import CONTACTS, Portal, Token
from icp_sync.simulator.store import Written

Json = dict[str, object]


def _stats(portal: Portal, given: Arguments) -> Json:
    state: Json = {
        "records": len(portal.store.live),
        "archived": len(portal.store.archived),
        "index_waiting": portal.index.waiting,
        "used_today": portal.limits.used_today,
        "plan": portal.limits.plan,
        "now": iso(portal.clock.now_ms()),
    }
    return portal.meter.as_json() | state


def _writes(portal: Portal, given: Arguments) -> Json:
    """The write log from `after` (a seq) on, `limit` entries, of one `id` or `source` type if asked.

    oldest: the first entry still kept; the log forgets what is older than 200,000 entries.
    """
    wanted = int(str(given.get("id", 0)))
    source = given.get("source")

    def fits(entry: Written) -> bool:
        return (not wanted or entry.id == wanted) and source in (None, entry.source.type)

    found = [e for e in entries_after(portal.store.log, given, lambda e: e.seq) if fits(e)]
    page = found[: page_size(given)]
    oldest = portal.store.log[0].seq if portal.store.log else 0
    return {"results": [_entry(e) for e in page], "more": len(found) > len(page), "oldest": oldest}


def _requests(portal: Portal, given: Arguments) -> Json:
    found = entries_after(portal.requests, given, lambda entry: int(str(entry["seq"])))
    return {"results": found[: page_size(given)], "more": len(found) > page_size(given)}


def _clear_logs(portal: Portal, given: Arguments) -> Json:
    """Forget the logs and start the statistics anew; records stay."""
    portal.store.log.clear()
    portal.requests.clear()
    portal.meter = type(portal.meter)()
    return {}


def _record(portal: Portal, given: Arguments) -> Json:
    """One record with every property that was ever set, its history, and what the index shows of it."""
    record = record_named(portal, given, anything=True)
    shown = view(portal, portal.catalogue.all, record.history or ())
    indexed = portal.index.visible.get(record.id)
    body = document(portal, record, shown)
    properties = body["properties"]
    if isinstance(properties, dict):
        body["properties"] = {name: value for name, value in properties.items() if value is not None}
    body["mergedInto"] = None if record.merged_into is None else str(record.merged_into)
    body["indexed"] = None if indexed is None else {"hs_lastmodifieddate": iso(indexed.modified)}
    return body


def _find(portal: Portal, given: Arguments) -> Json:
    """Records by `domain` or `name`, exactly."""
    name = "domain" if "domain" in given else "name"
    sought = str(given.get(name, ""))
    records = map(portal.store.records.__getitem__, portal.store.live)
    found = [r for r in records if r.props.get(name, "") == sought]
    return {"results": [_record(portal, {"id": r.id}) for r in found[:PAGE]]}


def _edit(portal: Portal, given: Arguments) -> Json:
    """A person (or `source`) sets `properties` of the record `id` or `domain`.

    user: who; at: the stamp it gets (then nothing follows up); visible_late: seconds until search sees it.
    """
    record = record_named(portal, given)
    kept = portal.effects(record, values_given(portal, given, record))
    changed = portal.store.write(
        record,
        kept,
        source_given(given),
        at=stamp_given(given),
        late=lateness_given(given),
        follow_up=follows_up(given),
    )
    return {"id": str(record.id), "changed": changed, "hs_lastmodifieddate": iso(record.modified)}


def _create(portal: Portal, given: Arguments) -> Json:
    """One new record with `properties`, or `count` of them; contacts may belong to a `company`."""
    company = record_named(portal.companies, {"id": given["company"]}) if "company" in given else None
    if company is not None and portal.kind != CONTACTS:
        raise Unusable("company: only contacts belong to one; say type=contacts")
    kept = portal.effects(None, values_given(portal, given, None))
    many = int(str(given.get("count", 1)))
    at, late, source = stamp_given(given), lateness_given(given), source_given(given)
    made = [portal.store.create(kept, source, at=at, late=late) for _ in range(many)]
    if company is not None:
        portal.tie(company, made)
    ids = [str(record.id) for record in made]
    return {"id": ids[0] if ids else None, "ids": ids}


def _delete(portal: Portal, given: Arguments) -> Json:
    record = record_named(portal, given)
    portal.archive(record)
    return {"id": str(record.id)}


def _merge(portal: Portal, given: Arguments) -> Json:
    """Merge the record `from` into `into`."""
    survivor = record_named(portal, {"id": given.get("into")})
    other = record_named(portal, {"id": given.get("from")})
    if survivor is other:
        raise Unusable("a record cannot be merged into itself")
    portal.merge(survivor, other, late=lateness_given(given))
    return {"id": str(survivor.id)}


def _tie(portal: Portal, given: Arguments) -> Json:
    """Tie `contacts` (ids) to the company `company` (id)."""
    company = record_named(portal.companies, {"id": given.get("company")})
    named = given.get("contacts")
    if not isinstance(named, list):
        raise Unusable("contacts: a list of ids")
    portal.tie(company, [record_named(portal.contacts, {"id": i}, anything=True) for i in named])
    return {"id": str(company.id), "contacts": len(portal.ties.of(company.id))}


def _bump(portal: Portal, given: Arguments) -> Json:
    """Give `ids`, or the first `count` records, one identical stamp (`at`, default now). Values stay."""
    named = given.get("ids")
    if isinstance(named, list):
        records = [record_named(portal, {"id": i}) for i in named]
    else:
        count = int(str(given.get("count", len(portal.store.live))))
        records = [portal.store.records[i] for i in islice(portal.store.live, count)]
    at, late = stamp_given(given), lateness_given(given)
    stamp = portal.clock.now_ms() if at is None else at
    for record in records:
        portal.store.stamp(record, stamp, late=late)
    return {"count": len(records), "hs_lastmodifieddate": iso(stamp)}


def _clock(portal: Portal, given: Arguments) -> Json:
    """`advance` seconds, `set` to an instant, `freeze` true (at `at`, default now) or false."""
    clock = portal.clock
    if "set" in given:
        clock.set(instant(given["set"]) / 1000)
    if given.get("freeze") is True:
        clock.freeze(instant(given["at"]) / 1000 if "at" in given else None)
    elif given.get("freeze") is False:
        clock.run()
    if "advance" in given:
        clock.advance(seconds_given(given, "advance"))
    portal.tick()
    return {"now": iso(clock.now_ms()), "epoch": clock.now(), "frozen": clock.frozen}


def _faults(portal: Portal, given: Arguments) -> Json:
    if given:
        portal.faults.add(given.get("rules", dict(given)))
    return {"rules": [rule.as_json() for rule in portal.faults.rules]}


def _no_faults(portal: Portal, given: Arguments) -> Json:
    portal.faults.clear()
    return {"rules": []}


def _settings(portal: Portal, given: Arguments) -> Json:
    """Turn switches; `plan` (off, free, pro), `currency` and `account_type` change the account."""
    changes = dict(given)
    plan, currency = changes.pop("plan", None), changes.pop("currency", None)
    kind = changes.pop("account_type", None)
    portal.switches.turn(changes)
    if plan is not None:
        portal.limits.choose(str(plan))
    if currency is not None:
        portal.account.currency = str(currency)
    if kind is not None:
        portal.account.type = str(kind)
    return portal.switches.as_json() | {"plan": portal.limits.plan}


def _tokens(portal: Portal, given: Arguments) -> Json:
    """Make or change a `token`: its `scopes`, whether it is `expired`, its `app` in the history."""
    text = str(given.get("token", ""))
    if not text:
        raise Unusable("token: which one?")
    token = portal.tokens.setdefault(text, Token())
    scopes = given.get("scopes")
    if isinstance(scopes, list):
        token.scopes = frozenset(map(str, scopes))
    token.expired = bool(given.get("expired", token.expired))
    token.app = str(given.get("app", token.app))
    return {"token": text, "scopes": sorted(token.scopes), "expired": token.expired}


def _flush(portal: Portal, given: Arguments) -> Json:
    """Make the search index current now."""
    portal.store.show_all()
    return {"index_waiting": portal.index.waiting}


def _reset_all(portal: Portal, given: Arguments) -> Json:
    """Back to the freshly seeded account; clock, switches and tokens stay."""
    return {"records": len(portal.store.live)}


CONTROLS: Mapping[str, Callable[[Portal, Arguments], Json]] = {
    "GET stats": _stats,
    "DELETE stats": _clear_logs,
    "GET writes": _writes,
    "GET requests": _requests,
    "GET record": _record,
    "GET find": _find,
    "POST edit": _edit,
    "POST create": _create,
    "POST delete": _delete,
    "POST merge": _merge,
    "POST tie": _tie,
    "POST bump": _bump,
    "GET clock": _clock,
    "POST clock": _clock,
    "GET faults": _faults,
    "POST faults": _faults,
    "DELETE faults": _no_faults,
    "GET settings": _settings,
    "POST settings": _settings,
    "POST tokens": _tokens,
    "POST flush": _flush,
    "POST reset": _reset_all,
}


def _entry(entry: Written) -> Json:
    return {
        "seq": entry.seq,
        "id": str(entry.id),
        "property": entry.property,
        "value": entry.value,
        "before": entry.before,
        "source": entry.source.type,
        "sourceId": entry.source.id,
        "at": entry.at,
    }
