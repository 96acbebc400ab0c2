"""A deployment's zip file, read: what it asks to make, what to delete, what is wrong with the file itself.

It knows files and names. What a component means to an org is `components`' business.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/file_based_zip_file.htm
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from icp_sync.simulator.salesforce.metadata.shapes import Body, body_of
from icp_sync.simulator.salesforce.metadata.trees import Node, Problem, parse

MOST_FILES = 10_000
MOST_BYTES = 39 * 1024 * 1024
_MOST_UNZIPPED = 400 * 1024 * 1024
MANIFEST = "package.xml"
DELETIONS = {
    "destructiveChanges.xml": False,
    "destructiveChangesPre.xml": False,
    "destructiveChangesPost.xml": True,
}
"""Lists of what to delete, and whether that happens after the rest has been deployed."""

INSIDE_OBJECTS = {"fields": "CustomField", "recordTypes": "RecordType", "listViews": "ListView"}
Names = dict[tuple[str, str], None]
"""(type, name) of components, in the order given."""
TYPES = ("CustomObject", "CustomField", "RecordType", "PermissionSet", "ListView")
"""What this simulator can deploy, in the order it does."""


class Unreadable(Exception):
    """The archive cannot be taken at all: (code, message) of the whole deployment."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One component: type "CustomField", name "Account.ICP_Tier__c", its body as `shapes` has it."""

    type: str
    name: str
    file: str
    line: int
    column: int
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Something wrong with a file or a name. `warning`: it does not fail the deployment."""

    type: str
    name: str
    file: str
    message: str
    line: int = 1
    column: int = 1
    warning: bool = False


@dataclass(slots=True, kw_only=True)
class Package:
    """What a zip asks for. `after`: what to delete once the rest is there."""

    version: str = ""
    items: list[Item] = field(default_factory=list)
    before: list[tuple[str, str]] = field(default_factory=list)
    after: list[tuple[str, str]] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)


def read(archive: bytes, *, single: bool) -> Package:
    """Everything in a zip. Raises Unreadable.

    single: the package lies at the root of the zip; otherwise in one folder of it, whatever its name.
    """
    files = _unzipped(archive)
    prefix = "" if single else _folder(files)
    package = Package()
    manifest = files.pop(prefix + MANIFEST, None)
    if manifest is None:
        package.complaints.append(
            Complaint(type="", name=MANIFEST, file=prefix + MANIFEST, message="No package.xml found")
        )
        return package
    wanted = _wanted(package, manifest, prefix + MANIFEST)
    found: list[Item] = []
    for path, content in files.items():
        name = path.removeprefix(prefix)
        if name in DELETIONS:
            listed = _listed(package, content, path)
            (package.after if DELETIONS[name] else package.before).extend(listed)
        else:
            found.extend(_items(package, path, name, content))
    _compare(package, wanted, found, prefix + MANIFEST)
    return package


def _unzipped(archive: bytes) -> dict[str, bytes]:
    if len(archive) > MOST_BYTES:
        raise Unreadable(
            "LIMIT_EXCEEDED", "Maximum size of request reached. Maximum size of request is 39 MB"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            if len(entries) > MOST_FILES:
                raise Unreadable("LIMIT_EXCEEDED", f"Maximum number of files exceeded: {MOST_FILES}")
            if sum(entry.file_size for entry in entries) > _MOST_UNZIPPED:
                raise Unreadable("LIMIT_EXCEEDED", "Maximum unzipped size exceeded")
            return {entry.filename: opened.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as wrong:
        raise Unreadable("UNKNOWN_EXCEPTION", f"The zip file cannot be read: {wrong}") from None


def _folder(files: dict[str, bytes]) -> str:
    folders = sorted({path.split("/", 1)[0] for path in files if path.count("/")})
    return f"{folders[0]}/" if len(folders) == 1 else ""


def _wanted(package: Package, content: bytes, path: str) -> Names:
    """(type, name) of everything package.xml names; its version goes to the package."""
    try:
        root = parse(content, "Package")
        body_of(root, "Package")
        package.version = root.said("version")
        if not package.version:
            raise Problem("Required field is missing: version", root.line, root.column)
        whole, _, rest = package.version.partition(".")
        if rest != "0" or not whole.isascii() or not whole.isdigit() or not 31 <= int(whole) <= 68:
            raise Problem(f"Invalid version specified: {package.version[:20]}", root.line, root.column)
        return dict.fromkeys(_members(root))
    except Problem as wrong:
        package.complaints.append(_complaint("", MANIFEST, path, wrong))
        return {}


def _listed(package: Package, content: bytes, path: str) -> list[tuple[str, str]]:
    try:
        root = parse(content, "Package")
        body_of(root, "Package")
    except Problem as wrong:
        package.complaints.append(_complaint("", path.rsplit("/", 1)[-1], path, wrong))
        return []
    found = []
    for kind, name in _members(root):
        if name == "*":
            wildcard = Problem("destructiveChanges.xml does not take the wildcard *")
            package.complaints.append(_complaint(kind, name, path, wildcard))
        else:
            found.append((kind, name))
    return found


def _members(root: Node) -> Iterator[tuple[str, str]]:
    for types in root.children:
        if types.name == "types":
            kind = types.said("name")
            yield from ((kind, node.text.strip()) for node in types.children if node.name == "members")


def _items(package: Package, path: str, name: str, content: bytes) -> Iterator[Item]:
    """The components in one file; a file that cannot be read is a complaint."""
    folder, _, file = name.rpartition("/")
    stem, _, suffix = file.rpartition(".")
    try:
        if (folder, suffix) == ("objects", "object"):
            yield from _inside_object(stem, path, parse(content, "CustomObject"))
        elif (folder, suffix) == ("permissionsets", "permissionset"):
            root = parse(content, "PermissionSet")
            body = body_of(root, "PermissionSet")
            yield Item(
                type="PermissionSet", name=stem, file=path, line=root.line, column=root.column, body=body
            )
        else:
            raise Problem(f"{name} is of no type this simulator deploys")
    except Problem as wrong:
        kind = {"object": "CustomObject", "permissionset": "PermissionSet"}.get(suffix, "")
        package.complaints.append(_complaint(kind, stem or name, path, wrong))


def _inside_object(name: str, path: str, root: Node) -> Iterator[Item]:
    """An object's file itself, then each field, record type and list view in it."""
    body_of(root, "CustomObject")
    yield Item(type="CustomObject", name=name, file=path, line=root.line, column=root.column, body={})
    for node in root.children:
        kind = INSIDE_OBJECTS.get(node.name)
        if kind is not None:
            body = body_of(node, kind)
            full = f"{name}.{body['fullName']}"
            yield Item(type=kind, name=full, file=path, line=node.line, column=node.column, body=body)


def _compare(package: Package, wanted: Names, found: list[Item], manifest: str) -> None:
    """Keep what is both named and there; complain of the rest, and of what is there twice."""
    there: dict[tuple[str, str], Item] = {}
    for item in found:
        if (item.type, item.name) in there:
            wrong = Problem(f"Duplicate component: {item.name}", item.line, item.column)
            package.complaints.append(_complaint(item.type, item.name, item.file, wrong))
        there[item.type, item.name] = item
    folder = manifest.removesuffix(MANIFEST)
    unread = {complaint.file for complaint in package.complaints}
    for kind, name in wanted:
        if kind not in TYPES:
            wrong = Problem(f"Unknown type name '{kind}' specified in package.xml")
            package.complaints.append(_complaint(kind, name, manifest, wrong))
        elif name != "*" and (kind, name) not in there and folder + _file(kind, name) not in unread:
            what = f"An object '{name}' of type {kind} was named in package.xml, "
            wrong = Problem(what + "but was not found in zipped directory")
            package.complaints.append(_complaint("", name, manifest, wrong))
    for item in there.values():
        if _named(item, wanted):
            package.items.append(item)
        elif item.type != "CustomObject":
            wrong = Problem("Not in package.xml", item.line, item.column)
            package.complaints.append(_complaint(item.type, item.name, item.file, wrong))


def _file(kind: str, name: str) -> str:
    """Where a component belongs; one whose file could not be read is not missing beside."""
    if kind == "PermissionSet":
        return f"permissionsets/{name}.permissionset"
    return f"objects/{name.partition('.')[0]}.object"


def _named(item: Item, wanted: Names) -> bool:
    """Whether package.xml asks for it: by name, by `*`, or because its whole object is asked for.

    `*` does not mean standard objects, nor what lies inside an object.
    """
    if (item.type, item.name) in wanted:
        return True
    if item.type == "PermissionSet":
        return ("PermissionSet", "*") in wanted
    return ("CustomObject", item.name.split(".", 1)[0]) in wanted


def _complaint(kind: str, name: str, file: str, wrong: Problem) -> Complaint:
    return Complaint(
        type=kind, name=name, file=file, message=wrong.message, line=wrong.line, column=wrong.column
    )
