"""Records as the API shows them: chosen properties, history, stamps, the address in the user interface."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from icp_sync.simulator.clock import iso
from icp_sync.simulator.hubspot.catalogue import Catalogue
from icp_sync.simulator.hubspot.portal import DERIVED, TYPE_IDS, Portal, derived
from icp_sync.simulator.store import Entry, Record

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Which properties to show. Names without a definition are dropped in silence."""

    stored: tuple[str, ...]
    worked_out: tuple[str, ...]
    history: tuple[str, ...] = ()


def view(portal: Portal, wanted: Iterable[str], history: Iterable[str] = ()) -> View:
    """What to show for the properties asked for; the defaults where none were, system ones always."""
    catalogue = portal.catalogue
    return _view(catalogue, catalogue.generation, tuple(wanted), tuple(history))


@lru_cache(maxsize=256)
def _view(catalogue: Catalogue, generation: int, wanted: tuple[str, ...], history: tuple[str, ...]) -> View:
    past = tuple(name for name in dict.fromkeys(history) if catalogue.get(name))
    names = [n for n in dict.fromkeys((*wanted, *past)) if catalogue.get(n)] or list(catalogue.defaults)
    shown = dict.fromkeys((*names, *catalogue.system))
    return View(
        stored=tuple(n for n in shown if n not in DERIVED),
        worked_out=tuple(n for n in shown if n in DERIVED),
        history=past,
    )


def document(portal: Portal, record: Record, shown: View, *, whole_history: bool = False) -> Json:
    """One record: never set is null, cleared is "". Its history may lag, unless the whole of it is wanted."""
    held = record.props
    properties: dict[str, str | None] = {name: held.get(name) for name in shown.stored}
    for name in shown.worked_out:
        properties[name] = derived(record, name)
    body: Json = {
        "id": str(record.id),
        "properties": properties,
        "createdAt": iso(record.created),
        "updatedAt": iso(record.modified),
        "archived": record.archived_at is not None,
        "url": f"https://app.hubspot.com/contacts/{portal.account.id}/record/{TYPE_IDS[portal.kind]}/{record.id}",
    }
    if record.archived_at is not None:
        body["archivedAt"] = iso(record.archived_at)
    if shown.history:
        until = portal.clock.now_ms() - int(portal.switches.history_lag * 1000)
        body["propertiesWithHistory"] = {
            name: [_entry(e) for e in portal.store.history(record, name) if whole_history or e.at <= until]
            for name in shown.history
        }
    return body


def _entry(entry: Entry) -> Json:
    body: Json = {
        "value": entry.value,
        "timestamp": iso(entry.at),
        "sourceType": entry.source.type,
    }
    if entry.source.id:
        body["sourceId"] = entry.source.id
    if entry.source.user_id is not None:
        body["updatedByUserId"] = entry.source.user_id
    return body
