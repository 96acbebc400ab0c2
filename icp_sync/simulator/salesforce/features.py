"""Fields an org has only with a feature, or once an admin made record types.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_account.htm
"""

from __future__ import annotations

from collections.abc import Mapping

from icp_sync.simulator.salesforce import picklists
from icp_sync.simulator.salesforce.field_kinds import LOCKED, pick, text, to, yes
from icp_sync.simulator.salesforce.schema import FieldDef

FEATURES: Mapping[str, Mapping[str, tuple[FieldDef, ...]]] = {
    # Only for customers of Data.com Prospector or Clean.
    "data_com": {
        "account": (
            text(name="DunsNumber", label="D-U-N-S Number", length=9),
            text(name="NaicsCode", label="NAICS Code", length=8),
            text(name="NaicsDesc", label="NAICS Description", length=120),
            text(name="Tradestyle", label="Tradestyle", length=255),
            text(name="YearStarted", label="Year Started", length=4),
            pick(name="CleanStatus", label="Clean Status"),
        )
    },
    "person_accounts": {
        "account": (
            yes(name="IsPersonAccount", label="Is Person Account", **LOCKED),
            text(name="FirstName", label="First Name", length=40),
            text(name="LastName", label="Last Name", length=80),
            to("PersonContactId", "Contact ID", "Contact", createable=False, updateable=False),
            FieldDef(name="PersonEmail", label="Email", type="email", length=80),
            text(name="PersonTitle", label="Title", length=80),
            FieldDef(name="PersonMobilePhone", label="Mobile", type="phone", length=40),
        ),
        "contact": (yes(name="IsPersonAccount", label="Is Person Account", **LOCKED),),
        "recordtype": (yes(name="IsPersonType", label="Is Person Type", **LOCKED),),
    },
    "multi_currency": {
        name: (
            pick(
                name="CurrencyIsoCode",
                label="Currency ISO Code",
                length=3,
                nillable=False,
                restricted=True,
                choices=picklists.CURRENCIES,
            ),
        )
        for name in ("account", "opportunity", "contact")
    },
    "state_country_picklists": {
        "account": tuple(
            pick(name=f"{kind}{part}Code", label=f"{kind} {part} Code", choices=known, restricted=True)
            for kind in ("Billing", "Shipping")
            for part, known in (("Country", picklists.COUNTRIES), ("State", picklists.US_STATES))
        )
    },
}
RECORD_TYPE_ID = to("RecordTypeId", "Record Type ID", "RecordType")
