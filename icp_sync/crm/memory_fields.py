"""Which fields a CRM in memory has: what provisioning makes and takes away, and what an admin does to them.

Fields go by their logical names. Values of a field that is gone stay on the records and show again with it,
as an archived property's or a deleted field's do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from icp_sync.crm.canonical import is_number, type_of
from icp_sync.domain.standing import FIELDS, FieldType
from icp_sync.ports import Blueprint, Step, StepKind

KEEPS = "the values stay on the records, and show again when it is made again"


class Fields:
    """names: the fields there are from the start. We did not make them, so we never remove them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._options: dict[str, tuple[str, ...]] = {name: options(name) for name in names}
        self._made: set[str] = set()
        self._users: dict[str, list[str]] = {}
        self._taken: dict[str, tuple[str, ...]] = {}  # field → its options when an admin took it away
        self._dropped: dict[str, set[str]] = {}  # field → options an admin took away
        self._missed: dict[str, set[str]] = {}  # field → options found missing when we wrote them

    def __contains__(self, name: object) -> bool:
        return name in self._options and name not in self.disabled

    @property
    def carried(self) -> Collection[str]:
        """The fields that exist and take what we write."""
        disabled = self.disabled
        return [name for name in self._options if name not in disabled] if disabled else self._options.keys()

    @property
    def disabled(self) -> Mapping[str, str]:
        """Fields that cannot be carried at the moment, with the reason."""
        found = {name: f"there is no field {name}" for name in self._taken}
        for name, values in self._missed.items():
            if missing := values & self._dropped.get(name, set()):
                found.setdefault(name, f"{name} has no option {', '.join(sorted(missing))}")
        return found

    # What an admin does

    def depend(self, name: str, what: str) -> None:
        """Something in the CRM uses a field from now on."""
        self._users.setdefault(name, []).append(what)

    def take_away(self, name: str) -> None:
        self._taken[name] = self._options.pop(name)

    def drop_option(self, name: str, option: str) -> None:
        self._dropped.setdefault(name, set()).add(option)

    def give_back(self, name: str) -> None:
        """The field is as it was before anything was taken away."""
        if name in self._taken:
            self._options[name] = self._taken.pop(name)
        self._dropped.pop(name, None)

    # What the port asks

    def provision(self, blueprint: Blueprint, *, apply: bool) -> list[Step]:
        steps = []
        for name in blueprint.fields:
            wanted = tuple(value for value, _ in blueprint.options.get(name, ())) or options(name)
            have = self._options.get(name)
            dropped = self._dropped.get(name, set())
            missing = [value for value in wanted if value not in (have or ()) or value in dropped]
            if have is None:
                steps.append(Step(kind=StepKind.CREATE, what=name, done=apply))
            elif missing:
                steps.append(Step(kind=StepKind.ADD_OPTION, what=name, detail=", ".join(missing), done=apply))
            else:
                steps.append(Step(kind=StepKind.KEEP, what=name))
            if apply:
                self.give_back(name)
                self._made |= {name} if have is None else set()
                self._options[name] = tuple(dict.fromkeys((*self._options.get(name, ()), *missing)))
        return steps

    def remove(self, *, apply: bool, force: bool) -> list[Step]:
        ours = [name for name in self._options if name in self._made]
        used = [
            Step(kind=StepKind.DEPENDS, what=what, detail=f"it uses {name}")
            for name in ours
            for what in self._users.get(name, ())
        ]
        acts = apply and (force or not used)
        for name in ours if acts else ():
            del self._options[name]
            self._made.discard(name)
        return [*used, *(Step(kind=StepKind.REMOVE, what=name, detail=KEEPS, done=acts) for name in ours)]

    def impossible(self, name: str, value: str, owners: Collection[str]) -> tuple[str, str] | None:
        """The code and sentence with which any CRM would refuse this value, None when it would not."""
        if name not in self._options:
            return "PROPERTY_DOESNT_EXIST", f"there is no field {name}"
        if not value:
            return None
        kind, offered = type_of(name), set(self._options[name]) - self._dropped.get(name, set())
        if kind is FieldType.OWNER and value.lower() not in owners:
            return "INVALID_OPTION", f"{value} is not an owner in this CRM"
        if kind is FieldType.NUMBER and not is_number(value):
            return "INVALID_NUMBER", f"{name}: {value!r} is not a number"
        if self._options[name] and not set(value.split(";")) <= offered:
            return "INVALID_OPTION", f"{name}: {value!r} is not one of {', '.join(sorted(offered))}"
        return None

    def missed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        """Which of these fields cannot be carried any more, now that somebody wants to write them."""
        for name, value in values.items():
            if wanted := set(value.split(";")) & self._dropped.get(name, set()):
                self._missed.setdefault(name, set()).update(wanted)
        return {name: why for name, why in self.disabled.items() if name in values}


def options(name: str) -> tuple[str, ...]:
    known = FIELDS.get(name)
    return known.options if known else ()
