"""Behaviour Salesforce does not document, or that differs between orgs, as switches. The defaults are the
harsh ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from icp_sync.simulator.switches import Switchboard


@dataclass(slots=True, kw_only=True)
class Switches(Switchboard):
    """Every switch, its unit and its default.

    data_com, person_accounts, multi_currency, state_country_picklists: features an org may have; each brings
    fields of its own.
    session_seconds: how long a session lives; it does not grow longer with use.
    oauth_password: whether the OAuth username-password flow is allowed.
    limits_lag: seconds by which /limits/ trails the requests made (the header of every reply does not).
    daily_limit: overrides the plan's figure; null keeps it.
    reserve: calls of a day below which a call is noted in the statistics; null notes none.
    same_value_bumps: whether writing the value a record already holds moves its stamps.
    milliseconds: whether an instant written into a field keeps its milliseconds.
    last_modified_indexed: whether a filter on LastModifiedDate may use the index of SystemModstamp.
    page_size: the most records of a query's page, whatever batchSize asks for; null leaves it to batchSize.
    locator_seconds: how long a query's locator can be read on.
    failed_row_has_id: whether the failed row of a collection names its id.
    lock_accounts_by_parent: whether a row whose parent is being written is locked as well.
    object_rights: whether people may do with accounts, contacts and deals only what their profile and
    permission sets allow, and give records away or look at permissions only with the right to.
    bare_user: whether nobody has given the integration anything beyond its profile, which is the API alone;
    otherwise it may read and edit accounts, and read contacts and deals.
    transfer_right: whether the integration may give records away though it has the right to.
    line_ends_crlf: whether the line ends of long text come back as CR LF.
    duplicate_alert: whether a duplicate rule (another account has the same Website) stops a write that does
    not allow saving; duplicate_block: whether it stops every write.
    bulk_seconds: how long a bulk job takes.
    bulk_page: the most records of a page of a bulk query's results; null leaves it to maxRecords.
    bulk_auto_assign: whether bulk ingest runs the assignment rules, having no header against it.
    composite_headers: whether a subrequest of composite takes httpHeaders of its own.
    precondition_body: whether a 412 comes with a body that says why.
    deploy_seconds: how long a metadata deployment takes.
    metadata_right: whether the integration may, unless bare, see the setup, deploy metadata and hand out
    permission sets.
    picklist_replaces: whether deploying a picklist makes the values it leaves out inactive.
    list_view_prefix: whether a list view must write custom columns `Account.X__c`.
    shared_views_hidden: whether a list view shared with some roles or groups is kept from everybody else.
    bare_refusals: whether the identity services answer a bad session with 403 and a bare word, not a 401.
    hidden_access_told: whether UserRecordAccess has a row for a record the caller may not see.
    per_app_usage: whether Sforce-Limit-Info also names the app's own usage.
    dependency_api: whether the org has the dependency API, which is a preview.
    assigned_sets_stay: whether a permission set somebody has cannot be deleted.
    latency: seconds added to every answer.
    """

    data_com: bool = False
    person_accounts: bool = False
    multi_currency: bool = False
    state_country_picklists: bool = False
    session_seconds: float = 7200.0
    oauth_password: bool = False
    limits_lag: float = 300.0
    daily_limit: int | None = None
    reserve: int | None = None
    same_value_bumps: bool = True
    milliseconds: bool = False
    last_modified_indexed: bool = False
    page_size: int | None = None
    locator_seconds: float = 172_800.0
    failed_row_has_id: bool = False
    lock_accounts_by_parent: bool = False
    object_rights: bool = True
    bare_user: bool = False
    transfer_right: bool = True
    line_ends_crlf: bool = True
    duplicate_alert: bool = True
    duplicate_block: bool = False
    bulk_seconds: float = 0.0
    bulk_page: int | None = None
    bulk_auto_assign: bool = True
    composite_headers: bool = False
    precondition_body: bool = False
    deploy_seconds: float = 0.0
    metadata_right: bool = True
    picklist_replaces: bool = True
    list_view_prefix: bool = False
    shared_views_hidden: bool = True
    bare_refusals: bool = True
    hidden_access_told: bool = False
    per_app_usage: bool = True
    dependency_api: bool = True
    assigned_sets_stay: bool = True
    latency: float = 0.0

    # What the store asks of every CRM and Salesforce never does: reads see what is committed at once, and
    # nothing stamps a record a second time.

    @property
    def index_lag(self) -> float:
        return 0.0

    @property
    def index_jitter(self) -> float:
        return 0.0

    @property
    def follow_up(self) -> bool:
        return False

    @property
    def merged_in_archived_list(self) -> bool:
        return True
