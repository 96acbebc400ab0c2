"""Deploying whatever may be written: it is taken or refused with a sentence; what is taken holds together."""

from hypothesis import event, given, settings
from hypothesis import strategies as st

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.metadata.running import run
from icp_sync.simulator.salesforce.metadata.shapes import ENUMS, SHAPES
from tests.simulator.salesforce.deploying import document, field, manifest, values, xml, zipped

NAMES = st.sampled_from(
    ["X__c", "Y__c", "Account.X__c", "Industry", "Account.Industry", "A", "B", "A,B", "%zz", ""]
)
NEEDED = {
    "CustomField": {"label", "type", "length", "precision", "scale", "visibleLines", "valueSet"},
    "ListView": {"columns"},
}
TEXTS = {
    "type": st.sampled_from(["Text", "Number", "Picklist", "LongTextArea", "Lookup", "Date", "AutoNumber"]),
    "columns": st.sampled_from(["ACCOUNT.NAME", "X__c", "Account.Y__c", "Z__c"]),
    "field": st.sampled_from(["X__c", "Account.X__c", "Account.Site", "ACCOUNT.NAME", "Account.Name"]),
    "filterScope": st.sampled_from(["Everything", "Mine", "Team"]),
    "object": st.sampled_from(["Account", "Thing__c"]),
    "picklist": st.sampled_from(["X__c", "Industry", "Name"]),
    "booleanFilter": st.sampled_from(["1", "1 AND 2", "(1 OR 2) AND NOT 1"]),
}


def texts(name, kind):
    if name in TEXTS:
        return TEXTS[name]
    if kind in ENUMS:
        return st.sampled_from(sorted(ENUMS[kind]))
    if kind == "boolean":
        return st.sampled_from(["true", "false"])
    return st.sampled_from(["1", "2", "18", "255", "300", "-1"]) if kind == "int" else NAMES


@st.composite
def bodies(draw, kind, name=None):
    """The inside of an element: what it needs, and now and then what else it may have."""
    parts = [] if name is None else [f"<fullName>{name}</fullName>"]
    for key, part in SHAPES[kind].items():
        if key == "fullName" and name is not None:
            continue
        wanted = part.required or key in NEEDED.get(kind, ())
        if draw(st.integers(0, 19)) >= (18 if wanted else 2):
            continue
        for _ in range(draw(st.integers(1, 2)) if part.many else 1):
            inner = draw(bodies(part.kind) if part.kind in SHAPES else texts(key, part.kind))
            parts.append(f"<{key}>{inner}</{key}>")
    return "".join(parts)


INSIDE = {
    "fields": ("CustomField", "X__c"),
    "listViews": ("ListView", "V"),
    "recordTypes": ("RecordType", "R"),
}
START = {
    "package.xml": manifest({"CustomObject": ["Account"]}),
    "objects/Account.object": document(
        "CustomObject",
        field("X__c", "Picklist", values("A", "B")),
        field("Y__c", "Text", length=20),
    ),
}


@st.composite
def archives(draw):
    """One component of one type, sometimes two types, sometimes deletions after them."""
    choices = {
        "fields": ("CustomField", "X__c"),
        "listViews": ("ListView", "V"),
        "recordTypes": ("RecordType", "R"),
    }
    inside = []
    for tag in draw(st.lists(st.sampled_from(sorted(choices)), max_size=2, unique=True)):
        kind, name = choices[tag]
        inside.append(f"<{tag}>{draw(bodies(kind, name))}</{tag}>")
    files = {
        "package.xml": manifest({"CustomObject": ["Account"], "PermissionSet": ["*"]}),
        "objects/Account.object": document("CustomObject", *inside),
    }
    if draw(st.booleans()):
        files["permissionsets/ICP.permissionset"] = document("PermissionSet", draw(bodies("PermissionSet")))
    if not draw(st.integers(0, 4)):
        name = draw(st.sampled_from(["Account.X__c", "Account.V", "ICP", "Account.Site", ""]))
        kind = draw(st.sampled_from(["CustomField", "ListView", "PermissionSet", "Nothing"]))
        files["destructiveChangesPost.xml"] = manifest({kind: [name]})
    return zipped(files)


@given(st.lists(archives(), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_a_deployment_ends_and_what_it_left_can_be_deployed_upon(several):
    org = Simulator(crm="salesforce", accounts=0).org
    for archive in [zipped(START), *several]:
        ran = run(org, archive, {"singlePackage": True, "rollbackOnError": True})
        event(ran.status)
        assert ran.status == ("Failed" if ran.failures else "Succeeded")
        assert all(one["problem"] and one["success"] is False for one in ran.failures)
    fields = org.accounts.fields
    for one in fields.values():
        assert len({choice.value.lower() for choice in one.choices}) == len(one.choices)
    grants = org.objects["fieldpermissions"].store
    granted = [grants.records[number].props["Field"] for number in grants.live]
    assert {name.partition(".")[2].lower() for name in granted} <= set(fields)
    for kind in org.record_types.values():
        for key, offered in kind.picklists.items():
            assert offered <= {choice.value for choice in fields[key].choices}


LISTED = st.lists(
    st.tuples(st.sampled_from("ABCDE"), st.booleans()), min_size=1, max_size=4, unique_by=lambda one: one[0]
)


@given(LISTED)
@settings(max_examples=20, deadline=None)
def test_no_value_of_a_picklist_is_ever_lost(second):
    org = Simulator(crm="salesforce", accounts=0).org
    for listed in ([("A", True), ("B", True)], second):
        found = "".join(
            xml("value", fullName=name, default="false", isActive=str(active).lower(), label=name)
            for name, active in listed
        )
        definition = f"<valueSetDefinition><sorted>false</sorted>{found}</valueSetDefinition>"
        picklist = field("T__c", "Picklist", f"<valueSet>{definition}</valueSet>")
        files = {
            "package.xml": manifest({"CustomField": ["Account.T__c"]}),
            "objects/Account.object": document("CustomObject", picklist),
        }
        assert run(org, zipped(files), {"singlePackage": True}).status == "Succeeded"
    choices = {choice.value: choice.active for choice in org.accounts.fields["t__c"].choices}
    left_out = {name: False for name in "AB" if name not in dict(second)}
    assert choices == dict(second) | left_out
