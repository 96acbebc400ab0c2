"""What is allowed in a profile but unwise, as `profile check` warns. Measures nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from icp_sync.domain.profile import Profile
from icp_sync.domain.supply import answerable, evaluable, own_facts
from icp_sync.errors import Problem
from icp_sync.profile_file.feeding import with_derived
from icp_sync.profile_file.marks import entry_edited, questions_edited

MOST_PROFILES = 3


def advice(
    profiles: Sequence[Profile],
    *,
    sources: Mapping[str, Sequence[str]],
    in_scope_firm: int | None,
    accounts: int | None,
    today: date,
    fewest: int = 100,
    most_share: float = 0.40,
) -> list[Problem]:
    """Warnings about profiles on one connection, in profile order.

    sources: fact → names of what supplies it here; a fact that is missing or has none has no source.
    in_scope_firm: accounts in scope that firmly fit (tier A or B), None while nobody has counted.
    accounts: accounts in scope, None likewise. fewest, most_share: between how many accounts and what
    share of them (0 to 1) a profile that can be sold to should name.
    """
    warnings = []
    if len(profiles) > MOST_PROFILES:
        what = f"{len(profiles)} profiles: beyond {MOST_PROFILES} a team loses its focus"
        warnings.append(Problem(where="profiles", what=what, hint="merge the ones that sell the same way"))
    for profile in profiles:
        warnings += _of_content(profile)
        warnings += _of_review(profile, today)
        warnings += _of_learned(profile)
        warnings += _of_sources(profile, sources)
    warnings += _of_size(in_scope_firm, accounts, fewest, most_share)
    return warnings


def _where(profile: Profile) -> str:
    return f"profile {profile.name}"


def _of_content(profile: Profile) -> Iterator[Problem]:
    if {criterion.layer for criterion in profile.criteria} == {"firmographic"}:
        yield Problem(
            where=_where(profile),
            what="firmographics only: it says who they are, not why they would buy",
            hint="add what they run, do or need: technographic, behavioral, operational criteria",
        )
    if not profile.flags:
        yield Problem(
            where=_where(profile),
            what="no non-ICP section: it does not say whom you do not sell to",
            hint="add flags, for example agencies, consumer brands or residency you cannot meet",
        )


def _of_review(profile: Profile, today: date) -> Iterator[Problem]:
    for kind, due in (("minor", profile.review_minor), ("full", profile.review_full)):
        if due and due < today.isoformat():
            yield Problem(
                where=_where(profile),
                what=f"the {kind} review was due on {due}",
                hint="review it, then set the next date",
            )


def _of_learned(profile: Profile) -> Iterator[Problem]:
    if entry_edited(profile):
        yield Problem(
            where=_where(profile),
            what="the 'learned' entry was edited: nobody knows any more which cases would prove it",
            hint="put it back as it was, or learn again: icp-sync learn",
        )
    elif questions_edited(profile):
        yield Problem(
            where=_where(profile),
            what="edited since it was learned: the rates foretold in 'learned' are not of these questions",
            hint="see how it does as it is: icp-sync profile backtest",
        )


def _of_sources(profile: Profile, sources: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Questions nothing on this connection can answer, and how much of the score can be answered."""
    supplied = {fact for fact, names in with_derived(sources).items() if names}
    total = sum(criterion.weight for criterion in profile.criteria) or 1.0
    blind = [criterion for criterion in profile.criteria if not answerable(criterion.when, supplied)]
    for criterion in blind:
        lacking = ", ".join(fact for fact in sorted(own_facts(criterion.when)) if fact not in supplied)
        cost = (
            "every account stays unsure"
            if criterion.required
            else f"{criterion.weight / total:.0%} of the score"
        )
        yield Problem(
            where=_where(profile),
            what=f"'{criterion.name}' asks for {lacking}, which has no source here: {cost}",
            hint="map a property to it, add an enricher, or drop the criterion",
        )
    if blind:
        yield Problem(
            where=_where(profile),
            what=f"{evaluable(profile, supplied):.0%} of the weight has a source here",
            hint=f"below {profile.tiers.min_coverage:.0%} known, an account stays at Needs data",
        )


def _of_size(firm: int | None, accounts: int | None, fewest: int, most_share: float) -> Iterator[Problem]:
    if firm is None:
        return
    if firm < fewest:
        yield Problem(
            where="profiles",
            what=f"{firm:,} accounts in scope firmly fit, fewer than {fewest:,}",
            hint="too narrow a profile, or facts are missing: see `icp-sync explain` on a near miss",
        )
    if accounts and firm / accounts > most_share:
        yield Problem(
            where="profiles",
            what=f"{firm:,} of {accounts:,} accounts in scope firmly fit, more than {most_share:.0%}",
            hint="a profile nearly everybody fits is a wish; tighten a band or add a gate",
        )
