"""The controls only Salesforce has: fields and who sees them, sharing, rules, record types, people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from icp_sync.simulator.arguments import names_given, record_named
from icp_sync.simulator.controls import Control
from icp_sync.simulator.desk import Arguments, Desk, Json, Unusable
from icp_sync.simulator.salesforce import ids, recycling
from icp_sync.simulator.salesforce.dependents import Dependent
from icp_sync.simulator.salesforce.desk import OrgDesk, user_named
from icp_sync.simulator.salesforce.errors import Refusal
from icp_sync.simulator.salesforce.field_given import field_given
from icp_sync.simulator.salesforce.founding import user_values
from icp_sync.simulator.salesforce.history import MOST_TRACKED
from icp_sync.simulator.salesforce.layouts import RecordPage, shown_sections, usual
from icp_sync.simulator.salesforce.org import Org, SObject, Trigger, User, ValidationRule
from icp_sync.simulator.salesforce.schema import FieldDef


def _at_org(desk: Desk) -> OrgDesk:
    if not isinstance(desk, OrgDesk):
        raise Unusable("this is about a Salesforce org")
    return desk


def _org(desk: Desk) -> Org:
    return _at_org(desk).org


def _fields(desk: Desk, given: Arguments) -> Json:
    """Fields of `object` (Account unless named): `define` one, or a list of them, as the setup pages do, for
    everybody to see; `hide` names from all but admins, `lock` them against changes, `show` them, `remove`;
    `track` or `untrack` their history.
    """
    org = _org(desk)
    sobject = _object(org, given)
    defined = given.get("define", [])
    for one in defined if isinstance(defined, list) else [defined]:
        field = field_given(one)
        sobject.add_field(field)
        org.rights.show(sobject, field)
    for field in _named(sobject, names_given(given, "hide")):
        org.rights.hide(sobject, field)
    for field in _named(sobject, names_given(given, "show")):
        org.rights.show(sobject, field)
    for field in _named(sobject, names_given(given, "lock")):
        org.rights.lock(sobject, field)
    for field in _named(sobject, names_given(given, "track")):
        sobject.add_field(replace(field, tracked=True))
    for field in _named(sobject, names_given(given, "untrack")):
        sobject.add_field(replace(field, tracked=False))
    if sum(field.tracked for field in sobject.fields.values()) > MOST_TRACKED:
        raise Unusable(f"track: the history of at most {MOST_TRACKED} fields is kept")
    for field in _named(sobject, names_given(given, "remove")):
        sobject.drop_field(field.name)
    return {"fields": [field.name for field in sobject.fields.values()]}


def _object(org: Org, given: Arguments) -> SObject:
    try:
        return org.object(str(given.get("object", "Account")))
    except Refusal as refusal:
        raise Unusable(refusal.message) from None


def _named(sobject: SObject, names: Iterable[str]) -> list[FieldDef]:
    found = []
    for name in names:
        field = sobject.field(name)
        if field is None:
            raise Unusable(f"no such field: {name}")
        found.append(field)
    return found


def _access(desk: Desk, given: Arguments) -> Json:
    """Sharing of records (ids): `hide` from the integration, make `read_only`, `lock` as an approval process
    does, `show` (undoes all)."""
    org = _org(desk)
    hidden = [_place(org, text) for text in names_given(given, "hide")]
    read_only = [_place(org, text) for text in names_given(given, "read_only")]
    in_approval = [_place(org, text) for text in names_given(given, "lock")]
    shown = {_place(org, text) for text in names_given(given, "show")}
    org.hidden = (org.hidden | set(hidden)) - shown
    org.read_only = (org.read_only | set(read_only)) - shown
    org.in_approval = (org.in_approval | set(in_approval)) - shown
    counts = {"hidden": org.hidden, "read_only": org.read_only, "locked": org.in_approval}
    return {name: len(places) for name, places in counts.items()}


def _place(org: Org, text: str) -> tuple[str, int]:
    number = ids.number(text)
    sobject = next((one for one in org.objects.values() if one.prefix and one.prefix == text[:3]), None)
    if number is None or sobject is None or number not in sobject.store.records:
        raise Unusable(f"no such record: {text!r}")
    return sobject.key, number


def _undelete(desk: Desk, given: Arguments) -> Json:
    """Somebody takes the record `id` out of the recycle bin, an account with what went there with it."""
    record = record_named(desk, {"id": given.get("id", "")}, anything=True)
    if not recycling.undelete(_at_org(desk).sobject, record):
        raise Unusable(f"not in the recycle bin: {desk.shown(record.id)}")
    return {"id": desk.shown(record.id)}


def _rules(desk: Desk, given: Arguments) -> Json:
    """A validation rule: no record of `object` (Account unless named) may be left with `value` in `field`,
    says `message`. Or `clear` them."""
    org = _org(desk)
    if given.get("clear"):
        org.rules.clear()
    if "field" in given:
        sobject = _object(org, given)
        [field] = _named(sobject, [str(given["field"])])
        message, value = str(given.get("message", f"{field.label} is not acceptable")), given.get("value", "")
        org.rules.append(
            ValidationRule(field=field.name, value=str(value), message=message, object=sobject.key)
        )
    return {"rules": [[rule.field, rule.value, rule.message] for rule in org.rules]}


def _triggers(desk: Desk, given: Arguments) -> Json:
    """Code called `name` fails with `message` on every update of `object`, or only on calls of more than
    `most` rows of it. Or `clear` them."""
    org = _org(desk)
    if given.get("clear"):
        org.triggers.clear()
    if "object" in given:
        most, name = given.get("most", 0), str(given.get("name", "SomeTrigger"))
        if not isinstance(most, int) or isinstance(most, bool) or most < 0:
            raise Unusable("most: a number of rows")
        usual = "System.LimitException: Too many SOQL queries: 101" if most else "System.NullPointerException"
        message = str(given.get("message", usual))
        org.triggers.append(Trigger(object=_object(org, given).key, name=name, message=message, most=most))
    return {"triggers": [[one.object, one.name, one.message, one.most] for one in org.triggers]}


def _depend(desk: Desk, given: Arguments) -> Json:
    """Something uses the custom `field` of `object` (Account unless named): `by` a Flow, a Report, a Layout,
    called `name`. The field stays for its sake unless `refuses` is false. Or `clear` them all.
    """
    org = _org(desk)
    if given.get("clear"):
        org.dependents.clear()
    if "field" in given:
        sobject = _object(org, given)
        [field] = _named(sobject, [str(given["field"])])
        kind, name = str(given.get("by", "Flow")), str(given.get("name", "Something"))
        refuses = bool(given.get("refuses", True))
        org.dependents.append(
            Dependent(field=field.key, type=kind, name=name, refuses=refuses, object=sobject.key)
        )
    return {"dependents": [[one.field, one.type, one.name, one.refuses] for one in org.dependents]}


def _layouts(desk: Desk, given: Arguments) -> Json:
    """A page layout of accounts, made by `name` with these `fields`, or one with a `feed` that has components
    beside it, or one of a package (`namespace`); or a Lightning record `page`, `dynamic` or not. All there
    are come back, layouts as their sections with the fields in them."""
    org = _org(desk)
    if "name" in given:
        made = usual(
            len(org.layouts) + 1,
            str(given["name"]),
            fields=[one.name for one in _named(org.accounts, names_given(given, "fields"))],
            feed=bool(given.get("feed")),
        )
        org.layouts.append(replace(made, namespace=str(given.get("namespace", ""))))
    if "page" in given:
        dynamic = bool(given.get("dynamic", True))
        org.pages.append(RecordPage(number=len(org.pages) + 1, label=str(given["page"]), dynamic=dynamic))
    return {
        "layouts": {one.name: shown_sections(one) for one in org.layouts},
        "pages": {one.label: one.dynamic for one in org.pages},
    }


def _record_types(desk: Desk, given: Arguments) -> Json:
    """A record type of accounts, `name` (`label`, `active`), with `picklists`: values it offers by field, and
    `defaults`: the value it proposes by field. A new one is of person accounts if it is said to be `person`.
    """
    org = _org(desk)
    name = str(given.get("name", ""))
    if not name:
        raise Unusable("name: which record type?")
    wanted = given.get("picklists") or {}
    if not isinstance(wanted, Mapping):
        raise Unusable("picklists: a JSON object of fields and lists of values")
    picklists = {str(key).lower(): frozenset(names_given(wanted, key)) for key in wanted}
    proposed = given.get("defaults") or {}
    if not isinstance(proposed, Mapping):
        raise Unusable("defaults: a JSON object of fields and values")
    defaults = {str(key).lower(): str(value) for key, value in proposed.items()}
    label, person = str(given.get("label", name)), bool(given.get("person"))
    made = org.add_record_type(name, label, picklists, defaults=defaults, person=person)
    org.activate(made, active=bool(given.get("active", made.active)))
    return {"id": made.id, "name": made.name, "active": made.active}


def _users(desk: Desk, given: Arguments) -> Json:
    """Somebody by `email`, made if need be (`first`, `last`): `active` or not, `modify_all` or not."""
    org = _org(desk)
    email = str(given.get("email", "")).lower()
    if "@" not in email:
        raise Unusable(f"email: {email!r} is no address")
    users = org.objects["user"]
    try:
        user = user_named(org, email)
    except Unusable:
        first, last = str(given.get("first", "")), str(given.get("last", email.partition("@")[0]))
        record = users.create(user_values(org, email, first, last), desk.source({}))
        user = User(record=record)
    if "active" in given:
        users.write(user.record, {"IsActive": "true" if given["active"] else "false"}, desk.source({}))
    if "modify_all" in given:
        user = User(record=user.record, modify_all=bool(given["modify_all"]))
    org.employ(user)
    return {"id": user.id, "email": user.email, "active": user.active, "modify_all": user.modify_all}


def _tripwire(desk: Desk, given: Arguments) -> Json:
    """Accounts whose owner the assignment rules moved, because a write did not say Auto-Assign: FALSE."""
    return {"results": list(_org(desk).tripwire)}


CONTROLS: Mapping[str, Control] = {
    "POST undelete": _undelete,
    "POST fields": _fields,
    "POST access": _access,
    "POST rules": _rules,
    "POST triggers": _triggers,
    "POST depend": _depend,
    "POST layouts": _layouts,
    "POST record_types": _record_types,
    "POST users": _users,
    "GET tripwire": _tripwire,
}
