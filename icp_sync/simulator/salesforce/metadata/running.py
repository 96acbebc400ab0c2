"""One deployment, carried out: what becomes of every component, and what the org is told to become.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deployresult.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from icp_sync.simulator.salesforce.metadata import components
from icp_sync.simulator.salesforce.metadata.components import CHANGED, CREATED
from icp_sync.simulator.salesforce.metadata.package import TYPES, Complaint, Item, Package, Unreadable, read
from icp_sync.simulator.salesforce.metadata.stage import Stage
from icp_sync.simulator.salesforce.metadata.trees import Problem
from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.salesforce.schema import instant_text

Json = dict[str, object]
_MANIFEST = "package.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a deployment ended. error: (code, message) of one that could not begin."""

    status: str
    failures: list[Json] = field(default_factory=list)
    successes: list[Json] = field(default_factory=list)
    total: int = 0
    error: tuple[str, str] | None = None


def run(org: Org, archive: bytes, options: Mapping[str, bool]) -> Ran:
    """Carry a deployment out. options: DeployOptions, absent is false.

    Nothing reaches the org when `checkOnly` is set, or when anything fails and `rollbackOnError` is set.
    """
    try:
        package = read(archive, single=options.get("singlePackage", False))
    except Unreadable as wrong:
        return Ran(status="Failed", error=(wrong.code, wrong.message))
    running = _Running(org, ignore_warnings=options.get("ignoreWarnings", False))
    running.carry_out(package)
    failed = bool(running.failures)
    done = any(message["fullName"] != _MANIFEST for message in running.successes)
    partial = failed and done and not options.get("rollbackOnError", False)
    if not options.get("checkOnly", False) and (partial or not failed):
        running.stage.commit()
        running.name_ids()
    return Ran(
        status="SucceededPartial" if partial else "Failed" if failed else "Succeeded",
        failures=running.failures,
        successes=running.successes,
        total=running.total,
    )


class _Running:
    """The staged metadata and what has been said of every component so far."""

    def __init__(self, org: Org, *, ignore_warnings: bool) -> None:
        self.stage = Stage(org)
        self.failures: list[Json] = []
        self.successes: list[Json] = []
        self.total = 0
        self._ignore_warnings = ignore_warnings
        self._now = instant_text(org.clock.now_ms())

    def carry_out(self, package: Package) -> None:
        for complaint in package.complaints:
            self._complain(complaint)
        if not any(complaint.name == _MANIFEST for complaint in package.complaints):
            self.successes.append(
                self._message("", _MANIFEST, _MANIFEST) | {"success": True, "changed": True}
            )
        self._delete(package.before, "destructiveChanges.xml")
        # A formula may refer to a field that comes with it.
        for item in sorted(package.items, key=lambda one: (TYPES.index(one.type), "formula" in one.body)):
            self._apply(item)
        self._delete(package.after, "destructiveChangesPost.xml")

    def name_ids(self) -> None:
        """The ids of what is now in the org."""
        for message in self.successes:
            if message["componentType"] and not message["deleted"]:
                found = self.stage.id_of(str(message["componentType"]), str(message["fullName"]))
                message["id"] = found or None

    def _apply(self, item: Item) -> None:
        self.total += 1
        try:
            outcome = components.apply(self.stage, item)
        except Problem as wrong:
            # A problem found in the meaning of a component is reported where the component begins.
            self._complain(
                Complaint(
                    type=item.type,
                    name=item.name,
                    file=item.file,
                    message=wrong.message,
                    line=item.line,
                    column=item.column,
                ),
                counted=True,
            )
            return
        said: Json = {
            "success": True,
            "created": outcome == CREATED,
            "changed": outcome in (CREATED, CHANGED),
        }
        self.successes.append(self._message(item.type, item.name, item.file) | said)

    def _delete(self, names: list[tuple[str, str]], file: str) -> None:
        # What others may refer to goes last: a view that filters by a field stands in the field's way.
        order = {kind: n for n, kind in enumerate(reversed(TYPES))}
        for kind, name in sorted(names, key=lambda one: order.get(one[0], len(order))):
            self.total += 1
            try:
                there = components.delete(self.stage, kind, name)
            except Problem as wrong:
                self._complain(
                    Complaint(type=kind, name=name, file=file, message=wrong.message), counted=True
                )
                continue
            if there:
                said: Json = {"success": True, "deleted": True, "changed": True}
                self.successes.append(self._message(kind, name, file) | said)
            else:
                missing = f"No {kind} named: {name} found"
                self._complain(
                    Complaint(type=kind, name=name, file=file, message=missing, warning=True), counted=True
                )

    def _complain(self, complaint: Complaint, *, counted: bool = False) -> None:
        """A warning fails a component unless the deployment ignores warnings."""
        self.total += not counted and complaint.name != _MANIFEST
        passes = complaint.warning and self._ignore_warnings
        message = self._message(complaint.type, complaint.name, complaint.file) | {
            "success": passes,
            "problem": complaint.message,
            "problemType": "Warning" if complaint.warning else "Error",
            "lineNumber": complaint.line,
            "columnNumber": complaint.column,
        }
        (self.successes if passes else self.failures).append(message)

    def _message(self, kind: str, name: str, file: str) -> Json:
        """A DeployMessage; the ids of components that are not there are null."""
        return {
            "changed": False,
            "columnNumber": -1,
            "componentType": kind,
            "created": False,
            "createdDate": self._now,
            "deleted": False,
            "fileName": file,
            "forPackageManifestFile": name == _MANIFEST,
            "fullName": name,
            "id": None,
            "knownPackagingProblem": False,
            "lineNumber": -1,
            "problem": None,
            "problemType": None,
            "requiresProductionTestRun": False,
            "success": False,
            "warning": False,
        }
