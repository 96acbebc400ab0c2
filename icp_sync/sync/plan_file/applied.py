"""What an applied plan did, as counts and short lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from icp_sync.domain.plan import Outcome, Result
from icp_sync.sync.plan_file.deciding import Decided, Moved
from icp_sync.sync.remember import said
from icp_sync.sync.report import KEPT


@dataclass(slots=True, kw_only=True)
class Applied:
    """Counts are accounts unless named otherwise.

    again: the whole plan had been applied before. skipped: done by an earlier attempt of the same run.
    already: held what was planned before we wrote. moved: changes not made, as something moved since. partly:
    written, but for such changes. other: of other facts than when the plan was made, so left whole.
    """

    run: str = ""
    plan: str = ""
    again: bool = False
    done: bool = False
    accounts: int = 0
    skipped: int = 0
    written: int = 0
    partly: int = 0
    fields: int = 0
    already: int = 0
    moved: int = 0
    other: int = 0
    gone: int = 0
    refused: int = 0
    deferred: int = 0
    moves: list[Moved] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)  # account id, what

    def decided(self, d: Decided) -> None:
        self.accounts += 1
        self.already += not d.changes and not d.moved
        self.moved += len(d.moved)
        self.other += d.facts_moved
        self.moves.extend(d.moved[: max(0, KEPT - len(self.moves))])

    def lost(self, ids: Iterable[str]) -> None:
        """Planned accounts that are deleted or merged away."""
        ids = list(ids)
        self.accounts += len(ids)
        self.gone += len(ids)
        self.missing.extend(ids[: max(0, KEPT - len(self.missing))])

    def sent(self, outcome: Outcome, fields: int, *, partly: bool = False) -> None:
        """What became of one write. fields: how many of its values landed. partly: some of what was
        planned was not sent."""
        if outcome.result is Result.WRITTEN:
            self.written += 1
            self.partly += partly
            self.fields += fields
            self.refused += bool(outcome.refused.keys() - outcome.deferred)
        elif outcome.result is Result.REFUSED:
            self.refused += 1
        elif outcome.result is Result.GONE:
            self.gone += 1
        else:
            self.deferred += 1
        if outcome.result is not Result.WRITTEN or outcome.refused:
            self.problem(outcome.account_id, said(outcome) or outcome.result.value)

    def problem(self, account_id: str, what: str) -> None:
        if len(self.problems) < KEPT:
            self.problems.append((account_id, what))

    def to_json(self) -> dict[str, object]:
        return asdict(self)
