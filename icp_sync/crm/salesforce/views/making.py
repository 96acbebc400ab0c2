"""Reps' views in an org: formula fields and list views deployed as one, then rights, then page layouts.

Looks, decides, has Salesforce try it, and only then deploys. What Salesforce does not take becomes a
conflict, and the rest is made without it. Doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.provisioning.deploying import Failure, NoRightError, deploy
from icp_sync.crm.salesforce.provisioning.granting import give
from icp_sync.crm.salesforce.provisioning.metadata import Component
from icp_sync.crm.salesforce.views import looking, sections, steps
from icp_sync.crm.salesforce.views.by_hand import by_hand
from icp_sync.crm.salesforce.views.components import shared
from icp_sync.crm.salesforce.views.looking import Listed, Page, Unread
from icp_sync.crm.salesforce.views.page_layouts import written
from icp_sync.crm.salesforce.views.steps import Intent, Learned, Shelf
from icp_sync.crm.whose import provision_first
from icp_sync.domain.views import View
from icp_sync.errors import UnavailableError
from icp_sync.ports import Blueprint, Step, StepKind, Views, ViewStep, unnoted

ROUNDS = 5
"""Deployments tried: what Salesforce will not take is left out of the next."""

NO_REASONS = ViewStep(
    step=Step(
        kind=StepKind.NOTE,
        what="reasons of contacts",
        detail="a formula cannot reach a long text; they are one click away, on the account",
    )
)
PAGE_LAYOUTS = "Setup → Object Manager → Account → Page Layouts"
DYNAMIC = "shows fields of its own (Dynamic Forms), so it does not show the section; see below"


def views(
    client: Client,
    wanted: Sequence[View],
    blueprint: Blueprint,
    known: Mapping[str, str],
    *,
    apply: bool,
    force: bool,
    note: Callable[[ViewStep], None] = unnoted,
) -> Views:
    """The steps to the views, taken when `apply`, else only tried by Salesforce."""
    work = _Work(client, wanted, blueprint, known, force=force)
    work.refuse_unprovisioned()
    try:
        planned = work.tried()
        if apply:
            planned = work.taken(planned, note)
    except NoRightError as error:
        planned = work.untaken(f"we may not change metadata: {error}")
    return work.told(planned)


def lacking(
    client: Client, wanted: Sequence[View], blueprint: Blueprint
) -> tuple[list[Component], list[Step]]:
    """What of reps' views a project for this org must hold, and the steps no project can take.

    Fields that are not there come with the project; what could not be read is held to be missing, and told.
    """
    work = _Work(client, wanted, blueprint, {}, force=False)
    return work.lacking()


class _Work:
    """One making of the views: what is known of the org, and what trying has taught."""

    def __init__(
        self,
        client: Client,
        wanted: Sequence[View],
        blueprint: Blueprint,
        known: Mapping[str, str],
        *,
        force: bool,
    ) -> None:
        self._client = client
        self._wanted = wanted
        self._blueprint = blueprint
        self._known = known
        self._force = force
        self._setup = looking.look(client, blueprint)
        self._learned = Learned()
        self._plain: Mapping[str, str] = {}  # list views refused with plain names of fields → why
        self._described: dict[str, Json | Unread] = {}
        self._refused = False
        self._own = sections.of(blueprint, self._setup.missing)

    def refuse_unprovisioned(self) -> None:
        """Raise ConfigError where the org has none of the fields that views filter by."""
        fields = self._blueprint.fields
        names = dict.fromkeys(fields[view.field] for view in self._wanted if view.field in fields)
        if names and self._setup.missing.issuperset(name.lower() for name in names):
            raise provision_first(list(names))

    def tried(self) -> list[Intent]:
        """The plan less what Salesforce does not take of it; nothing is changed."""
        for _ in range(ROUNDS):
            planned = self._plan()
            components = self._components(planned)
            if not components:
                return planned
            new = frozenset(one.full_name.lower() for one in components) - self._seen()
            failures = deploy(self._client, components, check_only=True, new=new)
            if not failures:
                return planned
            self._learn(failures, components)
        names = ", ".join(one.name for one in failures)
        raise UnavailableError(f"Salesforce refuses every time something else: {names}")

    def taken(self, planned: Sequence[Intent], note: Callable[[ViewStep], None]) -> list[Intent]:
        """The plan, taken."""
        components = self._components(planned)
        failures = deploy(self._client, components, check_only=False) if components else []
        if failures:
            why = "; ".join(f"{one.name}: {one.problem}" for one in failures)
            raise UnavailableError(f"the org changes while we look at it: {why}")
        listed = looking.told(lambda: looking.listed(self._client)) if components else self._setup.views
        done = []
        for one in planned:
            done.append(self._done(one, listed))
            if done[-1].told.step.done:
                note(done[-1].told)
        return done

    def untaken(self, why: str) -> list[Intent]:
        """The plan when nothing of it may be done."""
        self._refused = True
        going = (StepKind.CREATE, StepKind.ADD_OPTION, StepKind.RESTORE, StepKind.UPDATE)
        return [one.turned(StepKind.NOTE, why) if one.kind in going else one for one in self._plan()]

    def lacking(self) -> tuple[list[Component], list[Step]]:
        setup = self._setup
        unread = {"list views": setup.views, "fields of contacts": setup.formulas}
        steps = [
            Step(
                kind=StepKind.CONFLICT, what=what, detail=f"{found.why}; the project replaces those there are"
            )
            for what, found in unread.items()
            if isinstance(found, Unread)
        ]
        self._setup = replace(
            setup,
            missing=frozenset(),
            views=() if isinstance(setup.views, Unread) else setup.views,
            formulas={} if isinstance(setup.formulas, Unread) else setup.formulas,
        )
        self._own = sections.of(self._blueprint)
        planned = self._plan()
        return self._components(planned), [*steps, *_for_hands(planned)]

    def told(self, planned: Sequence[Intent]) -> Views:
        dynamic = self._setup.dynamic
        fields = self._blueprint.fields
        notes = [NO_REASONS] if shared(fields) and "reasons" in fields else []
        notes += [
            ViewStep(step=Step(kind=StepKind.NOTE, what=f"Lightning page {page}", detail=DYNAMIC))
            for page in (() if isinstance(dynamic, Unread) else dynamic)
        ]
        hands = by_hand(planned, self._wanted, self._setup, self._own, refused=self._refused)
        return Views(steps=(*(one.told for one in planned), *notes), by_hand=hands)

    def _plan(self) -> list[Intent]:
        setup, fields = self._setup, self._blueprint.fields
        formulas = list(steps.formulas(setup, self._blueprint, self._learned))
        usable = frozenset(
            target.lower()
            for target, one in zip(shared(fields).values(), formulas, strict=True)
            if one.kind in (StepKind.CREATE, StepKind.KEEP)
        )
        shelf = Shelf(
            setup=setup,
            blueprint=self._blueprint,
            known=self._known,
            learned=self._learned,
            describe=self._describe,
            usable=usable,
        )
        return [
            *formulas,
            *steps.views(self._wanted, shelf),
            *steps.grants(setup, fields, usable),
            *steps.layouts(setup, self._blueprint, self._own),
        ]

    def _describe(self, view: Listed) -> Json | Unread:
        """Asked once of each."""
        if view.id not in self._described:
            self._described[view.id] = looking.described(self._client, view)
        return self._described[view.id]

    def _components(self, planned: Sequence[Intent]) -> list[Component]:
        going = [one for one in planned if self._force or one.kind is not StepKind.RESTORE]
        return [one.component for one in going if one.component is not None]

    def _seen(self) -> frozenset[str]:
        listed = () if isinstance(self._setup.views, Unread) else self._setup.views
        return frozenset(one.full_name.lower() for one in listed)

    def _learn(self, failures: Sequence[Failure], components: Sequence[Component]) -> None:
        names = {one.full_name.lower(): one.kind for one in components}
        blamed = dict(_blamed(failures, names))
        views = {name for name, kind in names.items() if kind == "ListView"}
        learned = self._learned
        if blamed.keys() <= views and not self._plain and not any(one.there for one in failures):
            self._plain = blamed
            self._learned = replace(learned, prefixed=True)
            return
        if blamed.keys() == self._plain.keys():  # neither spelling helps
            blamed, learned = dict(self._plain), replace(learned, prefixed=False)
        self._learned = replace(learned, refused={**learned.refused, **blamed})

    # Taking

    def _done(self, one: Intent, listed: tuple[Listed, ...] | Unread) -> Intent:
        if one.component is not None and (self._force or one.kind is not StepKind.RESTORE):
            return self._made(one, one.component, listed)
        if one.rows and one.wanted is not None:
            name = one.told.step.what.removeprefix("permission set ")
            problem = give(self._client, name, one.wanted, one.rows)
            return one.turned(StepKind.CONFLICT, problem) if problem else _done(one)
        if one.page is not None:
            problem = self._with_section(one.page)
            return one.turned(StepKind.CONFLICT, problem) if problem else _done(one)
        return one

    def _made(self, one: Intent, made: Component, listed: tuple[Listed, ...] | Unread) -> Intent:
        found = () if isinstance(listed, Unread) else listed
        ids = {view.full_name.lower(): view.id for view in found}
        id = ids.get(made.full_name.lower(), "")
        return _done(replace(one, told=replace(one.told, id=id or one.told.id)))

    def _with_section(self, page: Page) -> str:
        """Put our section on a layout; why that could not be done, "" when it could."""
        own = self._own

        def change(now: Json) -> Json | str:
            found = sections.ours(now, own)
            if found is not None:
                return sections.renewed(now, own) if sections.outdated(found, own) else ""
            there = sections.shows(now, own)
            return steps.not_alone(own) if there else sections.added(now, own)

        return written(self._client, page, own, change)


def _for_hands(planned: Sequence[Intent]) -> Iterator[Step]:
    """What of a plan no project can hold. A permission set that is not there comes with one."""
    for one in planned:
        if one.page is not None and one.kind is StepKind.CREATE:
            yield replace(one.told.step, detail=PAGE_LAYOUTS)
        elif one.rows or one.kind is StepKind.CONFLICT or (one.told.key and one.kind is StepKind.NOTE):
            yield one.told.step


def _done(one: Intent) -> Intent:
    return replace(one, told=replace(one.told, step=replace(one.told.step, done=True)))


def _blamed(failures: Sequence[Failure], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Lower-case component → why. A field that fails takes along the views that name it, so fields first."""
    for kind in ("CustomField", "ListView"):
        found = [one for one in failures if names.get(one.name.lower()) == kind]
        for one in found:
            yield one.name.lower(), steps.HIDDEN if one.there else one.problem
        if found:
            return
    raise UnavailableError(
        "Salesforce refuses it: " + "; ".join(f"{one.kind} {one.name}: {one.problem}" for one in failures)
    )
