"""Components of metadata as text: an archive to deploy, and a project for the Salesforce CLI.

The metadata format keeps an object's fields, list views and record types in one file, the source format
keeps each in a file of its own: "Metadata Components and Types" in the Metadata API Developer Guide and
"Salesforce DX Project Structure and Source Format" in the Salesforce DX Developer Guide. Decides nothing.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from icp_sync.crm.salesforce.provisioning import metadata, permission_sets
from icp_sync.crm.salesforce.provisioning.metadata import Component, Doomed, Element, RecordType
from icp_sync.crm.salesforce.views import components
from icp_sync.ports import Blueprint

VERSION = "66.0"
"""The version of the API the shapes are written for; the one the client speaks."""

_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_INSIDE = {"CustomField": "fields", "ListView": "listViews", "RecordType": "recordTypes"}
_FILES = {"CustomField": "field", "ListView": "listView", "RecordType": "recordType"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same components are the same bytes
_SOURCE = "force-app/main/default"


def archive(components: Sequence[Component]) -> bytes:
    """A zip in metadata format, the manifest included."""
    files = {"package.xml": _manifest(components)}
    inside: dict[str, list[Element]] = {}
    for one in components:
        if one.kind in _INSIDE:
            element = (_INSIDE[one.kind], (("fullName", one.name), *one.body))
            inside.setdefault(one.sobject, []).append(element)
    for sobject, elements in inside.items():
        # All elements of one tag must stand together.
        files[f"objects/{sobject}.object"] = _document(
            "CustomObject", sorted(elements, key=lambda element: element[0])
        )
    for one in components:
        if one.kind == "PermissionSet":
            files[f"permissionsets/{one.name}.permissionset"] = _document(one.kind, one.body)
    return _zipped(files)


def removal(doomed: Iterable[Doomed]) -> bytes:
    """A zip that deletes these and deploys nothing: "Deleting Components from an Organization" in the
    Metadata API Developer Guide."""
    kinds: dict[str, list[str]] = {}
    for one in doomed:
        kinds.setdefault(one.kind, []).append(one.full_name)
    return _zipped({"package.xml": _package({}), "destructiveChanges.xml": _package(kinds)})


def sfdx(
    blueprint: Blueprint,
    record_types: Sequence[RecordType] = (),
    *,
    transfer: bool = False,
    views: bool = False,
) -> Mapping[str, str]:
    """Path → text of a project that makes all of the blueprint, for `sf project deploy start`.

    record_types: those whose records shall take our values. transfer: whether we write the owner. views: also
    the views reps get, but for page layouts: those hold what others have put there.
    """
    fields = []
    values: dict[str, list[str]] = {}
    for table in metadata.ours(blueprint):
        for name, target in table.names.items():
            choices = metadata.wanted_choices(table.known[name], blueprint)
            fields.append(metadata.custom_field(table.known[name], target, choices, sobject=table.sobject))
            if choices and table.sobject == metadata.ACCOUNT:
                values[target] = [choice.value for choice in choices]
    seen = components.contact_grants(blueprint.fields if views else {})
    integration = permission_sets.integration_grants(blueprint, transfer=transfer).beside(seen)
    readers = permission_sets.reader_grants(blueprint).beside(seen)
    return project(
        [
            *fields,
            *(components.components if views else metadata.list_views)(blueprint.fields, blueprint.mark),
            *(metadata.record_type(one, values) for one in record_types),
            permission_sets.permission_set(permission_sets.INTEGRATION, integration),
            permission_sets.permission_set(permission_sets.READERS, readers),
        ]
    )


def project(components: Iterable[Component]) -> Mapping[str, str]:
    """Path → text of a project in source format."""
    settings = {
        "name": "icp_sync",
        "namespace": "",
        "packageDirectories": [{"path": "force-app", "default": True}],
        "sourceApiVersion": VERSION,
    }
    files = {"sfdx-project.json": json.dumps(settings, indent=2) + "\n"}
    for one in components:
        if one.kind == "PermissionSet":
            path = f"permissionsets/{one.name}.permissionset-meta.xml"
            files[f"{_SOURCE}/{path}"] = _document(one.kind, one.body)
        else:
            path = f"objects/{one.sobject}/{_INSIDE[one.kind]}/{one.name}.{_FILES[one.kind]}-meta.xml"
            files[f"{_SOURCE}/{path}"] = _document(one.kind, (("fullName", one.name), *one.body))
    return files


def _zipped(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for path, text in files.items():
            target.writestr(zipfile.ZipInfo(path, _EPOCH), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _manifest(components: Sequence[Component]) -> str:
    kinds: dict[str, list[str]] = {}
    for one in components:
        kinds.setdefault(one.kind, []).append(one.full_name)
    return _package(kinds)


def _package(kinds: Mapping[str, Iterable[str]]) -> str:
    body: list[Element] = [
        ("types", (*(("members", name) for name in sorted(names)), ("name", kind)))
        for kind, names in sorted(kinds.items())
    ]
    return _document("Package", [*body, ("version", VERSION)])


def _document(root: str, body: Iterable[Element]) -> str:
    lines = [f'<{root} xmlns="{_NAMESPACE}">', *_lines(body, 1), f"</{root}>"]
    return _HEAD + "\n".join(lines) + "\n"


def _lines(elements: Iterable[Element], depth: int) -> Iterable[str]:
    indent = "    " * depth
    for tag, content in elements:
        if isinstance(content, str):
            yield f"{indent}<{tag}>{escape(content)}</{tag}>"
        else:
            yield f"{indent}<{tag}>"
            yield from _lines(content, depth + 1)
            yield f"{indent}</{tag}>"
