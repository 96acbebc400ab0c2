"""What an examination of a connection has found so far: problems with what to do next, and what is fine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from icp_sync.errors import ConfigError, IcpSyncError, Problem, UnavailableError

T = TypeVar("T")

ERROR, WARNING = "error", "warning"
PROVISION = "icp-sync provision --apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem or piece of advice."""

    severity: str
    area: str
    where: str
    what: str
    next: str = ""

    def to_json(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True, kw_only=True)
class Examination:
    """What was looked at and found. `passed`: area → what is fine about it."""

    connection: str = ""
    passed: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    exit_code: int = 0  # 2 as soon as one error is for the operator to correct, 1 for "try again later"

    @property
    def errors(self) -> int:
        return sum(f.severity == ERROR for f in self.findings)

    def add(self, severity: str, area: str, problems: Iterable[Problem], code: int = 2) -> None:
        found = [
            Finding(severity=severity, area=area, where=p.where, what=p.what, next=p.hint) for p in problems
        ]
        self.findings += found
        if found and severity == ERROR:
            self.exit_code = max(self.exit_code, code)

    def attempt(self, area: str, ask: Callable[[], T], passed: Callable[[T], str]) -> T | None:
        """The answer, None once its errors are noted; `passed` says what is fine about it."""
        from icp_sync.observe import redact

        try:
            answer = ask()
        except ConfigError as error:
            hints = [replace(p, hint=p.hint or error.next_step) for p in error.problems]
            self.add(ERROR, area, hints)
        except IcpSyncError as error:
            step = error.next_step or ("try again later" if isinstance(error, UnavailableError) else "")
            problem = Problem(where=area, what=redact(str(error)), hint=step)
            self.add(ERROR, area, [problem], error.exit_code)
        else:
            self.passed[area] = passed(answer)
            return answer
        return None

    def to_json(self) -> dict[str, object]:
        return {
            "connection": self.connection,
            "ok": not self.errors,
            "errors": self.errors,
            "warnings": len(self.findings) - self.errors,
            "passed": self.passed,
            "problems": [f.to_json() for f in self.findings],
        }
