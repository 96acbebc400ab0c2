"""A Salesforce org as the `Crm` port: puts the parts of this folder together and holds what they share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from icp_sync.crm.probing import Probed, Wanted
from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import VERSION, Client
from icp_sync.crm.salesforce.identity import identity
from icp_sync.crm.salesforce.login import Credentials, Login
from icp_sync.crm.salesforce.provisioning import check, project, provision, removing
from icp_sync.crm.salesforce.reads import contacts, cutting, deals, discovery, fields
from icp_sync.crm.salesforce.reads.history import History
from icp_sync.crm.salesforce.reads.opportunities import Opportunities
from icp_sync.crm.salesforce.reads.reading import BULK_FROM, FRESH_FOR, Reader
from icp_sync.crm.salesforce.refused import ours as _ours
from icp_sync.crm.salesforce.roster import roster
from icp_sync.crm.salesforce.values import Facts, Values
from icp_sync.crm.salesforce.views import making
from icp_sync.crm.salesforce.views import removing as unmaking
from icp_sync.crm.salesforce.writes.annotating import Annotating
from icp_sync.crm.salesforce.writes.jobs import LEFT_SECONDS, Jobs
from icp_sync.crm.salesforce.writes.tasks import Tasks
from icp_sync.crm.salesforce.writes.writing import Writer
from icp_sync.crm.windows import Windows
from icp_sync.domain.account import Owner
from icp_sync.domain.plan import Outcome, Write
from icp_sync.domain.views import View
from icp_sync.errors import ConfigError, Problem
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
from icp_sync.quota import Carrying, Quota

PAGE = 2_000
"""Accounts of a page: ten collections, and as many as one retrieve takes."""

BULK_PAGE = 10_000
"""The same where bulk jobs write them: a job is worth its dozen calls from 2,000 rows on."""

OWNERS_AT_ONCE = 4
"""Owners travel one call each; more at once wait for each other's locks."""


class Salesforce:
    """Implements `icp_sync.ports.Crm` for the accounts of one org.

    base_url: its My Domain. facts_map: which fields feed which facts. properties: logical field → API name.
    parallel: retrieves at once. stop: set to end every wait. patience: seconds after which a failing call is
    not tried again. vacant_owners: emails of users who stand for nobody. visible_accounts: as the admin
    counts them. bulk_from: accounts from which a full read is a bulk query. bulk_writes: whether large pages
    are written by bulk jobs, remembered in `jobs`; assignment rules will run then. left_job_seconds: how long
    such a job is waited for that was left behind, before it is aborted. clock: monotonic seconds, by which
    what is known of the org's fields grows old. stamp: field of the stamp → API name on opportunities,
    empty where deals are not stamped.
    """

    kind = "salesforce"

    def __init__(
        self,
        *,
        credentials: Credentials,
        base_url: str,
        facts_map: Facts,
        properties: Mapping[str, str],
        version: str = VERSION,
        quota: Quota | None = None,
        name: str = "salesforce",
        parallel: int = 2,
        stop: threading.Event | None = None,
        windows: Windows | None = None,
        page_size: int = 0,
        patience: float = 60.0,
        vacant_owners: Sequence[str] = (),
        visible_accounts: int | None = None,
        bulk_from: int = BULK_FROM,
        fresh_for: float = FRESH_FOR,
        bulk_writes: bool = False,
        jobs: Jobs | None = None,
        left_job_seconds: float = LEFT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        stamp: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        stop = stop or threading.Event()
        self.name = name
        self.quota = quota or Quota({}, connection=name, stop=stop)
        stated = windows or Windows()
        # A trailing pass nearer than any transaction takes would never know what it has settled.
        self._windows = replace(stated, lag=max(stated.lag, check.LATE_COMMITS))
        self._stated = stated
        self._visible_accounts = visible_accounts
        login = Login(credentials, base_url=base_url, name=name, stop=stop, patience=patience)
        self._client = Client(
            login=login,
            base_url=base_url,
            quota=self.quota,
            name=name,
            version=version,
            stop=stop,
            patience=patience,
        )
        self._login = login
        self._executor = Carrying(max_workers=max(1, parallel), thread_name_prefix=name)
        self._catalogue = Catalogue(self._client, properties, name=name, clock=clock)
        self._roster = roster(self._client)
        self._values = Values(self._roster, facts_map, self._catalogue, vacant_owners=vacant_owners)
        self._history = History(self._client, self._values, properties, name=name, clock=clock)
        self._reader = Reader(
            self._client,
            self._catalogue,
            self._values,
            facts=facts_map.properties,
            windows=self._windows,
            executor=self._executor,
            currency=lambda: self.identity().currency,
            name=name,
            page_size=page_size or (BULK_PAGE if bulk_writes else PAGE),
            bulk_from=bulk_from,
            fresh_for=fresh_for,
        )
        # Threads of its own: those above may be busy reading ahead.
        self._transferring = Carrying(OWNERS_AT_ONCE, thread_name_prefix=f"{name}-owners")
        self._writer = Writer(
            self._client,
            self._catalogue,
            self._values,
            executor=self._transferring,
            parallel=OWNERS_AT_ONCE,
            jobs=jobs,
            bulk=bulk_writes,
            left_seconds=left_job_seconds,
        )
        self._stamp = dict(stamp)
        self._annotating = Annotating(self._client, self._stamp)
        self._tasks = Tasks(self._client, self._roster)
        self._identity: Identity | None = None
        self._lock = threading.Lock()

    @property
    def disabled(self) -> Mapping[str, str]:
        """Outputs the org cannot carry at the moment, with the reason."""
        return dict(self._catalogue.disabled)

    def close(self) -> None:
        """Let go of threads and connections; calls under way end first."""
        for executor in (self._executor, self._transferring):
            executor.shutdown(wait=True, cancel_futures=True)
        self._client.transport.close()
        self._login.transport.close()

    def now(self) -> float:
        return _ours(self._client.now)

    def identity(self) -> Identity:
        """The org, asked once."""
        with self._lock:
            if self._identity is None:
                self._identity = _ours(lambda: identity(self._client))
            return self._identity

    def pages(self, query: Query) -> Iterator[Page]:
        self.identity()
        pages = _ours(lambda: self._reader.pages(query))
        try:
            while (page := self._page(pages)) is not None:
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
        self._writer.recover()
        return self._writer.write(writes)

    def check(self, blueprint: Blueprint) -> list[Problem]:
        return check.check(
            self._client,
            self._catalogue,
            self._roster,
            blueprint,
            self._stated,
            visible_accounts=self._visible_accounts,
        )

    def history(self, ids: Sequence[str], fields: Sequence[str]) -> Edits:
        return _ours(lambda: self._history.of(ids, fields))

    def provision(
        self, blueprint: Blueprint, *, apply: bool, remove: bool = False, force: bool = False
    ) -> list[Step]:
        client, catalogue = self._client, self._catalogue
        if remove:
            return _ours(lambda: removing.remove(client, catalogue, blueprint, apply=apply, force=force))
        return _ours(lambda: provision.provision(client, catalogue, blueprint, apply=apply))

    def probe(self, wanted: Wanted) -> Probed:
        """See `icp_sync.crm.probing`."""
        from icp_sync.crm.salesforce.probing import probe

        return _ours(lambda: probe(self._client, wanted))

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
        run = unmaking.remove if remove else making.views
        return _ours(lambda: run(self._client, wanted, blueprint, known, apply=apply, force=force, note=note))

    def project(
        self, blueprint: Blueprint, views: Sequence[View] = ()
    ) -> tuple[Mapping[str, str], list[Step]]:
        """What provisioning would deploy, these views with it, as a project for the Salesforce CLI, and what
        it cannot hold."""
        return _ours(lambda: project.project(self._client, self._catalogue, blueprint, views))

    def owners(self) -> tuple[Owner, ...]:
        return _ours(self._roster.owners)

    def deals(self, since: int, *, after: str = "", spare: Mapping[str, int] = NONE_READ) -> Iterator[Deal]:
        wanted = deals.Wanted(since=since, after=after, spare=spare)
        found = deals.deals(self._client, self._roster, wanted, lambda: self.identity().currency, self._stamp)
        while (deal := _ours(lambda: next(found, None))) is not None:
            yield deal

    def annotate(self, kind: str, notes: Sequence[Note]) -> Iterable[Noted]:
        """Sends while the answers are consumed; what is not consumed may not be sent."""
        if kind != "deals":
            raise ConfigError(f"Salesforce: {kind!r} cannot be annotated, only deals can")
        return self._annotating.write(notes)

    def give_task(self, task: Task) -> Noted:
        return self._tasks.give(task)

    def related(self, ids: Sequence[str], kind: str) -> Mapping[str, tuple[Related, ...]]:
        if kind != "contacts":
            raise ConfigError(f"Salesforce: {kind!r} cannot be read here, only contacts can")
        return _ours(lambda: contacts.contacts(self._client, self._executor, ids))

    def fields(self) -> tuple[CrmField, ...]:
        _ours(self._catalogue.refresh)
        return _ours(lambda: fields.fields(self._client, self._catalogue, self._counted()))

    def sample(self, properties: Sequence[str], limit: int) -> Sequence[Mapping[str, str | None]]:
        _ours(self._catalogue.refresh)
        return _ours(
            lambda: fields.sample(
                self._client, self._catalogue, self._counted(), self._executor, properties, limit
            )
        )

    def _counted(self) -> Opportunities:
        """Opportunities as if nobody had asked for them before."""
        return Opportunities(self._client, wanted=True, name=self.name)

    def canonical(self, field: str, raw: str | None) -> str:
        return _ours(lambda: self._values.canonical(field, raw))

    def _page(self, pages: Iterator[Page]) -> Page | None:
        """The next page, read when no job of ours is still at work unwatched: it shows what they came to."""
        self._writer.recover()
        return _ours(lambda: next(pages, None))
