"""The views of a CRM in memory: names and filters by id, and what people do to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

from icp_sync.domain.views import View
from icp_sync.ports import Blueprint, Step, StepKind, Views, ViewStep

Filter = tuple[object, ...]


class Shelf:
    """all: id → (name, filter). allowed: how many there may be, None for as many as wanted."""

    def __init__(self) -> None:
        self.all: dict[str, tuple[str, Filter]] = {}
        self.allowed: int | None = None
        self._ids = count(501)

    # What people do

    def add(self, name: str, *asked: object) -> str:
        """Somebody's own view; its id."""
        id = str(next(self._ids))
        self.all[id] = (name, asked)
        return id

    def rename(self, id: str, name: str) -> None:
        self.all[id] = (name, self.all[id][1])

    def refilter(self, id: str, *asked: object) -> None:
        self.all[id] = (self.all[id][0], asked)

    def drop(self, id: str) -> None:
        del self.all[id]

    # What the port asks

    def provide(
        self,
        wanted: Sequence[View],
        blueprint: Blueprint,
        known: Mapping[str, str],
        *,
        apply: bool,
        force: bool,
    ) -> Views:
        steps = []
        for view in wanted:
            step = self._planned(view, blueprint, known)
            if apply and step.step.kind is StepKind.CREATE:
                step = self._made(view, step, blueprint)
            elif apply and force and step.step.kind is StepKind.RESTORE:
                self.refilter(step.id, *_filter(view, blueprint))
                step = replace(step, step=replace(step.step, done=True))
            steps.append(step)
        lacking = [s.step.what for s in steps if s.step.kind is StepKind.NOTE]
        return Views(steps=tuple(steps), by_hand=(*(f"{name}: by hand" for name in lacking), "as you like"))

    def withdraw(
        self,
        wanted: Sequence[View],
        blueprint: Blueprint,
        known: Mapping[str, str],
        *,
        apply: bool,
        force: bool,
    ) -> Views:
        by_key = {view.key: view for view in wanted}
        found = {key: id for key, id in known.items() if id in self.all}
        for view in wanted:
            if view.key not in found and (id := self._named(view, blueprint)):
                found[view.key] = id
        steps = []
        for key, id in found.items():
            name, asked = self.all[id]
            theirs = key in by_key and asked != _filter(by_key[key], blueprint)
            kept = theirs and not force
            kind = StepKind.KEEP if kept else StepKind.REMOVE
            done = apply and not kept
            if done:
                self.drop(id)
            step = Step(kind=kind, what=name, done=done)
            steps.append(ViewStep(step=step, key=key, id="" if done else id, name=name))
        return Views(steps=tuple(steps))

    def _planned(self, view: View, blueprint: Blueprint, known: Mapping[str, str]) -> ViewStep:
        if view.field not in blueprint.fields:
            return ViewStep(step=Step(kind=StepKind.NOTE, what=view.title), key=view.key)
        id = known.get(view.key, "")
        if id in self.all:
            name, asked = self.all[id]
            kind = StepKind.KEEP if asked == _filter(view, blueprint) else StepKind.RESTORE
            return ViewStep(step=Step(kind=kind, what=view.title), key=view.key, id=id, name=name)
        if id := self._named(view, blueprint):
            step = Step(kind=StepKind.KEEP, what=view.title)
            return ViewStep(step=step, key=view.key, id=id, name=view.title)
        taken = any(name == view.title for name, _ in self.all.values())
        kind = StepKind.CONFLICT if taken else StepKind.CREATE
        return ViewStep(step=Step(kind=kind, what=view.title), key=view.key)

    def _made(self, view: View, step: ViewStep, blueprint: Blueprint) -> ViewStep:
        if self.allowed is not None and len(self.all) >= self.allowed:
            note = Step(
                kind=StepKind.NOTE, what=view.title, detail=f"no more than {self.allowed} are allowed"
            )
            return ViewStep(step=note, key=view.key)
        id = self.add(view.title, *_filter(view, blueprint))
        return replace(step, step=replace(step.step, done=True), id=id, name=view.title)

    def _named(self, view: View, blueprint: Blueprint) -> str:
        """The id of a view of our name and our filter, "" for none."""
        if view.field not in blueprint.fields:
            return ""
        ours = (view.title, _filter(view, blueprint))
        return next((id for id, one in self.all.items() if one == ours), "")


def _filter(view: View, blueprint: Blueprint) -> Filter:
    return (view.of, blueprint.fields.get(view.field, ""), view.values, view.within_days)
