"""What two versions of a profile set disagree about, one amendment each, so that each can be tried alone.

Knows profiles only: no accounts, no evaluation. What never moves a tier (timing, routes, pools, examples,
review dates) is no amendment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from icp_sync.domain.conditions import Condition
from icp_sync.domain.profile import Criterion, Effect, Flag, Profile, Tiers
from icp_sync.domain.words import clause, cut

WORDS = 160
"""Characters of a question quoted in `what`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One difference. `name` is the criterion's, the flag's, or what it concerns: tiers, scope, a profile.

    kind: criterion, gate, flag, tiers, coverage, scope, currency or profile. what: in words, such as
    "weight 20 → 40". old, new: the part on either side, None where it is missing. home, destination: the
    profile it stands in before and after.
    """

    kind: str
    name: str
    what: str
    home: str
    destination: str
    old: Criterion | Flag | Tiers | Profile | None
    new: Criterion | Flag | Tiers | Profile | None

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"

    def applied(self, profiles: Sequence[Profile]) -> tuple[Profile, ...]:
        """The earlier profiles with this one thing as it is later."""
        return _swapped(profiles, self.home, self.kind, self.old, self.new)

    def reverted(self, profiles: Sequence[Profile]) -> tuple[Profile, ...]:
        """The later profiles with this one thing as it was earlier."""
        return _swapped(profiles, self.destination, self.kind, self.new, self.old)


Part = Criterion | Flag | Tiers | Profile | None
T = TypeVar("T", bound=Criterion | Flag)


def amendments(before: Sequence[Profile], after: Sequence[Profile]) -> tuple[Amendment, ...]:
    """Every difference that may move a tier, in file order. Profiles are matched by name.

    A profile that alone is left over on both sides was renamed, and so was a criterion or flag whose
    question stayed.
    """
    later = {p.name: p for p in after}
    pairs = [(p, later[p.name]) for p in before if p.name in later]
    gone = [p for p in before if p.name not in later]
    known = {p.name for p in before}
    new = [p for p in after if p.name not in known]
    if len(gone) == len(new) == 1:
        pairs.append((gone.pop(), new.pop()))
    found = [a for old, fresh in pairs for a in _between(old, fresh)]
    found += [_whole(p.name, p, None) for p in gone]
    found += [_whole(p.name, None, p) for p in new]
    return tuple(found)


def _whole(name: str, old: Profile | None, new: Profile | None) -> Amendment:
    what = "new profile" if old is None else "removed profile"
    return Amendment(kind="profile", name=name, what=what, home=name, destination=name, old=old, new=new)


def _between(old: Profile, new: Profile) -> Iterator[Amendment]:
    def amendment(kind: str, name: str, what: str, before: Part, after: Part) -> Amendment:
        return Amendment(
            kind=kind, name=name, what=what, home=old.name, destination=new.name, old=before, new=after
        )

    if old.currency != new.currency:
        yield amendment("currency", "currency", f"{old.currency} → {new.currency}", old, new)
    if (old.score_scope, old.people) != (new.score_scope, new.people):
        yield amendment("scope", "scope", _scope_words(old, new), old, new)
    for before, after in _paired(old.criteria, new.criteria):
        if what := _criterion_words(before, after):
            gate = any(c is not None and c.required for c in (before, after))
            named = after or before
            yield amendment("gate" if gate else "criterion", named.name if named else "", what, before, after)
    for flag, changed in _paired(old.flags, new.flags):
        if what := _flag_words(flag, changed):
            known = changed or flag
            yield amendment("flag", known.name if known else "", what, flag, changed)
    if what := _tier_words(old.tiers, new.tiers):
        yield amendment("tiers", "tiers", what, old.tiers, new.tiers)
    if old.tiers.min_coverage != new.tiers.min_coverage:
        shares = f"{_percent(old.tiers.min_coverage)} → {_percent(new.tiers.min_coverage)}"
        yield amendment("coverage", "min_coverage", shares, old.tiers, new.tiers)


def _paired(old: Sequence[T], new: Sequence[T]) -> Iterator[tuple[T | None, T | None]]:
    """By name, then by question; in the later order, what was removed last."""
    by_name = {part.name: part for part in old}
    left = [part for part in old if part.name not in {p.name for p in new}]
    for part in new:
        before = by_name.get(part.name) or next((o for o in left if o.when == part.when), None)
        left = [o for o in left if o is not before]
        yield before, part
    for part in left:
        yield part, None


def _criterion_words(old: Criterion | None, new: Criterion | None) -> str:
    if old is None or new is None:
        named = new or old
        kind = "gate" if named and named.required else "criterion"
        return f"new {kind}" if old is None else f"removed {kind}"
    said = _asks(old.when, new.when)
    if old.required != new.required:
        said.append("now a gate" if new.required else "no longer a gate")
    elif not new.required and old.weight != new.weight:
        said.append(f"weight {old.weight:g} → {new.weight:g}")
    if not new.required and not old.required and old.unknown != new.unknown:
        said.append(f"unknown {_percent(old.unknown)} → {_percent(new.unknown)}")
    return ", ".join(said)


def _flag_words(old: Flag | None, new: Flag | None) -> str:
    if old is None or new is None:
        return "new flag" if old is None else "removed flag"
    said = _asks(old.when, new.when)
    if (old.effect, old.cap) != (new.effect, new.cap):
        said.append(f"{_effect(old)} → {_effect(new)}")
    return ", ".join(said)


def _effect(flag: Flag) -> str:
    return f"caps at {flag.cap}" if flag.effect is Effect.CAP else f"{flag.effect.value}s"


def _asks(old: Condition, new: Condition) -> list[str]:
    if old == new:
        return []
    return [f"asks {cut(clause(new), WORDS)} (was {cut(clause(old), WORDS)})"]


def _scope_words(old: Profile, new: Profile) -> str:
    said = [cut(clause(p.score_scope), WORDS) if p.score_scope else "everybody" for p in (old, new)]
    return f"{said[0]} → {said[1]}"


def _tier_words(old: Tiers, new: Tiers) -> str:
    bands = ((t, old.threshold(t), new.threshold(t)) for t in "ABCD")
    return ", ".join(f"{tier} {was} → {now}" for tier, was, now in bands if was != now)


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _swapped(profiles: Sequence[Profile], home: str, kind: str, out: Part, into: Part) -> tuple[Profile, ...]:
    if kind != "profile":
        return tuple(_with(p, kind, out, into) if p.name == home else p for p in profiles)
    kept = tuple(p for p in profiles if not isinstance(out, Profile) or p.name != out.name)
    return (*kept, into) if isinstance(into, Profile) else kept


def _with(profile: Profile, kind: str, out: Part, into: Part) -> Profile:
    if isinstance(into, Tiers):
        if kind == "coverage":
            return replace(profile, tiers=replace(profile.tiers, min_coverage=into.min_coverage))
        bands = replace(profile.tiers, a=into.a, b=into.b, c=into.c, d=into.d)
        return replace(profile, tiers=bands)
    if isinstance(into, Profile):
        if kind == "scope":
            return replace(profile, score_scope=into.score_scope, people=into.people)
        return replace(profile, currency=into.currency)
    if isinstance(out, Criterion | None) and isinstance(into, Criterion | None):
        return replace(profile, criteria=_exchanged(profile.criteria, out, into))
    if isinstance(out, Flag | None) and isinstance(into, Flag | None):
        return replace(profile, flags=_exchanged(profile.flags, out, into))
    return profile


def _exchanged(parts: Sequence[T], out: T | None, into: T | None) -> tuple[T, ...]:
    changed: list[T | None] = [*parts, into] if out is None else [into if p == out else p for p in parts]
    return tuple(part for part in changed if part is not None)
