"""A profile as one page: who it is for, what counts, who it is not for, what follows, and what it rests on.

Pure: profile, sources and counts come in, a `Page` comes out. Knows no format and reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from icp_sync.domain.profile import Criterion, Effect, Flag, Profile
from icp_sync.domain.whole_points import largest_remainder
from icp_sync.profile_file.document_use import evidence, examples, learned, reviews, routing, tiers
from icp_sync.profile_file.page import Bullets, Grid, Page, Paragraph, Section
from icp_sync.profile_file.spoken import aging, fading, spoken

_NAMED_FIRST = 4  # criteria the sentence names: those with the most weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known beside the profile itself.

    fingerprint: of the file's text. version: how the file stands to the active version, "" without a
    journal. counts: tier or state → accounts in scope, empty without a journal. sources: fact → names of
    what feeds it here.
    """

    fingerprint: str
    version: str = ""
    counts: Mapping[str, int]
    sources: Mapping[str, Sequence[str]]


def document(profile: Profile, known: Known) -> Page:
    """The page of one profile."""
    notes = [("Amounts in", profile.currency), ("File", known.fingerprint)]
    if known.version:
        notes.append(("Version", known.version))
    sections = [
        _scope(profile),
        _must_haves(profile),
        _counts(profile),
        _not_for(profile),
        _layer(profile, "pain", "Pains", "No criterion asks for a pain."),
        _layer(profile, "buying", "Buyers", "No criterion asks who buys there."),
        _timing(profile),
        tiers(profile, known.counts),
        routing(profile),
        evidence(profile, known.sources),
        learned(profile),
        examples(profile),
        reviews(profile),
    ]
    return Page(
        title=f"Ideal Customer Profile: {profile.name}",
        lead=lead(profile),
        notes=tuple(notes),
        sections=tuple(section for section in sections if section is not None),
    )


def lead(profile: Profile) -> str:
    """Who it is for and who not, in one sentence made of the names the profile gives."""
    weighed = sorted((c for c in profile.criteria if not c.required), key=lambda c: -c.weight)
    first = {id(c) for c in weighed[:_NAMED_FIRST]}
    marks = _quoted([c.name for c in profile.criteria if id(c) in first], "and")
    gates = _quoted([c.name for c in profile.criteria if c.required], "and")
    never = _quoted([f.name for f in profile.flags if f.effect is Effect.EXCLUDE], "or")
    return (
        f"We look for companies marked by {marks}"
        + (f"; always {gates}" if gates else "")
        + (f"; never {never}" if never else "")
        + "."
    )


def _quoted(names: Sequence[str], joint: str) -> str:
    quoted = [f"“{name}”" for name in names]
    return f" {joint} ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1]))) if quoted else ""


def _scope(profile: Profile) -> Section:
    scored = "everybody" if profile.score_scope is None else f"accounts where {spoken(profile.score_scope)}"
    said = [
        f"Scored: {scored}.",
        "Person accounts are " + ("looked at too." if profile.people else "left out."),
    ]
    if profile.route_scope is not None:
        said.append(f"Given an owner: only where {spoken(profile.route_scope)}.")
    return Section(title="Who is looked at", blocks=(Paragraph(text=" ".join(said)),))


def _must_haves(profile: Profile) -> Section:
    gates = [c for c in profile.criteria if c.required]
    if not gates:
        said = "There is no must-have: every criterion adds its points, none decides alone."
        return Section(title="Must-haves", blocks=(Paragraph(text=said),))
    grid = Grid(heads=("must", "means"), rows=tuple((c.name, spoken(c.when)) for c in gates), strong=0)
    note = "Who certainly lacks one is Not ICP. While one is unknown, a tier stays provisional."
    return Section(title="Must-haves", blocks=(grid, Paragraph(text=note, quiet=True)))


def _counts(profile: Profile) -> Section:
    """Every weighted criterion with its whole points; together they are 100."""
    weighed = [c for c in profile.criteria if not c.required]
    total = sum(c.weight for c in weighed) or 1.0
    points = largest_remainder([100.0 * c.weight / total for c in weighed], 100, [100] * len(weighed))
    rows = [(str(got), c.name, _means(c, profile.currency)) for got, c in zip(points, weighed, strict=True)]
    grid = Grid(
        heads=("points", "what", "means"),
        rows=tuple(sorted(rows, key=lambda row: -int(row[0]))),
        right=frozenset((0,)),
        strong=1,
        bars=0,
    )
    note = (
        "The points add up to 100. What is not known is never bad: it shows half of its points unless said "
        "otherwise, and is named among the missing facts."
    )
    return Section(title="What counts", blocks=(grid, Paragraph(text=note, quiet=True)))


def _means(criterion: Criterion, currency: str) -> str:
    parts = [spoken(criterion.when), fading(criterion.when, currency)]
    if criterion.unknown != 0.5:
        share = "nothing" if criterion.unknown == 0 else f"{criterion.unknown:.0%} of the points"
        parts.append(f"unknown shows {share}")
    return "; ".join(filter(None, parts))


def _not_for(profile: Profile) -> Section:
    title = "Who it is not for"
    if not profile.flags:
        said = "The profile does not say whom you do not sell to."
        return Section(title=title, blocks=(Paragraph(text=said),))
    ordered = sorted(profile.flags, key=lambda flag: list(Effect).index(flag.effect))
    rows = tuple((f.name, spoken(f.when), _effect(f)) for f in ordered)
    grid = Grid(heads=("flag", "when", "then"), rows=rows, strong=0, tight=frozenset((2,)))
    return Section(title=title, blocks=(grid,))


def _effect(flag: Flag) -> str:
    if flag.effect is Effect.EXCLUDE:
        return "Not ICP"
    return f"{flag.cap} at best" if flag.effect is Effect.CAP else "only shown"


def _layer(profile: Profile, layer: str, title: str, without: str) -> Section:
    said = tuple(f"{c.name}: {spoken(c.when)}" for c in profile.criteria if c.layer == layer)
    block = Bullets(items=said) if said else Paragraph(text=without, quiet=True)
    return Section(title=title, blocks=(block,))


def _timing(profile: Profile) -> Section | None:
    if not profile.timing:
        return None
    total = sum(signal.weight for signal in profile.timing)
    shares = [100.0 * signal.weight / total for signal in profile.timing]
    points = largest_remainder(shares, 100, [100] * len(shares))
    rows = tuple(_signals(profile, points))
    first, second = profile.timing_grades
    note = (
        f"{first} or more is grade 1, {second} or more grade 2, less is grade 3. Fit and timing together are "
        "the priority: A1 is called first. Unknown earns nothing here."
    )
    grid = Grid(heads=("points", "signal", "means"), rows=rows, right=frozenset((0,)), strong=1, bars=0)
    return Section(title="When the moment is good", blocks=(grid, Paragraph(text=note, quiet=True)))


def _signals(profile: Profile, points: Sequence[int]) -> Iterator[tuple[str, str, str]]:
    for signal, got in zip(profile.timing, points, strict=True):
        said = "; ".join(
            filter(None, (spoken(signal.when), aging(signal.when), fading(signal.when, profile.currency)))
        )
        yield str(got), signal.name, said
