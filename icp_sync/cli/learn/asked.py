"""What `icp-sync learn` was asked for, checked before anything is read, and the files it leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from icp_sync.cli.output import exactly, unfit
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.domain.profile import Profile
    from icp_sync.learning.cases import Goal
    from icp_sync.learning.learn import Learned, Wish

YAML = (".yaml", ".yml")
SCORES = ("id", "name", "domain", "cohort", "good", "tier", "score", "decided")


class Written(NamedTuple):
    """The files that were written, None for none. unwritten: those that were asked for in vain → why."""

    profile: Path | None
    scores: Path | None
    unwritten: Mapping[Path, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options. goal, until: "" for what is usual. read: the files the cases come from."""

    goal: str
    until: str
    name: str
    capacity: int | None
    base: Path | None
    out: Path | None
    scores: Path | None
    describe: bool
    best: Path | None
    interview: Path | None
    read: tuple[Path | None, ...] = ()

    def refuse_unfit(self) -> None:
        """Raises ConfigError with everything that cannot be meant, before anything is read."""
        read = (*self.read, self.base, self.best)
        problems = unfit(self.scores, exactly(SCORES), *read, option="--scores")
        problems += [*self._files(), *self._words()]
        for option, said in (("--best", self.best), ("--interview", self.interview)):
            if said is not None and not self.describe:
                problems.append(Problem(where=option, what="goes with --describe"))
        if self.describe and self.scores is not None:
            problems.append(Problem(where="--scores", what="a description scores nobody"))
        if problems:
            raise ConfigError(problems)

    def _files(self) -> Iterator[Problem]:
        out = self.out
        if out is not None and out.suffix.lower() not in YAML:
            yield Problem(where=f"--out {out}", what="a profile is a YAML file", hint="learned.yaml")
        elif out is not None and out.exists():
            what = "is there already, and a profile is somebody's work"
            yield Problem(where=f"--out {out}", what=what, hint="name a new file")
        if self.base is not None and not self.base.is_file():
            yield Problem(where=f"--base {self.base}", what="is not there", hint="name a profile file")

    def _words(self) -> Iterator[Problem]:
        from icp_sync.learning.cases import Goal
        from icp_sync.profile_file.building import NAME

        if not NAME.fullmatch(self.name):
            where, what = f"--name {self.name[:40]}", "is no name for a profile"
            yield Problem(where=where, what=what, hint="lower-case letters, digits and dashes")
        if self.goal and self.goal not in list(Goal):
            yield Problem(where=f"--goal {self.goal[:40]}", what="is no goal", hint="won or best")
        if self.until and self._until() is None:
            yield Problem(where=f"--until {self.until[:40]}", what="is not a day", hint="2026-05-01")

    def _until(self) -> date | None:
        try:
            return date.fromisoformat(self.until)
        except ValueError:
            return None

    def wish(self, usual: Goal, active: Sequence[Profile], text: str | None) -> Wish:
        """What is asked of the line. usual: the goal where none is said. text: of the active profile, which
        is kept where no `base` is named."""
        from icp_sync.learning.cases import Goal
        from icp_sync.learning.learn import Wish
        from icp_sync.profile_file import load

        return Wish(
            goal=Goal(self.goal) if self.goal else usual,
            until=self._until(),
            name=self.name,
            base=load(self.base).text if self.base is not None else text,
            active=active,
            capacity=self.capacity,
        )


def write(done: Learned, out: Path | None, scores: Path | None) -> Written:
    """Leave the files that were asked for: the profile where there is enough evidence for it, and the scores
    wherever cases were judged."""
    from icp_sync.tables.writing import whole

    in_vain = {}
    if out is not None and done.enough:
        in_vain[out], out = "there is no profile to write", None
    if scores is not None and done.proof is None:
        in_vain[scores], scores = "nobody was judged", None
    if out is not None:
        with whole(out, mark=False) as stream:
            stream.write(done.text)
    if scores is not None:
        _write_scores(done, scores)
    return Written(out, scores, in_vain)


def _write_scores(done: Learned, scores: Path) -> None:
    from icp_sync.tables.writing import Writer, whole

    if done.proof is None:
        return
    with whole(scores) as stream:
        rows = Writer(stream, SCORES, ",")
        for one in done.proof.judged:
            case, day = one.case, _day(one.case.decided)
            good = "yes" if one.good else "no"
            rows.row((case.id, case.name, case.domain, case.cohort, good, one.tier, one.score, day))


def _day(instant: float) -> str:
    from icp_sync.reporting.text import day

    return day(instant)
