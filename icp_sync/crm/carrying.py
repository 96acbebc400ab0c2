"""Which of our outputs a CRM can carry right now: said loudly when that changes, and once.

Knows no CRM: why a field cannot be carried is judged by its adapter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from icp_sync.domain.standing import FIELDS

PROVISION = "icp-sync provision --apply"


def theirs_among(names: Iterable[str]) -> list[str]:
    """The fields among these that belong to people: we provision and read them, and never write one."""
    return sorted(name for name in names if name in FIELDS and FIELDS[name].theirs)


class Carrying:
    """properties: logical field → the CRM's name for it. name: of the connection. next_step: what helps when
    an output is lost."""

    def __init__(
        self, properties: Mapping[str, str], *, name: str, log: Any, next_step: str = PROVISION
    ) -> None:
        self.properties = dict(properties)
        self.disabled: dict[str, str] = {}
        self._name = name
        self._log = log
        self._next_step = next_step
        self._provisioned = False  # whether any field of ours was ever seen

    def carried(self) -> Mapping[str, str]:
        """The outputs that exist and are not disabled."""
        return {field: name for field, name in self.properties.items() if field not in self.disabled}

    def judge(self, reasons: Mapping[str, str], there: Iterable[str]) -> None:
        """Take a new judgement over. reasons: field → why it cannot be carried, "" where it can; there: the
        fields the CRM has, fit or not."""
        before = self.disabled
        self.disabled = {field: reason for field, reason in reasons.items() if reason}
        lost = {field: reason for field, reason in self.disabled.items() if before.get(field) != reason}
        ours = {field for field in self.properties if field not in FIELDS or not FIELDS[field].native}
        self._provisioned |= not ours.isdisjoint(there)
        if not self._provisioned and lost.keys() & ours:
            self._log.info("not provisioned yet", connection=self._name, next_step=PROVISION)
            lost = {field: reason for field, reason in lost.items() if field not in ours}
        if lost:
            self._log.error(
                "outputs disabled",
                connection=self._name,
                fields=sorted(lost),
                reasons="; ".join(lost.values())[:500],
                next_step=self._next_step,
            )
        if back := sorted(set(before) - set(self.disabled)):
            self._log.warning("outputs work again", connection=self._name, fields=back)
