"""The project in `deploy/salesforce/` is what `icp-sync provision --sfdx` writes for the default outputs.

`python -m tests.deploy.test_sfdx` writes it anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from icp_sync.crm.salesforce.provisioning.packaging import sfdx
from icp_sync.domain.standing import FIELDS
from icp_sync.ports import Blueprint
from icp_sync.settings.outputs import Outputs

FOLDER = Path(__file__).parents[2] / "deploy" / "salesforce"


def project() -> Mapping[str, str]:
    properties = Outputs().field_properties("salesforce")
    ours = {name: target for name, target in properties.items() if not FIELDS[name].native}
    return sfdx(Blueprint(group="icp_fit", group_label="ICP fit", fields=ours))


def committed() -> dict[str, str]:
    return {
        path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8")
        for path in FOLDER.rglob("*")
        if path.is_file() and path.name != "README.md"
    }


def test_the_committed_project_is_the_one_provision_writes() -> None:
    found, wanted = committed(), dict(project())
    assert sorted(found) == sorted(wanted), "python -m tests.deploy.test_sfdx"
    assert [path for path in found if found[path] != wanted[path]] == [], "python -m tests.deploy.test_sfdx"


def test_an_org_gets_a_field_for_every_output_two_permission_sets_and_six_list_views() -> None:
    folders = [path.split("/")[-2] for path in committed() if path.endswith(".xml")]
    outputs = [field for field in FIELDS.values() if not field.native]
    assert (folders.count("fields"), folders.count("permissionsets"), folders.count("listViews")) == (
        len(outputs),
        2,
        6,
    )


def _write() -> None:
    for made in ("force-app", "sfdx-project.json"):
        target = FOLDER / made
        if target.is_dir():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
    for path, text in project().items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write()
