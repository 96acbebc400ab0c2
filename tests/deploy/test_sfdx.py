"""The project in `deploy/salesforce/` is what `icp-sync provision --views --sfdx` writes for the defaults.

`python -m tests.deploy.test_sfdx` writes it anew.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from icp_sync.crm.salesforce.provisioning.packaging import sfdx
from icp_sync.crm.salesforce.views import components
from icp_sync.domain.standing import FIELDS
from icp_sync.domain.views import VIEWS
from icp_sync.ports import Blueprint
from icp_sync.settings.outputs import Outputs

FOLDER = Path(__file__).parents[2] / "deploy" / "salesforce"


def project() -> Mapping[str, str]:
    properties = Outputs().field_properties("salesforce")
    ours = {name: target for name, target in properties.items() if not FIELDS[name].native}
    return sfdx(Blueprint(group="icp_fit", group_label="ICP fit", fields=ours), views=True)


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


def test_an_org_gets_a_field_for_every_output_two_permission_sets_and_a_list_view_for_every_view() -> None:
    found = Counter("/".join(path.split("/")[-3:-1]) for path in committed() if path.endswith(".xml"))
    views = Counter(components.sobject(view) for view in VIEWS)
    assert found == {
        "Account/fields": sum(not field.native for field in FIELDS.values()),
        "Contact/fields": len(components.SHARED),
        "Account/listViews": views["Account"],
        "Contact/listViews": views["Contact"],
        "default/permissionsets": 2,
    }


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
