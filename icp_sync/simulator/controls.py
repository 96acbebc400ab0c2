"""The simulator's own controls: statistics, logs, people's edits, time, faults, switches.

`CONTROLS` is the list of what every CRM has; each takes its arguments as JSON and answers with JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

from icp_sync.simulator.arguments import (
    PAGE,
    entries_after,
    follows_up,
    lateness_given,
    page_size,
    record_named,
    seconds_given,
    stamp_given,
    values_given,
)
from icp_sync.simulator.clock import instant, iso
from icp_sync.simulator.desk import Arguments, Desk, Json, Unusable
from icp_sync.simulator.store import Written

Control = Callable[[Desk, Arguments], Json]


def _stats(desk: Desk, given: Arguments) -> Json:
    state: Json = {
        "records": len(desk.store.live),
        "archived": len(desk.store.archived),
        "index_waiting": desk.index.waiting,
        "now": iso(desk.crm.clock.now_ms()),
    }
    return desk.crm.meter.as_json() | state | desk.plan()


def _writes(desk: Desk, given: Arguments) -> Json:
    """The write log from `after` (a seq) on, `limit` entries, of one `id` or `source` type if asked.

    oldest: the first entry still kept; the log forgets what is older than 200,000 entries.
    """
    wanted = desk.number(str(given["id"])) if "id" in given else None
    source = given.get("source")

    def fits(entry: Written) -> bool:
        return wanted in (None, entry.id) and source in (None, entry.source.type)

    found = [e for e in entries_after(desk.store.log, given, lambda e: e.seq) if fits(e)]
    page = found[: page_size(given)]
    oldest = desk.store.log[0].seq if desk.store.log else 0
    return {"results": [_entry(desk, e) for e in page], "more": len(found) > len(page), "oldest": oldest}


def _requests(desk: Desk, given: Arguments) -> Json:
    found = entries_after(desk.crm.requests, given, lambda entry: int(str(entry["seq"])))
    return {"results": found[: page_size(given)], "more": len(found) > page_size(given)}


def _clear_logs(desk: Desk, given: Arguments) -> Json:
    """Forget the logs and start the statistics anew; records stay."""
    desk.store.log.clear()
    desk.crm.requests.clear()
    desk.crm.meter = type(desk.crm.meter)()
    desk.crm.limits.watch.clear()
    return {}


def _record(desk: Desk, given: Arguments) -> Json:
    """One record with every property that was ever set, its history, and what the index shows of it."""
    record = record_named(desk, given, anything=True)
    indexed = desk.index.visible.get(record.id)
    body = desk.document(record)
    body["mergedInto"] = None if record.merged_into is None else desk.shown(record.merged_into)
    body["indexed"] = None if indexed is None else {desk.stamp_name: iso(indexed.modified)}
    return body


def _find(desk: Desk, given: Arguments) -> Json:
    """Records by `domain` or `name`, exactly."""
    read = desk.domain_of if "domain" in given else desk.name_of
    sought = str(given.get("domain" if "domain" in given else "name", ""))
    records = map(desk.store.records.__getitem__, desk.store.live)
    found = [r for r in records if read(r) == sought]
    return {"results": [_record(desk, {"id": desk.shown(r.id)}) for r in found[:PAGE]]}


def _edit(desk: Desk, given: Arguments) -> Json:
    """A person (or `source`) sets `properties` of the record `id` or `domain`.

    user: who; at: the stamp it gets (then nothing follows up); visible_late: seconds until search sees it.
    """
    record = record_named(desk, given)
    changed = desk.edit(
        record,
        values_given(desk, given, record),
        desk.source(given),
        at=stamp_given(given),
        late=lateness_given(given),
        follow_up=follows_up(given),
    )
    return {"id": desk.shown(record.id), "changed": changed, desk.stamp_name: iso(record.modified)}


def _create(desk: Desk, given: Arguments) -> Json:
    """One new record with `properties`, or `count` of them, tied to their `company` or `account`."""
    made = desk.make(
        given,
        values_given(desk, given, None),
        desk.source(given),
        many=int(str(given.get("count", 1))),
        at=stamp_given(given),
        late=lateness_given(given),
    )
    ids = [desk.shown(record.id) for record in made]
    return {"id": ids[0] if ids else None, "ids": ids}


def _delete(desk: Desk, given: Arguments) -> Json:
    record = record_named(desk, given)
    desk.delete(record, late=lateness_given(given))
    return {"id": desk.shown(record.id)}


def _merge(desk: Desk, given: Arguments) -> Json:
    """Merge the record `from` into the record `into` (ids)."""
    survivor = record_named(desk, {"id": given.get("into")})
    other = record_named(desk, {"id": given.get("from")})
    if survivor is other:
        raise Unusable("a record cannot be merged into itself")
    desk.merge(survivor, other, late=lateness_given(given))
    return {"id": desk.shown(survivor.id)}


def _bump(desk: Desk, given: Arguments) -> Json:
    """Give `ids`, or the first `count` records, one identical stamp (`at`, default now). Values stay."""
    named = given.get("ids")
    if isinstance(named, list):
        records = [record_named(desk, {"id": i}) for i in named]
    else:
        count = int(str(given.get("count", len(desk.store.live))))
        records = [desk.store.records[i] for i in islice(desk.store.live, count)]
    at, late = stamp_given(given), lateness_given(given)
    stamp = desk.crm.clock.now_ms() if at is None else at
    for record in records:
        desk.bump(record, stamp, late=late)
    return {"count": len(records), desk.stamp_name: iso(stamp)}


def _clock(desk: Desk, given: Arguments) -> Json:
    """`advance` seconds, `set` to an instant, `freeze` true (at `at`, default now) or false."""
    clock = desk.crm.clock
    if "set" in given:
        clock.set(instant(given["set"]) / 1000)
    if given.get("freeze") is True:
        clock.freeze(instant(given["at"]) / 1000 if "at" in given else None)
    elif given.get("freeze") is False:
        clock.run()
    if "advance" in given:
        clock.advance(seconds_given(given, "advance"))
    desk.crm.tick()
    return {"now": iso(clock.now_ms()), "epoch": clock.now(), "frozen": clock.frozen}


def _faults(desk: Desk, given: Arguments) -> Json:
    if given:
        desk.crm.faults.add(given.get("rules", dict(given)))
    return {"rules": [rule.as_json() for rule in desk.crm.faults.rules]}


def _no_faults(desk: Desk, given: Arguments) -> Json:
    desk.crm.faults.clear()
    return {"rules": []}


def _settings(desk: Desk, given: Arguments) -> Json:
    """Turn switches; `plan` (off, free, pro) and what else each CRM has change the account."""
    return desk.settle(dict(given))


def _tokens(desk: Desk, given: Arguments) -> Json:
    """Make or change a `token`: whether it is `expired`, and what else each CRM's credentials have."""
    return desk.credentials(given)


def _others(desk: Desk, given: Arguments) -> Json:
    """Other programs on the same allowance: `used` calls at once, and from now on `a_second` calls by the
    simulator's clock and `searches_a_second` by real time; 0 for none. What is not named stays."""
    limits, now = desk.crm.limits, desk.crm.clock.now()
    limits.catch_up(now)
    others = limits.others
    paces = (("a_second", others.a_second), ("searches_a_second", others.searches_a_second))
    others.go(now, *(_pace(given.get(name, pace), name) for name, pace in paces))
    if "used" in given:
        desk.compete(int(_pace(given["used"], "used")))
    return {"used_by_others": others.used, "a_second": others.a_second}


def _pace(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise Unusable(f"{name}: {value!r} is no number from 0 up")
    return float(value)


def _flush(desk: Desk, given: Arguments) -> Json:
    """Make the search index current now."""
    desk.store.show_all()
    return {"index_waiting": desk.index.waiting}


def _reset_all(desk: Desk, given: Arguments) -> Json:
    """Back to the freshly seeded account; clock, switches and tokens stay."""
    return {"records": len(desk.store.live)}


CONTROLS: Mapping[str, Control] = {
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
    "POST bump": _bump,
    "GET clock": _clock,
    "POST clock": _clock,
    "GET faults": _faults,
    "POST faults": _faults,
    "DELETE faults": _no_faults,
    "GET settings": _settings,
    "POST settings": _settings,
    "POST tokens": _tokens,
    "POST others": _others,
    "POST flush": _flush,
    "POST reset": _reset_all,
}


def _entry(desk: Desk, entry: Written) -> Json:
    return {
        "seq": entry.seq,
        "id": desk.shown(entry.id),
        "property": entry.property,
        "value": entry.value,
        "before": entry.before,
        "source": entry.source.type,
        "sourceId": entry.source.id,
        "at": entry.at,
    }
