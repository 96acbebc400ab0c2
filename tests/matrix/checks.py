"""What must hold whatever went wrong: looked up in the simulator's records and its write log, and compared
with an oracle that shares nothing with the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from icp_sync.errors import IcpSyncError
from icp_sync.ports import Stream
from icp_sync.sync.cycle import FOUND_MISSING
from tests.matrix.cells import ONCE, Cell
from tests.matrix.oracle import TOLD, standing
from tests.matrix.places import Portal, Typed

ROUNDS = 10
PAUSE = 4000.0
"""Seconds between two rounds: longer than a trailing pass lags behind and than most delays."""

LONGEST_ERROR = 500


def check_errors(place: Portal, met: Mapping[Stream, IcpSyncError]) -> None:
    """What stopped a stream is said in one sentence, without a page, a traceback or a secret."""
    for error in met.values():
        said = str(error)
        assert 8 <= len(said) <= LONGEST_ERROR, f"no sentence: {said[:200]!r}"
        for awkward in ("\n", "<html", "<body", "Traceback", "object at 0x", place.crm.token):
            assert awkward.lower() not in said.lower(), f"{awkward!r} in {said!r}"


def check_positions(place: Portal, met: Mapping[Stream, IcpSyncError]) -> None:
    """No position is past a change that is not settled, or durably put off."""
    journal = place.wired.journal
    for stream in (Stream.POLL, Stream.TRAILING):
        done_to = journal.position(stream.value).done_to
        for id, stamp in place.touched.items():
            known = journal.account(id) if stamp < done_to else None
            if stamp < done_to:
                assert known is not None, f"{stream} passed {id}, which the journal never met"
                put_off = known.status != "settled" and known.wake_at is not None
                seen = known.stamp >= stamp // 1000 * 1000  # stamps of an org have whole seconds
                assert put_off or seen, f"{stream} passed a change of {id}"
    if Stream.BACKFILL not in met:
        for id in place.live:
            assert journal.account(id) is not None, f"the backfill passed {id}"


def come_to_rest(place: Portal) -> int:
    """Rounds of undisturbed work until one writes nothing of substance; how many."""
    for rounds in range(1, ROUNDS + 1):
        before = _last(place)
        place.pass_time(PAUSE)
        met = place.work(Stream.DUE, Stream.POLL, Stream.TRAILING)
        assert met == {}, f"undisturbed, {met}"
        if not ours(place, before) and place.wired.journal.counts().keys() <= {"settled", "gone"}:
            return rounds
    raise AssertionError(f"it never comes to rest: {place.wired.journal.counts()}")


def check_rest(place: Portal, cell: Cell) -> None:
    """Nothing lost, nothing doubled, nobody's value touched. The write log begins with the day."""
    for id in place.live:
        _check_record(place, id)
    before = _last(place)
    met = place.work(Stream.SWEEP)
    assert met == {}, f"undisturbed, {met}"
    assert ours(place, before) == [], "the sweep found what the other streams had lost"
    assert place.wired.journal.events().get(FOUND_MISSING, 0) == 0, "the sweep found missing changes"
    _check_log(place, cell, ours(place))
    left = {(one.account_id, one.field) for one in place.wired.journal.left_alone()}
    theirs = {(id, name) for id, typed in place.typed.items() for name in typed.values if id in place.live}
    assert left <= theirs, f"values of ours pass for people's: {left - theirs}"


def _check_record(place: Portal, id: str) -> None:
    shown = place.record(id)
    typed = place.typed.get(id, Typed())
    wanted = _standing(place, id, shown)
    for name in TOLD:
        value = _plain(shown.get(place.properties[name], ""))
        if name in typed.values:
            assert value == typed.values[name], f"{name} of {id}: a person's {typed.values[name]} is {value}"
        else:
            assert value in wanted[name], f"{name} of {id} is {value!r}, not one of {set(wanted[name])}"
    override = shown.get(place.properties["tier_override"], "")
    assert override == typed.override, f"the override of {id} is {override!r}, not {typed.override!r}"
    if wanted["tier"] <= {"A", "B"} and not place.bulk:  # a bulk job sets the org's own rules to work
        decided, given = (shown.get(place.properties[name], "") for name in ("routed_owner", "owner"))
        assert given == decided != "", f"{id} was given to {given!r}, not to {decided!r}"


def _check_log(place: Portal, cell: Cell, entries: list[dict[str, Any]]) -> None:
    """Of the day and what followed: values only that belong there, each written once."""
    by_property = {place.properties[name]: name for name in TOLD}
    repeated: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        id, name, value = entry["id"], by_property[entry["property"]], _plain(entry["value"])
        if id not in place.live:
            continue
        typed = place.typed.get(id, Typed())
        assert name not in typed.values, f"{name} of {id}, which a person typed, was written over"
        wanted = _standing(place, id, place.record(id), meanwhile=True)
        assert value in wanted[name], f"{name} of {id} was given {value!r}, never one of {set(wanted[name])}"
        repeated[id, name] += value == _plain(entry["before"])
    most = 0 if not cell.fault.landed else 1 if cell.times == ONCE else len(entries)
    doubled = {key: times for key, times in repeated.items() if times > most}
    assert not doubled, f"written again, {doubled}"


def _standing(
    place: Portal, id: str, shown: Mapping[str, str], *, meanwhile: bool = False
) -> Mapping[str, frozenset[str]]:
    override = place.typed.get(id, Typed()).override
    country, employees = (shown.get(name, "") for name in place.names[2:])
    return standing(employees, country, titled=id in place.titled, override=override, meanwhile=meanwhile)


def ours(place: Portal, after: int = 0) -> list[dict[str, Any]]:
    """What we wrote of substance after an entry of the log."""
    substance = {place.properties[name] for name in TOLD}
    found = place.writes(after)
    return [one for one in found if one["source"] == place.source and one["property"] in substance]


def _last(place: Portal) -> int:
    log = place.writes()
    return int(log[-1]["seq"]) if log else 0


def _plain(value: object) -> str:
    """A number as a person reads it: one CRM says 40, the other 40.00."""
    return str(value).removesuffix(".00").removesuffix(".0")
