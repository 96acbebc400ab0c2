"""Who is in a fresh org: the integration's user, an admin, the people who sell, one who left, one nobody.

On Salesforce every account has an owner, and no queue can own one; what nobody works on belongs to a user
made for that purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from icp_sync.simulator.people import LEFT, PEOPLE, TEAMS, Person
from icp_sync.simulator.salesforce.ids import shown
from icp_sync.simulator.store import Record, Source

if TYPE_CHECKING:
    from icp_sync.simulator.salesforce.org import Org

INTEGRATION = "integration@simulator.example"
ADMIN = "admin@simulator.example"
UNASSIGNED = "unassigned@sales.example"
OTHER_APP = "billing@apps.example"
AUTOMATED = "autoproc@simulator.example"
ORG_NAME = "Simulated Sales"
TIME_ZONE = "America/New_York"
FOUNDED = Source("PLATFORM", user_id=0)
STANDARD = "Standard User"
INTEGRATION_PROFILE = "Minimum Access - API Only Integrations"
_PROFILES = {
    INTEGRATION: INTEGRATION_PROFILE,
    ADMIN: "System Administrator",
}


def organization(org: Org, number: int) -> None:
    """The org's own record, from which a client learns whether it is production."""
    values = {
        "Name": ORG_NAME,
        "InstanceName": "SIM1",
        "TimeZoneSidKey": TIME_ZONE,
        "LanguageLocaleKey": "en_US",
        "DefaultLocaleSidKey": "en_US",
    }
    org.objects["organization"].place(number, values, FOUNDED)


def people(org: Org) -> list[Record]:
    """Everybody's user record; the integration's first, the admin's second."""
    profiles = {
        name: org.objects["profile"].create({"Name": name}, FOUNDED, at=org.born)
        for name in (*_PROFILES.values(), STANDARD)
    }
    roles = {
        team: org.objects["userrole"].create({"Name": team, "DeveloperName": team}, FOUNDED, at=org.born)
        for team in TEAMS
    }
    made = []
    for person, email in _everybody():
        role = roles.get(person.team)
        values = user_values(org, email, person.first, person.last) | {
            "IsActive": "false" if person.left else "true",
            "Division": person.team,
            "UserRoleId": "" if role is None else org.objects["userrole"].id_of(role),
            "ProfileId": org.objects["profile"].id_of(profiles[_PROFILES.get(email, STANDARD)]),
        }
        held = {name: value for name, value in values.items() if value}
        made.append(org.objects["user"].create(held, FOUNDED, at=org.born))
    return made


def user_values(org: Org, email: str, first: str, last: str) -> dict[str, str]:
    """What somebody's user record holds who may sign in and sell."""
    profiles = org.objects["profile"]
    standard = (number for number, one in profiles.store.records.items() if one.props["Name"] == STANDARD)
    return {
        "Username": email,
        "FirstName": first,
        "LastName": last,
        "Email": email,
        "Alias": (first[:1] + last[:4]).lower(),
        "IsActive": "true",
        "UserType": "Standard",
        "TimeZoneSidKey": TIME_ZONE,
        "ProfileId": shown(profiles.prefix, next(standard)),
    }


def special_values(org: Org, email: str) -> dict[str, str]:
    """The same of the user another program signs in as, and of the one the platform's automation runs as."""
    if email == AUTOMATED:
        return user_values(org, email, "Automated", "Process") | {"UserType": "AutomatedProcess"}
    profiles = org.objects["profile"]
    kept = profiles.store.records.items()
    api_only = next(number for number, one in kept if one.props["Name"] == INTEGRATION_PROFILE)
    return user_values(org, email, "Billing", "App") | {"ProfileId": shown(profiles.prefix, api_only)}


def _everybody() -> list[tuple[Person, str]]:
    own = [
        (Person(first="ICP", last="Integration"), INTEGRATION),
        (Person(first="Ada", last="Admin"), ADMIN),
        (Person(first="", last="Unassigned"), UNASSIGNED),
    ]
    return own + [(person, person.email) for person in (*PEOPLE, LEFT)]
