"""How people are named in a profile: by their email."""

from __future__ import annotations

import re

from icp_sync.profile_file.reading import Path, Report

_EMAIL = re.compile(r"[^@\s<>;,\"]{1,64}@(?:[^@\s.<>;,\"/]{1,63}\.)+[^@\s.<>;,\"/0-9]{2,63}")


def email_of(raw: str, at: Path, report: Report) -> str:
    """An owner's email in lower case; a problem when it is none."""
    email = raw.strip().lower()
    if not _EMAIL.fullmatch(email) or len(email) > 254:
        report.value(at, f"'{raw[:60]}' is not an email address", "owners are named by their email")
    return email
