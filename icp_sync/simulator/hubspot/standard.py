"""HubSpot's standard properties of companies, contacts, deals: those an integration reads or must not write.

https://knowledge.hubspot.com/properties/hubspot-crm-default-company-properties
"""

from __future__ import annotations

from collections.abc import Iterable

from icp_sync.simulator.hubspot.catalogue import SYSTEM, Catalogue, Group, Property, options
from icp_sync.simulator.hubspot.industries import INDUSTRIES
from icp_sync.simulator.hubspot.pipelines import PIPELINES, STAGES

BOOLEAN = options((("true", "Yes"), ("false", "No")))
LIFECYCLE = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
_TYPES = (
    ("PROSPECT", "Prospect"),
    ("PARTNER", "Partner"),
    ("RESELLER", "Reseller"),
    ("VENDOR", "Vendor"),
    ("OTHER", "Other"),
)
_LEAD_STATUS = "NEW OPEN IN_PROGRESS OPEN_DEAL UNQUALIFIED ATTEMPTED_TO_CONTACT CONNECTED BAD_TIMING"
_ICP_TIERS = (("tier_1", "Tier 1"), ("tier_2", "Tier 2"), ("tier_3", "Tier 3"))
_SENTIMENT = (("at_risk", "At risk"), ("neutral", "Neutral"), ("healthy", "Healthy"))
_WEB_TECHNOLOGIES = (
    "adroll apache_http_server cloudflare facebook_advertiser google_analytics google_tag_manager hubspot "
    "intercom jquery linkedin_insights marketo nginx outreach pardot react salesforce segment shopify "
    "stripe wordpress zendesk zoho"
)


def _titled(values: str) -> Iterable[tuple[str, str]]:
    return ((value, value.replace("_", " ").title()) for value in values.split())


# name|label|type|fieldType|marks, where marks are: r read-only, c calculated (and read-only)
_PLAIN = """
name|Company name|string|text|
domain|Company Domain Name|string|text|
website|Website URL|string|text|
numberofemployees|Number of Employees|number|number|
annualrevenue|Annual Revenue|number|number|
total_revenue|Total Revenue|number|number|c
country|Country/Region|string|text|
state|State/Region|string|text|
city|City|string|text|
zip|Postal Code|string|text|
address|Street Address|string|text|
hs_country_code|Country/Region Code|string|text|
hs_state_code|State/Region Code|string|text|
founded_year|Year Founded|string|text|
total_money_raised|Total Money Raised|string|text|
description|Description|string|textarea|
about_us|About Us|string|textarea|
phone|Phone Number|string|phonenumber|
timezone|Time Zone|string|text|
linkedin_company_page|LinkedIn Company Page|string|text|
hs_employee_range|Employee range|string|text|
hs_revenue_range|Revenue range|string|text|
hs_keywords|Company Keywords|string|text|
hs_industry_group|Industry group|string|text|
hs_last_metered_enrichment_timestamp|Last Metered Enrichment Timestamp|datetime|date|r
hs_live_enrichment_deadline|Live enrichment deadline|datetime|date|r
hs_object_id|Record ID|number|number|r
createdate|Create Date|datetime|date|r
hs_lastmodifieddate|Last Modified Date|datetime|date|r
hs_merged_object_ids|Merged Record IDs|string|text|r
hs_object_source|Record source|string|text|r
hs_object_source_id|Record source ID|string|text|r
hs_created_by_user_id|Created by user ID|number|number|r
hs_updated_by_user_id|Updated by user ID|number|number|r
hubspot_owner_assigneddate|Owner Assigned Date|datetime|date|r
hs_all_owner_ids|All Owner IDs|string|text|r
hs_parent_company_id|Parent Company|number|number|r
hs_num_child_companies|Number of child companies|number|number|c
num_associated_contacts|Number of Associated Contacts|number|number|c
num_associated_deals|Number of Associated Deals|number|number|c
hs_num_open_deals|Number of open deals|number|number|c
hs_total_deal_value|Total open deal value|number|number|c
recent_deal_amount|Recent Deal Amount|number|number|c
recent_deal_close_date|Recent Deal Close Date|datetime|date|c
closedate|Close Date|datetime|date|
first_deal_created_date|First Deal Created Date|datetime|date|c
days_to_close|Days to Close|number|number|c
notes_last_contacted|Last Contacted|datetime|date|r
notes_last_updated|Last Activity Date|datetime|date|r
notes_next_activity_date|Next Activity Date|datetime|date|r
hs_last_sales_activity_timestamp|Last Engagement Date|datetime|date|r
hs_pipeline|Pipeline|string|text|
"""


_CONTACT = """
email|Email|string|text|
firstname|First Name|string|text|
lastname|Last Name|string|text|
jobtitle|Job Title|string|text|
phone|Phone Number|string|phonenumber|
company|Company Name|string|text|
hs_object_id|Record ID|number|number|r
createdate|Create Date|datetime|date|r
lastmodifieddate|Last Modified Date|datetime|date|r
hs_merged_object_ids|Merged Record IDs|string|text|r
hs_object_source|Record source|string|text|r
"""

_DEAL = """
dealname|Deal Name|string|text|
amount|Amount|number|number|
closedate|Close Date|datetime|date|
createdate|Create Date|datetime|date|r
hs_lastmodifieddate|Last Modified Date|datetime|date|r
hs_object_id|Record ID|number|number|r
hs_merged_object_ids|Merged Record IDs|string|text|r
hs_object_source|Record source|string|text|r
hs_deal_stage_probability|Deal probability|number|number|c
hubspot_owner_assigneddate|Owner Assigned Date|datetime|date|r
hs_all_owner_ids|All Owner IDs|string|text|r
closed_lost_reason|Closed Lost Reason|string|textarea|
closed_won_reason|Closed Won Reason|string|textarea|
"""
_TASK = """
hs_task_subject|Task Title|string|text|
hs_task_body|Task Notes|string|html|
hs_timestamp|Due date|datetime|date|
hs_task_completion_date|Completed at|datetime|date|c
createdate|Create Date|datetime|date|r
hs_lastmodifieddate|Last Modified Date|datetime|date|r
hs_object_id|Record ID|number|number|r
hs_object_source|Record source|string|text|r
"""
_TASK_STATES = "NOT_STARTED IN_PROGRESS WAITING DEFERRED COMPLETED"
_DEAL_TYPES = (("newbusiness", "New Business"), ("existingbusiness", "Existing Business"))
_CURRENCIES = (("USD", "US Dollar"), ("EUR", "Euro"), ("GBP", "Pound Sterling"), ("JPY", "Yen"))


def _plain(table: str = _PLAIN) -> Iterable[Property]:
    for line in table.split("\n"):
        if line:
            name, label, kind, field_type, marks = line.split("|")
            yield Property(
                name=name,
                label=label,
                type=kind,
                field_type=field_type,
                read_only=bool(marks),
                calculated=marks == "c",
            )


def _choice(name: str, label: str, kind: str, pairs: Iterable[tuple[str, str]]) -> Property:
    return Property(name=name, label=label, type="enumeration", field_type=kind, options=options(pairs))


def _yes_no(name: str, label: str, *, worked_out: bool = False) -> Property:
    return Property(
        name=name,
        label=label,
        type="bool",
        field_type="booleancheckbox",
        options=BOOLEAN,
        read_only=worked_out,
        calculated=worked_out,
    )


def _owner(label: str) -> Property:
    return Property(
        name="hubspot_owner_id",
        label=label,
        type="enumeration",
        field_type="select",
        external_options=True,
        referenced="OWNER",
    )


def companies() -> Catalogue:
    """The company properties of a plain portal, those an integration reads or must not write."""
    chosen = (
        _choice("industry", "Industry", "select", _titled(INDUSTRIES)),
        _choice("type", "Type", "select", _TYPES),
        _choice("lifecyclestage", "Lifecycle Stage", "radio", LIFECYCLE),
        _choice("hs_lead_status", "Lead Status", "radio", _titled(_LEAD_STATUS)),
        _choice("hs_ideal_customer_profile", "Ideal Customer Profile Tier", "radio", _ICP_TIERS),
        _choice("hs_csm_sentiment", "CSM sentiment", "select", _SENTIMENT),
        _choice("web_technologies", "Web Technologies", "checkbox", _titled(_WEB_TECHNOLOGIES)),
        _yes_no("is_public", "Is Public"),
        _yes_no("hs_is_target_account", "Target Account"),
        _yes_no("hs_is_enriched", "Has been enriched"),
        _owner("Company owner"),
    )
    groups = (
        Group(name="companyinformation", label="Company information", display_order=0),
        Group(name="companylcs", label="Company lifecycle stages", display_order=1),
        Group(name="company_activity", label="Company activity", display_order=2),
    )
    return Catalogue((*_plain(), *chosen), groups)


def contacts() -> Catalogue:
    """The contact properties that matter beside a company; a contact's stamp has a name of its own.

    https://knowledge.hubspot.com/properties/hubspots-default-contact-properties
    """
    system = ("createdate", "lastmodifieddate", "hs_object_id")
    group = Group(name="contactinformation", label="Contact information", display_order=0)
    return Catalogue(
        _plain(_CONTACT), (group,), system=system, defaults=("email", "firstname", "lastname", *system)
    )


def tasks() -> Catalogue:
    """The properties of a task.

    https://developers.hubspot.com/docs/api-reference/crm-tasks-v3/guide
    """
    chosen = (
        _choice("hs_task_status", "Task Status", "select", _titled(_TASK_STATES)),
        _choice("hs_task_priority", "Priority", "select", _titled("NONE LOW MEDIUM HIGH")),
        _choice("hs_task_type", "Task Type", "select", _titled("TODO CALL EMAIL")),
        _owner("Assigned to"),
    )
    group = Group(name="task", label="Task", display_order=0)
    return Catalogue((*_plain(_TASK), *chosen), (group,), defaults=SYSTEM)


def deals() -> Catalogue:
    """The properties of a deal that say what became of it, and for how much.

    https://knowledge.hubspot.com/properties/hubspots-default-deal-properties
    """
    stages = ((stage.id, stage.label) for stage in STAGES.values())
    chosen = (
        _choice("dealstage", "Deal Stage", "radio", stages),
        _choice("pipeline", "Pipeline", "select", ((one.id, one.label) for one in PIPELINES)),
        _choice("dealtype", "Deal Type", "radio", _DEAL_TYPES),
        _choice("deal_currency_code", "Currency", "select", _CURRENCIES),
        _yes_no("hs_is_closed", "Is Deal Closed?", worked_out=True),
        _yes_no("hs_is_closed_won", "Is Closed Won", worked_out=True),
        _yes_no("hs_is_closed_lost", "Is closed lost", worked_out=True),
        _owner("Deal owner"),
    )
    group = Group(name="dealinformation", label="Deal information", display_order=0)
    defaults = ("dealname", "amount", "closedate", "dealstage", "pipeline", *SYSTEM)
    return Catalogue((*_plain(_DEAL), *chosen), (group,), defaults=defaults)
