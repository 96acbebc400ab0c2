"""A snapshot of one account as a row: what was thought of it, made again from what was kept.

Points, coverage and flags are not stored; the evaluation is made again under the profile of its own version.
One that comes out otherwise than it was kept, or cannot be made again, tells only what was kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from icp_sync.domain.compile import Compiled, compile_profile
from icp_sync.domain.evaluation import Evaluation, evaluate
from icp_sync.domain.facts import FactType, FactValue
from icp_sync.domain.proof import differences, made_again
from icp_sync.domain.why import as_overridden, facts_of_evidence
from icp_sync.errors import ConfigError
from icp_sync.journal import Journal, Snapshot
from icp_sync.tables.alike import asked_facts
from icp_sync.tables.fact_cells import fact_cell
from icp_sync.tables.parquet import INSTANT, TEXT, WHOLE
from icp_sync.wiring import parse_profiles

COLUMNS: Mapping[str, str] = {
    "id": TEXT,
    "name": TEXT,
    "domain": TEXT,
    "owner": TEXT,
    "tier": TEXT,
    "model_tier": TEXT,
    "score": WHOLE,
    "low": WHOLE,
    "high": WHOLE,
    "certainty": TEXT,
    "coverage": WHOLE,
    "flags": TEXT,
    "lane": TEXT,
    "routed_owner": TEXT,
    "profile": TEXT,
    "version": WHOLE,
    "evaluated_at": INSTANT,
}
FACT = "fact_"
"""What a column of a fact is called begins so: fact_employees, fact_parent_employees."""

Row = list[Any]


def ours(header: Sequence[str]) -> bool:
    """Whether a file with this header is one of these, whatever facts its profile asked about."""
    own, facts = header[: len(COLUMNS)], header[len(COLUMNS) :]
    return list(own) == list(COLUMNS) and all(name.startswith(FACT) for name in facts)


@dataclass(slots=True)
class Tally:
    """What went into a file. tiers: tier or state → accounts; "" out of scope. unproved: those whose
    evaluation could not be made again, or came out otherwise."""

    accounts: int = 0
    unproved: int = 0
    tiers: Counter[str] = field(default_factory=Counter)


class Rows:
    """version: of the profile whose facts become columns. types: every fact's kind.

    unread: why that version cannot be read today, "" where it can; then no fact has a column.
    """

    def __init__(self, journal: Journal, types: Mapping[str, FactType], version: int) -> None:
        self._journal, self._types = journal, types
        self._compiled: dict[int, tuple[Compiled, ...] | None] = {}
        self.unread = ""
        asked: list[str] = []
        try:
            if (documents := journal.documents(version)) is None:
                raise ConfigError("it is not in the journal")
            asked = [name for one in parse_profiles(documents, types) for name in asked_facts(one)]
        except ConfigError as error:  # settings it was made under may be others by now
            self.unread = f"profile version {version} cannot be read with today's settings: {error}"
        self._asked = tuple(dict.fromkeys(asked))
        self.tally = Tally()

    @property
    def columns(self) -> dict[str, str]:
        """Name → kind, in order."""
        return {**COLUMNS, **{FACT + name.replace(".", "_"): TEXT for name in self._asked}}

    def row(self, one: Snapshot) -> Row:
        """The account's row; instants are UTC epoch seconds."""
        facts: Mapping[str, FactValue] = {}
        with suppress(ValueError, TypeError, LookupError):
            facts = facts_of_evidence(one.evidence)
        version = one.evidence.get("version")
        version = version if isinstance(version, int) else 0
        found = self._evaluation(one, facts, version) if one.tier else None
        self.tally.accounts += 1
        self.tally.tiers[one.tier] += 1
        self.tally.unproved += bool(one.tier) and found is None
        judged = _told(found) if found is not None else _kept(one)
        decided = [_text(one.decision.get(name)) if one.tier else "" for name in ("lane", "owner")]
        who = [one.id, one.name, one.domain, one.owner, one.tier]
        profile = found.shown.profile.name if found is not None else ""
        return [*who, *judged, *decided, profile, version or None, one.at, *self._facts(facts)]

    def _facts(self, facts: Mapping[str, FactValue]) -> list[str]:
        kinds = ((name, self._types.get(name.rpartition(".")[2])) for name in self._asked)
        return [fact_cell(name, facts.get(name), kind) for name, kind in kinds]

    def _evaluation(self, one: Snapshot, facts: Mapping[str, FactValue], version: int) -> Evaluation | None:
        """The evaluation made again, None where it cannot be or is not what was kept."""
        compiled = self._of(version)
        if compiled is None:
            return None
        if one.previous is None:
            if not one.proof:
                return None
            found = made_again(compiled, one.evidence, one.proof, one.at, version)
            return None if differences(one.proof, found) else found
        model = evaluate(compiled, facts, one.previous, one.at, version=version)
        found = as_overridden(model, one.evidence)
        return found if (found.tier, found.score) == (one.tier, one.score) else None

    def _of(self, version: int) -> Sequence[Compiled] | None:
        if version not in self._compiled:
            documents, compiled = self._journal.documents(version), None
            with suppress(ConfigError):
                if documents is not None:
                    compiled = tuple(compile_profile(one) for one in parse_profiles(documents, self._types))
            self._compiled[version] = compiled
        return self._compiled[version]


def _told(found: Evaluation) -> Row:
    """From model_tier to flags."""
    flags = ";".join(sorted(flag.name for flag in found.shown.flags_true))
    return [
        found.model_tier, found.score, found.low, found.high, found.certainty, found.coverage, flags,
    ]  # fmt: skip


def _kept(one: Snapshot) -> Row:
    """The same of what was kept alone."""
    result = one.proof.get("result") if one.tier else None
    result = result if isinstance(result, Mapping) else {}
    bounds, firm = result.get("range"), result.get("firm")
    low, high = bounds if isinstance(bounds, list) and len(bounds) == 2 else (None, None)
    certainty = "" if not isinstance(firm, bool) else "firm" if firm else "provisional"
    return ["", one.score, low, high, certainty, None, ""]


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""
