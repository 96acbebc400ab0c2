"""The active profile, how it came to be, and how the files of the settings differ from it. Plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icp_sync.domain.amendments import amendments
from icp_sync.errors import ConfigError, Problem
from icp_sync.reporting import activation

if TYPE_CHECKING:
    from icp_sync.domain.facts import FactType
    from icp_sync.domain.profile import Profile
    from icp_sync.journal import Journal
    from icp_sync.profile_file import Loaded
    from icp_sync.profile_file.page import Page
    from icp_sync.reporting.opened import Opened

FINGERPRINT = 12  # hexadecimal digits of SHA-256; enough to tell two files apart by eye
ACTIVATED = ("profile activate", activation.PROMOTED)
"""The audit's words for making files the active version."""
PROOF = ("cases", "good", "base", "auc", "lift of A", "against", "forced", "overruled")
"""What the audit keeps of the proof a version was promoted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The profile files of the settings. problems: why they cannot be used, all else is empty then.

    digest: of their texts, in order. active: whether they are the active version. changes: what differs of
    what decides a tier, in words. unproven: names of those that were learned and never promoted.
    """

    names: tuple[str, ...] = ()
    digest: str = ""
    active: bool = False
    changes: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    loaded: tuple[Loaded, ...] = ()


def candidate(at: Opened, active: Sequence[Profile], types: Mapping[str, FactType]) -> Candidate:
    """The files as they are now, beside the active profiles (none: no version is active)."""
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import tables_of

    try:
        loaded = load_all(list(at.connection.profiles), types=types)
        if activation.is_active(at, loaded):
            return Candidate(names=_names(loaded), digest=digest_of(loaded), active=True, loaded=loaded)
        tables_of(at.connection, [one.profile for one in loaded], types)  # a route must not lead to nowhere
    except ConfigError as error:
        said = error.problems or [Problem(where="profile files", what=str(error))]
        return Candidate(problems=tuple(said))
    profiles = [one.profile for one in loaded]
    return Candidate(
        names=_names(loaded),
        digest=digest_of(loaded),
        changes=tuple(map(str, amendments(active, profiles))) if active else (),
        unproven=_names(activation.unproven(at, loaded)),
        loaded=loaded,
    )


def digest_of(loaded: Sequence[Loaded]) -> str:
    """A digest of files' names and texts, in order."""
    said = "\0".join(f"{name}\0{text}" for name, text in activation.documents_of(loaded))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _names(loaded: Sequence[Loaded]) -> tuple[str, ...]:
    return tuple(one.profile.name for one in loaded)


def fingerprint(text: str) -> str:
    """The first digits of the SHA-256 of a profile's text, line ends as in UNIX files."""
    lines = text.replace("\r\n", "\n").encode("utf-8", "surrogatepass")
    return hashlib.sha256(lines).hexdigest()[:FINGERPRINT]


def page_of(
    profile: Profile,
    name: str,
    text: str,
    *,
    version: int,
    counts: Mapping[str, int],
    sources: Mapping[str, Sequence[str]],
) -> Page:
    """An active profile as one page for people. name, text: of its file, as the journal keeps them."""
    from icp_sync.profile_file.document import Known, document
    from icp_sync.profile_file.feeding import with_derived

    known = Known(
        fingerprint=f"{name}, {fingerprint(text)}",
        version=f"{version}, active",
        counts=counts,
        sources=with_derived(sources),
    )
    return document(profile, known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """How a version came to be. proof: the figures it was promoted by, none where it was not."""

    who: str
    what: str
    note: str
    proof: Mapping[str, Any]


def activations(journal: Journal) -> dict[int, Activation]:
    """Version → who made it active, as far as the audit tells."""
    found = {}
    for entry in journal.audited():
        version = entry.detail.get("version")
        if entry.what in ACTIVATED and isinstance(version, int):
            found[version] = Activation(
                who=entry.who,
                what=entry.what,
                note=str(entry.detail.get("note", "")),
                proof={name: entry.detail[name] for name in PROOF if name in entry.detail},
            )
    return found
