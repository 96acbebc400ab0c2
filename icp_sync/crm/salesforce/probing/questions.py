"""What Salesforce's documentation leaves open, and the answers our code was written for. Nothing but data."""

from __future__ import annotations

from icp_sync.crm.probing import Question

SAME_VALUE, ROW_ID, VIEW_NAMES, COMPOSITE, BODY_412, INDEX, ROW_ERROR, DATA_COM = (
    "same value bumps",
    "id of a failed row",
    "view field names",
    "composite headers",
    "body of a 412",
    "LastModifiedDate",
    "sf__Error",
    "Data.com fields",
)

QUESTIONS = (
    Question(
        key=SAME_VALUE,
        asks="Does writing the value that is there move SystemModstamp?",
        assumed=True,
        where="crm/salesforce/writes/comparing.py: what is there already is not written",
        switch="same_value_bumps",
        instead="Nothing to change, and it costs nothing: repeated writes make fewer echoes than we reckon "
        "with.",
    ),
    Question(
        key=ROW_ID,
        asks="Does the failed row of a collection name its id?",
        assumed=False,
        where="crm/salesforce/writes/chunks.py: rows are told apart by their place",
        switch="failed_row_has_id",
        instead="Nothing to change: the place of a row is documented, its id is not needed.",
    ),
    Question(
        key=VIEW_NAMES,
        asks="Must a list view call a custom field Account.X__c rather than X__c?",
        assumed=False,
        where="crm/salesforce/provisioning/provision.py: the bare name first, then the other spelling",
        switch="list_view_prefix",
        instead="Nothing to change: `provision` tries the other spelling by itself, one deployment later.",
    ),
    Question(
        key=COMPOSITE,
        asks="Are conditional headers of a part heeded inside composite?",
        assumed=False,
        where="crm/salesforce/writes/ownership.py: each owner travels in a call of its own",
        switch="composite_headers",
        instead="Nothing to change. Owners cost a call each; with it, up to 25 could share one.",
    ),
    Question(
        key=BODY_412,
        asks="Does a 412 come with a body?",
        assumed=False,
        where="crm/salesforce/writes/ownership.py: the status alone is read",
        switch="precondition_body",
        instead="Nothing to change, and it costs nothing: the body is not looked at.",
    ),
    Question(
        key=INDEX,
        asks="Does a filter on LastModifiedDate use an index?",
        assumed=False,
        where="crm/salesforce/reads/discovery.py: windows are walked by SystemModstamp, which has one",
        switch="last_modified_indexed",
        instead="Nothing to change, and it costs nothing: we do not filter on it.",
    ),
    Question(
        key=ROW_ERROR,
        asks="Does sf__Error read CODE:message:FIELDS --?",
        assumed=True,
        where="crm/salesforce/writes/bulk_writing.py: how the failed rows of a bulk job are read",
        setting="salesforce.bulk_writes",
        instead="Leave bulk_writes = false and please report the text. A refusal that cannot be read counts "
        "as permanent: the account waits for `icp-sync retry` instead of being tried again.",
    ),
    Question(
        key=DATA_COM,
        asks="Has the org the account fields of Data.com?",
        assumed=False,
        where="normalize/salesforce_fields.py: of those fields only YearStarted feeds a fact by itself",
        setting="facts",
        switch="data_com",
        instead="Use them: `icp-sync facts discover` proposes the lines for NaicsCode and its kin. Until "
        "then what they say stays unknown.",
    ),
)
