"""Deployments for the simulator's tests: a zip from a few words, sent over HTTP, watched to its end."""

import io
import json
import zipfile
from xml.sax.saxutils import escape

import requests

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def xml(tag, /, *children, **texts):
    """`xml("fields", fullName="X__c")`: an element with others in it; a list repeats one."""
    parts = []
    for key, value in texts.items():
        listed = value if isinstance(value, list) else [value]
        parts += [f"<{key}>{escape(str(one))}</{key}>" for one in listed]
    return f"<{tag}>{''.join(parts)}{''.join(children)}</{tag}>"


def document(root, *children):
    return f'{HEAD}<{root} xmlns="{NAMESPACE}">{"".join(children)}</{root}>'


def field(name, kind, *children, label="A label", **texts):
    return xml("fields", *children, fullName=name, label=label, type=kind, **texts)


def values(*names, restricted="true", inactive=()):
    """A value set of a picklist."""
    listed = "".join(
        xml(
            "value",
            fullName=name,
            default="false",
            isActive="false" if name in inactive else "true",
            label=name,
        )
        for name in names
    )
    definition = f"<valueSetDefinition><sorted>false</sorted>{listed}</valueSetDefinition>"
    return f"<valueSet><restricted>{restricted}</restricted>{definition}</valueSet>"


def tier(*names, **more):
    return field("ICP_Tier__c", "Picklist", values(*names, **more), label="ICP tier")


def score(name="ICP_Score__c", **more):
    return field(name, "Number", **({"precision": 6, "scale": 2} | more))


def view(name, *filters, columns=("ACCOUNT.NAME",), label=None, scope="Everything", **texts):
    """A list view; a filter is (field, operation, value)."""
    listed = [xml("filters", field=one, operation=how, value=what) for one, how, what in filters]
    return xml(
        "listViews",
        *listed,
        fullName=name,
        columns=list(columns),
        filterScope=scope,
        label=label or name,
        **texts,
    )


def record_type(name, active="true", description="", **picklists):
    offered = "".join(
        xml(
            "picklistValues",
            *(xml("values", fullName=one, default="false") for one in names),
            picklist=field_name,
        )
        for field_name, names in picklists.items()
    )
    return xml("recordTypes", offered, fullName=name, active=active, description=description, label=name)


def grants(*rights, label="ICP", **fields):
    """A permission set: `grants(ICP_Tier__c="edit", Industry="read")`, user rights by name."""
    granted = "".join(
        xml(
            "fieldPermissions",
            editable=str(how == "edit").lower(),
            field=name if "." in name else f"Account.{name}",
            readable="true",
        )
        for name, how in fields.items()
    )
    users = "".join(xml("userPermissions", enabled="true", name=name) for name in rights)
    return document("PermissionSet", granted, f"<label>{label}</label>", users)


def manifest(members, version="66.0"):
    """package.xml; members: type to names."""
    types = [xml("types", members=list(names), name=kind) for kind, names in members.items()]
    return document("Package", *types, f"<version>{version}</version>")


def zipped(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for path, text in files.items():
            target.writestr(path, text)
    return packed.getvalue()


class Org:
    """One simulated org, spoken to as its integration user, or as whoever has the session `token`.

    Rights on objects are not looked at.
    """

    def __init__(self, crm, token=None):
        self.crm = crm
        crm.admin("POST settings", object_rights=False)
        self.root = f"{crm.url}/services/data/v66.0"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token or crm.token}"

    def call(self, method, path, **how):
        return self.session.request(method, f"{self.root}/{path}", timeout=20, **how)

    def get(self, path, **query):
        answer = self.call("GET", path, params=query)
        return answer.status_code, answer.json()

    def post(self, path, body):
        answer = self.call("POST", path, json=body)
        return answer.status_code, answer.json()

    def query(self, soql):
        status, body = self.get("query", q=soql)
        assert status == 200, body
        return body["records"]

    def send(self, archive, options=None, names=("json", "file")):
        """The raw answer to a deployment of these bytes."""
        chosen = {"singlePackage": True, "rollbackOnError": True} | (options or {})
        described = json.dumps({"deployOptions": chosen})
        parts = [
            (names[0], (None, described, "application/json")),
            (names[1], ("deploy.zip", archive, "application/zip")),
        ]
        return self.call("POST", "metadata/deployRequest", files=parts)

    def look(self, deployment_id):
        status, body = self.get(f"metadata/deployRequest/{deployment_id}", includeDetails="true")
        assert status == 200, body
        return body["deployResult"]

    def run(self, files, **options):
        """Deploy files as they are and wait for the end."""
        answer = self.send(zipped(files), options)
        assert answer.status_code == 201, answer.text
        for _ in range(5):
            result = self.look(answer.json()["id"])
            if result["done"]:
                return result
        raise AssertionError(result)

    def deploy(self, *inside, sets=None, options=None, **more):
        """Deploy parts of Account and permission sets (name to document), the manifest made to fit."""
        files, members = {}, {}
        if inside:
            files["objects/Account.object"] = document("CustomObject", *sorted(inside))
        for tag, kind in (
            ("fields", "CustomField"),
            ("listViews", "ListView"),
            ("recordTypes", "RecordType"),
        ):
            found = [part for part in inside if part.startswith(f"<{tag}>")]
            if found:
                members[kind] = [f"Account.{full_name(part)}" for part in found]
        for name, text in (sets or {}).items():
            files[f"permissionsets/{name}.permissionset"] = text
            members.setdefault("PermissionSet", []).append(name)
        return self.run({"package.xml": manifest(members), **files, **more}, **(options or {}))

    def delete(self, kind, *names, **options):
        """A deployment that only deletes."""
        files = {"package.xml": manifest({}), "destructiveChanges.xml": manifest({kind: names})}
        return self.run(files, **options)

    def assign(self, name, username=None):
        """Give a permission set to the integration user or somebody else."""
        found = self.query(f"SELECT Id FROM PermissionSet WHERE Name = '{name}'")
        return self.post(
            "sobjects/PermissionSetAssignment",
            {"PermissionSetId": found[0]["Id"], "AssigneeId": self.user(username)},
        )

    def user(self, username=None):
        username = username or "integration@simulator.example"
        return self.query(f"SELECT Id FROM User WHERE Username = '{username}'")[0]["Id"]

    def described(self):
        """Account's fields as the integration user sees them, by name."""
        status, body = self.get("sobjects/Account/describe")
        assert status == 200, body
        return {one["name"]: one for one in body["fields"]}

    def make(self, **fields):
        status, body = self.post("sobjects/Account", {"Name": "An account", **fields})
        assert status == 201, body
        return body["id"]

    def view(self, name, what="results", **query):
        """(status, answer) of a list view's results or describe."""
        found = self.query(f"SELECT Id FROM ListView WHERE DeveloperName = '{name}'")
        return self.get(f"sobjects/Account/listviews/{found[0]['Id']}/{what}", **query)

    def ready(self, *inside, **fields):
        """Deploy fields and what else, with a permission set that lets the integration user edit `fields`."""
        result = self.deploy(*inside, sets={"ICP": grants(**fields)})
        assert result["status"] == "Succeeded", problems(result)
        assert self.assign("ICP")[0] == 201


def full_name(part):
    return part.partition("<fullName>")[2].partition("</fullName>")[0]


def problems(result):
    """Component to problem, of what failed."""
    return {one["fullName"]: one["problem"] for one in result["details"]["componentFailures"]}


def succeeded(result):
    """Component to what became of it: created, changed, deleted or unchanged."""
    assert result["status"] == "Succeeded", (result["errorMessage"], problems(result))
    return {
        one["fullName"]: next((how for how in ("created", "deleted", "changed") if one[how]), "unchanged")
        for one in result["details"]["componentSuccesses"]
        if one["fullName"] != "package.xml"
    }
