"""One hidden property that says what we last wrote: a lost journal does not lose whose value is whose.

It holds our installation's id and a short keyed digest per field. Without the key nobody can forge a
digest; with it, a live value that matches its digest is ours.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

FORMAT = "icp1"
THEIRS = "-"
"""The mark of a field that people hold: it proves nothing, and says that even blank is not ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealKey:
    """Who we are, and the secret that makes our digests ours. Both come from one secret file.

    predecessors: installations whose seals an admin has declared void. passing: of this process only, for
    want of a file.
    """

    installation: str  # 12 lower-case hex digits
    key: bytes = field(repr=False)
    predecessors: frozenset[str] = frozenset()
    passing: bool = False

    def digest(self, account_id: str, name: str, value: str) -> str:
        message = "\x00".join((account_id, name, value)).encode("utf-8", "surrogatepass")
        return hmac.new(self.key, message, sha256).hexdigest()[:10]

    def seal(self, account_id: str, values: Mapping[str, str], *, marks: Mapping[str, str] = {}) -> str:
        """The seal over our non-blank values of one account (logical field → canonical value).

        marks: further marks to carry as they are.
        """
        made = {name: self.digest(account_id, name, value) for name, value in values.items() if value}
        written = sorted({**marks, **made}.items())
        return ";".join([FORMAT, self.installation, *(f"{name}={mark}" for name, mark in written)])


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for every account, at a third of the cost
class Seal:
    """A seal as read. Exactly one of: absent (blank), foreign or malformed (`problem`), or ours (`marks`)."""

    marks: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    foreign: bool = False

    def proves(self, key: SealKey, account_id: str, name: str, value: str) -> bool:
        mark = self.marks.get(name)
        return mark is not None and hmac.compare_digest(mark, key.digest(account_id, name, value))


UNSEALED = Seal()


def read_seal(text: str, key: SealKey) -> Seal:
    """Read the seal property of an account. Never raises."""
    text = text.strip()
    if not text:
        return UNSEALED
    head, _, rest = text.partition(";")
    installation, _, body = rest.partition(";")
    if head != FORMAT or not installation:
        return Seal(problem="its seal cannot be read")
    if installation in key.predecessors:
        return UNSEALED
    if installation != key.installation:
        return Seal(problem=f"it is sealed by another installation, {installation}", foreign=True)
    return Seal(marks=dict([part.split("=", 1) for part in body.split(";") if "=" in part]))
