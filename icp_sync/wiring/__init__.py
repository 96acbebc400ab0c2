"""Settings become objects: the only place that knows which CRM, journal and enrichers a connection has."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from icp_sync.domain.buying import Buying
from icp_sync.domain.compile import Compiled, compile_profile
from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.domain.profile import Profile
from icp_sync.domain.roster import Tables
from icp_sync.domain.seal import SealKey
from icp_sync.domain.standing import FIELDS
from icp_sync.enrichers.inbound.kinds import told_by
from icp_sync.errors import ConfigError
from icp_sync.journal import Journal, Keep
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS, FactsMap
from icp_sync.normalize.salesforce_fields import SALESFORCE_DEFAULTS
from icp_sync.ports import Blueprint, Crm
from icp_sync.profile_file import parse_all
from icp_sync.roster_file import LiveTables, load_tables
from icp_sync.settings import Connection, Settings
from icp_sync.sync.cycle import Parts
from icp_sync.sync.draft import Policy
from icp_sync.sync.following import Following
from icp_sync.sync.pacing import Pacing
from icp_sync.sync.vendors import Vendors
from icp_sync.wiring.buying import buying_of, enrichers_of, keys_of, named
from icp_sync.wiring.crms import crm_of
from icp_sync.wiring.seals import seal_key, take_over
from icp_sync.wiring.telling import outgoing_of, quiet_of

__all__ = [
    "DEFAULTS",
    "Wired",
    "blueprint",
    "buying_of",
    "enrichers_of",
    "facts_of",
    "keep_of",
    "keys_of",
    "named",
    "open_journal",
    "parse_profiles",
    "policy_of",
    "seal_key",
    "sources_of",
    "tables_of",
    "take_over",
    "wire",
]

DEFAULTS: Mapping[str, FactsMap] = {"hubspot": HUBSPOT_DEFAULTS, "salesforce": SALESFORCE_DEFAULTS}
"""CRM → the facts its standard fields feed."""

Documents = tuple[tuple[str, str], ...]
"""(file name, YAML text) of each profile, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """One connection with everything that works for it."""

    name: str
    settings: Connection
    journal: Journal
    crm: Crm
    parts: Parts
    facts_map: FactsMap
    types: Mapping[str, FactType]
    key: SealKey
    shared: bool = False
    """Whether the journal's database is another's to close."""

    def blueprint(self, profiles: tuple[Profile, ...]) -> Blueprint:
        return blueprint(self.settings, profiles)


def open_journal(settings: Settings, name: str, within: Journal | None = None) -> Journal:
    """The journal of one connection. Raises ConfigError naming the URL.

    Its audit is signed with the seal key where there is one that can be read. within: one that is open
    already, of any connection: they share its database.
    """
    key: SealKey | None = None
    if settings.seal_file.exists():
        with suppress(ConfigError):  # whoever needs the key says what is wrong with it
            key = seal_key(settings.seal_file)
    journal = (
        Journal.open(settings.journal, name, key)
        if within is None
        else within.for_connection(name).signing_with(key)
    )
    chosen = settings.connections.get(name)
    return journal if chosen is None else journal.listening(quiet_of(settings, chosen))


def wire(
    settings: Settings,
    name: str | None = None,
    *,
    clock: Callable[[], float] = time.time,
    stop: threading.Event | None = None,
    create_seal: bool = False,
    within: Journal | None = None,
) -> Wired:
    """Build a connection. Talks to nobody but the journal. Raises ConfigError with every problem at once.

    within: a journal that is open already, whose database it shares; its owner closes it.
    """
    name, chosen = settings.connection(name)
    stop = stop or threading.Event()
    facts_map, types = facts_of(chosen)
    key = seal_key(settings.seal_file, create=create_seal)
    journal = open_journal(settings, name, within)
    crm = crm_of(name, chosen, facts_map, journal, clock, stop)
    sources = Vendors.of(enrichers_of(chosen, name, crm))
    source = _PolicySource(journal, key, types, chosen, buying_of(chosen, sources), clock)
    parts = Parts(
        crm=crm,
        enrichers=sources,
        journal=journal,
        policy=source,
        clock=clock,
        holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}",
        outputs=chosen.field_properties,
        needs_approval=chosen.apply == "needs_approval",
        pacing=pacing_of(chosen, settings.cluster.partitions if journal.is_shared else 1),
        keep=keep_of(chosen),
        following=following_of(chosen),
        outgoing=outgoing_of(settings, chosen, name, clock=clock, stop=stop),
        lease=settings.cluster.lease,
    )
    return Wired(
        name=name,
        settings=chosen,
        journal=journal,
        crm=crm,
        parts=parts,
        facts_map=facts_map,
        types=types,
        key=key,
        shared=within is not None,
    )


def pacing_of(connection: Connection, partitions: int = 1) -> Pacing:
    """How a backfill of this connection goes about its writes, in so many ranges of ids at most."""
    said = connection.backfill
    return Pacing(
        canary=said.canary,
        watch=said.watch or 0.0,
        wave=said.wave,
        pause=said.pause or 0.0,
        refused=said.refused,
        failed=said.failed,
        changed=said.changed,
        partitions=partitions,
    )


def keep_of(connection: Connection) -> Keep:
    """How long the history of this connection is kept."""
    said = connection.retention
    return Keep(history=said.history, runs=said.runs, gone=said.gone)


def following_of(connection: Connection) -> Following | None:
    """How this connection's deals are followed, None where they are not."""
    said = connection.deals
    return Following(stamp=said.stamp, grace=said.grace or 0.0) if said.followed else None


def facts_of(connection: Connection) -> tuple[FactsMap, Mapping[str, FactType]]:
    """Which property feeds which fact on this connection, and every fact's type."""
    facts_map = FactsMap.from_config(connection.facts, DEFAULTS[connection.crm])
    return facts_map, {**CATALOGUE, **connection.custom_facts}


def sources_of(wired: Wired) -> dict[str, list[str]]:
    """Fact → the sources that can feed it here, in order of rank."""
    found: dict[str, list[str]] = {}
    for source in wired.facts_map.sources:
        found.setdefault(source.fact, []).append(f"crm:{source.property}")
    for enricher in wired.parts.enrichers:
        for fact in enricher.facts:
            found.setdefault(fact, []).append(enricher.name)
    for name, sender in wired.settings.inbound.items():
        for fact in told_by(sender):
            found.setdefault(fact, []).append(name)
    return found


def parse_profiles(documents: Documents, types: Mapping[str, FactType]) -> tuple[Profile, ...]:
    """The profiles of a set of documents. Raises ConfigError with every problem of all of them."""
    return parse_all([(text, name) for name, text in documents], types=types)


def policy_of(profiles: tuple[Profile, ...], version: int, wired: Wired) -> Policy:
    """A policy for profiles that are not active, for trying them out."""
    return Policy(
        compiled=tuple(compile_profile(p) for p in profiles),
        version=version,
        key=wired.key,
        mode=wired.journal.mode(),
        types=wired.types,
        tables=tables_of(wired.settings, profiles, wired.types),
        nobody=wired.settings.nobody,
        editors=wired.settings.editors.seconds,
        limits=wired.settings.guard.limits,
        dead_after=wired.settings.retries.dead_after,
        telling=wired.settings.telling.telling,
        buying=buying_of(wired.settings, wired.parts.enrichers),
    )


def tables_of(connection: Connection, profiles: Sequence[Profile], types: Mapping[str, FactType]) -> Tables:
    """The territories, named accounts and absences these profiles' routes decide by.

    Raises ConfigError with every problem of every file.
    """
    return load_tables(connection.tables_folder, profiles, types=types, currency=profiles[0].currency)


class _PolicySource:
    """The active profiles of the journal, compiled once per version, and the tables as their files stand."""

    def __init__(
        self,
        journal: Journal,
        key: SealKey,
        types: Mapping[str, FactType],
        chosen: Connection,
        buying: Buying,
        clock: Callable[[], float],
    ) -> None:
        self._journal, self._key, self._types, self._clock = journal, key, types, clock
        self._buying = buying
        self._chosen, self._folder = chosen, chosen.tables_folder
        self._active: tuple[int, tuple[Compiled, ...], LiveTables] | None = None
        self._digest = ""
        self._lock = threading.Lock()

    def __call__(self) -> Policy:
        active = self._journal.active()
        if active is None:
            raise ConfigError(
                f"connection {self._journal.connection} has no active profile",
                next_step="icp-sync profile activate",
            )
        version, documents = active
        with self._lock:
            if self._active is None or self._active[0] != version:
                profiles = parse_profiles(documents, self._types)
                live = LiveTables(self._folder, profiles, types=self._types, currency=profiles[0].currency)
                self._active = (version, tuple(compile_profile(p) for p in profiles), live)
            _, compiled, live = self._active
            tables = live.now()
            if self._digest not in ("", tables.digest):  # whom nobody was found for may have somebody now
                self._journal.wake_all(self._clock(), unowned=True)
            self._digest = tables.digest
        return Policy(
            compiled=compiled,
            version=version,
            key=self._key,
            mode=self._journal.mode(),
            types=self._types,
            tables=tables,
            nobody=self._chosen.nobody,
            editors=self._chosen.editors.seconds,
            limits=self._chosen.guard.limits,
            dead_after=self._chosen.retries.dead_after,
            telling=self._chosen.telling.telling,
            buying=self._buying,
        )


def blueprint(connection: Connection, profiles: tuple[Profile, ...]) -> Blueprint:
    """What provisioning makes for a connection and these profiles."""
    properties = connection.field_properties
    flags = sorted({flag.name for profile in profiles for flag in profile.flags})
    return Blueprint(
        group=connection.outputs.group,
        group_label="ICP fit",
        fields={name: prop for name, prop in properties.items() if not FIELDS[name].native},
        options={"flags": tuple((flag, flag) for flag in flags)},
        deal_fields=connection.deal_properties,
        follows_deals=connection.deals.followed,
        tasks=connection.telling.by == "task",
        mark=connection.outputs.views_prefix,
    )
