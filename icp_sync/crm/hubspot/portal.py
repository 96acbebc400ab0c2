"""A HubSpot portal as the `Crm` port: puts the parts of this folder together and holds what they share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from pydantic import SecretStr

from icp_sync.crm.hubspot import (
    check,
    contacts,
    cutting,
    deals,
    discovery,
    fields,
    history,
    paths,
    provision,
    removal,
    views,
)
from icp_sync.crm.hubspot.annotating import Annotator
from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.reading import Reader
from icp_sync.crm.hubspot.roster import roster
from icp_sync.crm.hubspot.tasks import Tasks
from icp_sync.crm.hubspot.values import Facts, Values
from icp_sync.crm.hubspot.writing import Writer
from icp_sync.crm.paging import PAGE
from icp_sync.crm.probing import Probed, Wanted
from icp_sync.crm.windows import Windows
from icp_sync.domain.account import Owner
from icp_sync.domain.plan import Outcome, Write
from icp_sync.domain.views import View
from icp_sync.errors import ConfigError, Problem, RequestError, UnavailableError
from icp_sync.ports import (
    NONE_READ,
    Blueprint,
    CrmField,
    Deal,
    Edits,
    Identity,
    Note,
    Noted,
    Page,
    Query,
    Related,
    Step,
    Task,
    Views,
    ViewStep,
    unnoted,
)
from icp_sync.quota import Carrying, Quota, Rate

T = TypeVar("T")

NOTHING: Mapping[str, str] = {}

RATES: Mapping[str, Rate] = {"burst": Rate(100, 10.0), "search": Rate(4, 1.0)}
"""The smallest plan's burst, and four of the five searches a second the whole account has ("API usage
guidelines and limits"). Headers can only lower them; a bigger plan is configured."""


class HubSpot:
    """Implements `icp_sync.ports.Crm` for companies of one portal.

    token: a Service Key's or private app's. version: see `paths.DEFAULT_VERSION`.
    facts_map: which properties feed which facts. properties: logical field → property name. stamp: the same
    of deals, empty where they are not stamped.
    parallel: batches, or ranges of ids, read or written at once (1 to 10 make sense). at_once: requests of
    any kind under way at once, 0 for as many as that makes.
    stop: set to end every wait. patience: seconds after which a failing call is not tried again.
    """

    kind = "hubspot"

    def __init__(
        self,
        *,
        token: SecretStr,
        facts_map: Facts,
        properties: Mapping[str, str],
        stamp: Mapping[str, str] = NOTHING,
        base_url: str = "https://api.hubapi.com",
        version: str = paths.DEFAULT_VERSION,
        quota: Quota | None = None,
        name: str = "hubspot",
        parallel: int = 10,
        at_once: int = 0,
        stop: threading.Event | None = None,
        windows: Windows | None = None,
        page_size: int = PAGE,
        patience: float = 60.0,
    ) -> None:
        if version not in paths.VERSIONS:
            raise ConfigError(
                f"HubSpot API version {version!r} is not one of {', '.join(paths.VERSIONS)}",
                next_step="correct `version` of this connection",
            )
        stop = stop or threading.Event()
        self.name = name
        self.quota = quota or Quota(RATES, connection=name, stop=stop)
        self._windows = windows or Windows()
        self._client = Client(
            token=token,
            base_url=base_url,
            version=version,
            quota=self.quota,
            name=name,
            stop=stop,
            connections=parallel + 6,
            patience=patience,
            at_once=at_once,
        )
        self._executor = Carrying(max_workers=max(1, parallel), thread_name_prefix=name)
        self._catalogue = Catalogue(self._client, properties, name=name)
        self._roster = roster(self._client)
        self._values = Values(self._roster, facts_map)
        self._reader = Reader(
            self._client,
            self._catalogue,
            self._values,
            facts=facts_map.properties,
            windows=self._windows,
            executor=self._executor,
            currency=lambda: self.identity().currency,
            page_size=page_size,
            ranges=parallel,
        )
        self._hands = history.Hands()
        self._writer = Writer(
            self._client,
            self._catalogue,
            self._values,
            read=self._reader.read,
            executor=self._executor,
            hands=self._hands,
        )
        self._stamp = dict(stamp)
        self._annotator = Annotator(self._client, self._stamp, self._executor)
        self._tasks = Tasks(self._client, self._roster, self._executor)
        self._identity: Identity | None = None
        self._lock = threading.Lock()

    @property
    def disabled(self) -> Mapping[str, str]:
        """Outputs the portal cannot carry at the moment, with the reason."""
        return dict(self._catalogue.disabled)

    def close(self) -> None:
        """Let go of threads and connections; calls under way end first."""
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._client.transport.close()

    def now(self) -> float:
        return _ours(self._client.now)

    def identity(self) -> Identity:
        """The portal, asked once."""
        with self._lock:
            if self._identity is None:
                found = _ours(self._client.account)
                portal = str(found.get("portalId") or "")
                if not portal:
                    raise UnavailableError("HubSpot did not say which portal this is")
                self._client.dialect.time_zone = str(found.get("timeZone") or "")
                self._client.learn_usage()
                self._identity = Identity(
                    id=portal,
                    name=f"HubSpot portal {portal}",
                    production=found.get("accountType") == "STANDARD",
                    currency=str(found.get("companyCurrency") or ""),
                    time_zone=str(found.get("timeZone") or ""),
                )
            return self._identity

    def pages(self, query: Query) -> Iterator[Page]:
        self.identity()
        _ours(self._client.learn_usage)
        pages = self._reader.pages(query)
        try:
            while (page := _ours(lambda: next(pages, None))) is not None:
                yield page
        finally:
            pages.close()

    def cuts(self, parts: int, after: str = "") -> tuple[str, ...]:
        return _ours(lambda: cutting.cuts(self._client, parts, after))

    def fetch(self, ids: Sequence[str]) -> Page:
        self.identity()
        return _ours(lambda: self._reader.fetch(ids))

    def departed(self, since: int) -> Mapping[str, str]:
        return _ours(lambda: discovery.departed(self._client, since))

    def write(self, writes: Sequence[Write]) -> Iterable[Outcome]:
        """Sends while the outcomes are consumed; what is not consumed may not be sent."""
        return self._writer.write(writes)

    def check(self, blueprint: Blueprint) -> list[Problem]:
        return check.check(self._client, self._catalogue, self._roster, blueprint, self._windows)

    def probe(self, wanted: Wanted) -> Probed:
        """See `icp_sync.crm.probing`."""
        from icp_sync.crm.hubspot.probing import probe

        self.identity()
        return _ours(lambda: probe(self._client, wanted))

    def history(self, ids: Sequence[str], fields: Sequence[str]) -> Edits:
        """Fifty accounts a call, with at most the last twenty versions of a property."""
        return _ours(
            lambda: history.edits(
                self._client, self._catalogue, self._values, self._executor, self._hands, ids, fields
            )
        )

    def provision(
        self, blueprint: Blueprint, *, apply: bool, remove: bool = False, force: bool = False
    ) -> list[Step]:
        self._annotator.forget()
        if remove:
            return _ours(
                lambda: removal.remove(self._client, self._catalogue, blueprint, apply=apply, force=force)
            )
        return _ours(lambda: provision.provision(self._client, self._catalogue, blueprint, apply=apply))

    def views(
        self,
        wanted: Sequence[View],
        blueprint: Blueprint,
        known: Mapping[str, str],
        *,
        apply: bool,
        remove: bool = False,
        force: bool = False,
        note: Callable[[ViewStep], None] = unnoted,
    ) -> Views:
        """Active lists: some ten calls."""
        zone = self.identity().time_zone
        asked = views.Wanted(views=wanted, blueprint=blueprint, known=known, zone=zone, note=note)
        if remove:
            return _ours(lambda: views.withdraw(self._client, asked, apply=apply, force=force))
        return _ours(lambda: views.provide(self._client, self._catalogue, asked, apply=apply, force=force))

    def owners(self) -> tuple[Owner, ...]:
        return _ours(self._roster.owners)

    def deals(self, since: int, *, after: str = "", spare: Mapping[str, int] = NONE_READ) -> Iterator[Deal]:
        wanted = deals.Wanted(since=since, after=after, spare=spare)
        identity = self.identity()
        found = deals.deals(self._client, self._roster, self._executor, wanted, identity, self._stamp)
        try:
            while (deal := _ours(lambda: next(found, None))) is not None:
                yield deal
        finally:
            found.close()

    def annotate(self, kind: str, notes: Sequence[Note]) -> Iterable[Noted]:
        """Sends while the answers are consumed; what is not consumed may not be sent."""
        if kind != "deals":
            raise ConfigError(f"HubSpot: {kind!r} cannot be written on here, only deals can")
        return self._annotator.annotate(notes)

    def give_task(self, task: Task) -> Noted:
        return self._tasks.give(task)

    def related(self, ids: Sequence[str], kind: str) -> Mapping[str, tuple[Related, ...]]:
        if kind != "contacts":
            raise ConfigError(f"HubSpot: {kind!r} cannot be read here, only contacts can")
        return _ours(lambda: contacts.contacts(self._client, self._executor, ids))

    def fields(self) -> tuple[CrmField, ...]:
        return _ours(lambda: fields.fields(self._client))

    def sample(self, properties: Sequence[str], limit: int) -> Sequence[Mapping[str, str | None]]:
        return _ours(lambda: fields.sample(self._client, self._executor, properties, limit))

    def canonical(self, field: str, raw: str | None) -> str:
        return _ours(lambda: self._values.canonical(field, raw))


def _ours(call: Callable[[], T]) -> T:
    """The port promises its callers three errors; a refused request of ours is an abandoned cycle to them."""
    try:
        return call()
    except RequestError as error:
        raise UnavailableError(f"HubSpot refused a request: {error}", next_step="icp-sync check") from error
