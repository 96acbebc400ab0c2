"""Rules every named and weighted entry shares: readable, unique names and weights one can add up."""

from __future__ import annotations

import math
import re

from icp_sync.profile_file.reading import Path, Report
from icp_sync.profile_file.values import LARGEST, shown

LONGEST_NAME = 100  # characters; names become options and reasons in the CRM

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def check_name(name: str, at: Path, report: Report, *, is_key: bool = False) -> None:
    """A name people will read in the CRM: short, one line, and free of the separator of multiple values."""
    tell = report.key if is_key else report.value
    if not name.strip() or name != name.strip():
        tell(at, "the name is empty, or begins or ends with a blank")
    elif len(name) > LONGEST_NAME:
        tell(at, f"the name is longer than {LONGEST_NAME} characters")
    elif ";" in name or _CONTROL.search(name):
        tell(at, "a name holds neither ';' nor line breaks: the CRM would read it as several")


def unique(
    name: str, seen: dict[str, Path], at: Path, what: str, report: Report, *, is_key: bool = False
) -> None:
    """Report a name that came before, in any case, with the line of the first."""
    first = seen.setdefault(name.casefold(), at)
    tell = report.key if is_key else report.value
    if first != at:
        tell(at, f"the {what} '{name}' is named twice, first on line {report.line(first)}", "rename one")


def check_weight(weight: float, at: Path, report: Report) -> None:
    """A weight is finite and above 0."""
    if not (math.isfinite(weight) and 0 < weight <= LARGEST):
        report.value(at, f"{shown(weight)} is no weight", "a number above 0")
