"""Who is acting: the name that requests, approvals and the audit trail carry."""

from __future__ import annotations

import getpass
import os
import socket

VARIABLE = "ICP_SYNC_WHO"
_LONGEST = 120


def who() -> str:
    """ "ada@laptop": the login name and this machine's, or what ICP_SYNC_WHO says."""
    named = " ".join(os.environ.get(VARIABLE, "").split())
    if named:
        return named[:_LONGEST]
    try:
        login = getpass.getuser()
    except (OSError, KeyError):  # a container's user without an entry in the password file
        login = f"uid-{os.getuid()}"
    return f"{login}@{socket.gethostname()}"[:_LONGEST]
