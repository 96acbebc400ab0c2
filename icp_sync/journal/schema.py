"""The tables. Every one but `worker` and `moved` carries `connection`: several portals share a journal and
none sees another's.

Portable between SQLite and PostgreSQL: plain types, JSON as text. What belongs to one account and is
always read together (confirmed values, unresolved intents, previous standing) is JSON on its row: a page
of a thousand is a thousand rows, not twenty thousand. `tests/journal` holds the migrations to this module.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""Every schema revision this version understands, oldest first."""

VERSION_TABLE = "icp_sync_schema"

metadata = MetaData()

_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in INTEGER PRIMARY KEY

connection_state = Table(
    "connection_state",
    metadata,
    Column("connection", String, primary_key=True),
    Column("identity", Text, nullable=False, default=""),
    Column("crm", String, nullable=False, default=""),
    Column("bound_at", Double),
    Column("mode", String, nullable=False, default="observe"),
    Column("mode_at", Double),
    Column("active_version", Integer, nullable=False, default=0),
    Column("roster_version", Integer, nullable=False, default=0),
    Column("backfill_reason", Text),
    Column("backfill_at", Double),
    Column("backfill_state", Text, nullable=False, default="", server_default=""),  # see journal.backfills
    Column("audit_end", Text, nullable=False, default="", server_default=""),  # see journal.audit
    Column("history_since", Double),  # evaluations from before were pruned, see journal.retention
    Column("paused", Text, nullable=False, default="", server_default=""),  # {by, at, why} or ""
)

profile_version = Table(
    "profile_version",
    metadata,
    Column("connection", String, nullable=False),
    Column("version", Integer, nullable=False, autoincrement=False),
    Column("activated_at", Double, nullable=False),
    Column("note", Text, nullable=False),
    Column("documents", Text, nullable=False),  # [[file name, YAML text], …]
    PrimaryKeyConstraint("connection", "version"),
)

lease = Table(
    "lease",
    metadata,
    Column("connection", String, nullable=False),
    Column("stream", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("holder", Text, nullable=False),  # "" once released; the row stays, so that fences only grow
    Column("fence", BigInteger, nullable=False),
    Column("until", Double, nullable=False),
    PrimaryKeyConstraint("connection", "stream", "partition"),
)

position = Table(
    "position",
    metadata,
    Column("connection", String, nullable=False),
    Column("stream", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("data", Text, nullable=False),
    Column("at", Double, nullable=False),
    PrimaryKeyConstraint("connection", "stream", "partition"),
)

account = Table(
    "account",
    metadata,
    Column("connection", String, nullable=False),
    Column("id", String, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("status", String, nullable=False),  # "" | settled | deferred | refused | held | gone
    Column("counted_owner", String, nullable=False),  # whose load holds this account; "" nobody's
    Column("in_scope", Boolean, nullable=False),
    Column("tier", String, nullable=False),
    Column("profile_version", Integer, nullable=False),
    Column("score", Integer),
    Column("wake_at", Double),
    Column("seen_stamp", BigInteger),
    Column("stamp", BigInteger, nullable=False),
    Column("settled_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("domain", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("owner", String, nullable=False),
    Column("survivor", String, nullable=False),
    Column("problem", Text, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("previous", Text, nullable=False),
    Column("confirmed", Text, nullable=False),  # {field: [value, origin, at]}
    Column("intents", Text, nullable=False),  # {field: [value, …]}, inherited evidence among them
    Column("intended_by", String, nullable=False, default=""),  # the run that last intended a write
    Column("intended_at", Double),
    Column("evidence", Text, nullable=False),
    Column("parent", String, nullable=False, default="", server_default=""),
    Column("group_key", String, nullable=False, default="", server_default=""),  # see domain.account.Kin
    # {field: [live value the last write assumed, value sent]} until a later read has seen that write
    Column("unechoed", Text, nullable=False, default="", server_default=""),
    Column("sent_at", Double, nullable=False, default=0.0, server_default="0"),
    Column("owed", Text, nullable=False, default="", server_default=""),  # {field: [value, at, by, over]}
    Column("withdrawn", Text, nullable=False, default="", server_default=""),  # [mark, {field: value}, run]
    Column("former", Text, nullable=False, default="", server_default=""),  # [domain, …] before this one
    PrimaryKeyConstraint("connection", "id"),
    Index("account_parent", "connection", "parent"),
    Index("account_group", "connection", "group_key"),
    Index("account_wake", "connection", "wake_at"),
    Index("account_standing", "connection", "status", "in_scope", "tier", "profile_version"),
    Index("account_listed", "connection", "tier", "status", "id"),  # see journal.listing
    Index("account_domain", "connection", "domain"),
    Index("account_name", "connection", "name_key"),
)

evaluation = Table(  # apart from the account: written once a settlement, read only by explain
    "evaluation",
    metadata,
    Column("connection", String, nullable=False),
    Column("account", String, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("connection", "account"),
)

left_alone = Table(
    "left_alone",
    metadata,
    Column("connection", String, nullable=False),
    Column("account", String, nullable=False),
    Column("field", String, nullable=False),
    Column("held", Text, nullable=False),  # [live, desired]
    Column("since", Double, nullable=False),
    PrimaryKeyConstraint("connection", "account", "field"),
)

change_log = Table(
    "change_log",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True),
    Column("connection", String, nullable=False),
    Column("run", String, nullable=False),
    Column("account", String, nullable=False),
    Column("at", Double, nullable=False),
    Column("result", String, nullable=False),
    Column("changes", Text, nullable=False),  # [[field, before, after, reason], …] of one write
    Index("change_log_account", "connection", "account", "seq"),
    Index("change_log_run", "connection", "run", "seq"),
)

evaluation_log = Table(
    "evaluation_log",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True),
    Column("connection", String, nullable=False),
    Column("run", String, nullable=False),
    Column("account", String, nullable=False),
    Column("at", Double, nullable=False),
    Column("tier", String, nullable=False),
    Column("score", Integer),
    Column("why", Text, nullable=False),
    Column("data", Text, nullable=False),
    Index("evaluation_log_account", "connection", "account", "seq"),
)

deal = Table(  # what was sold, and how its company stood when the deal began; see journal.deals
    "deal",
    metadata,
    Column("connection", String, nullable=False),
    Column("id", String, nullable=False),
    Column("account", String, nullable=False),
    Column("created_at", Double, nullable=False),  # on the CRM's clock, as changed_at
    Column("closed_on", String, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("won", Boolean, nullable=False),
    Column("amount", Double),
    Column("currency", String, nullable=False),
    Column("stage", Text, nullable=False),
    Column("owner", String, nullable=False),
    Column("tier", String, nullable=False, default="", server_default=""),  # at creation, once known
    Column("tier_of", String, nullable=False, default="", server_default=""),  # the account that was of it
    Column("score", Integer),
    Column("profile", Text, nullable=False, default="", server_default=""),
    Column("version", Integer, nullable=False, default=0, server_default="0"),
    Column("stamp", String, nullable=False, default="", server_default=""),  # see journal.deals.Stamp
    Column("stamped_at", Double),  # when it was meant to be, and then when it was
    Column("due", Double),  # from when it may be sent, None while only a read can tell
    Column("attempts", Integer, nullable=False, default=0, server_default="0"),
    Column("refusals", Integer, nullable=False, default=0, server_default="0"),
    Column("message", Text, nullable=False, default="", server_default=""),
    Column("seen_at", Double, nullable=False),  # when the last read that showed it began
    Column("open_since", Double),  # the first of the reads that all showed it open, None while it is closed
    Column("gone_at", Double),  # since when no read of all deals has met it
    PrimaryKeyConstraint("connection", "id"),
    Index("deal_account", "connection", "account"),
    Index("deal_tier_of", "connection", "tier_of"),
    Index("deal_created", "connection", "created_at"),
    Index("deal_stamp", "connection", "stamp", "created_at"),
)

watch = Table(  # how the accounts were made up when the profile was activated, and what drifted since
    "watch",
    metadata,
    Column("connection", String, primary_key=True),
    Column("at", Double, nullable=False),
    Column("version", Integer, nullable=False),  # of the profile the baseline belongs to, 0 before any
    Column("baseline_at", Double),
    Column("baseline", Text, nullable=False),
    Column("findings", Text, nullable=False),
)

notice = Table(  # what somebody is to be told, until they were; see journal.notices
    "notice",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True),
    Column("connection", String, nullable=False),
    Column("audience", String, nullable=False),  # rep | operator
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),  # an account's id, or the name of an alert
    Column("to", Text, nullable=False),  # an owner's email, "" whoever listens
    Column("key", Text, nullable=False),  # of one subject: the same key is the same news
    Column("data", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("state", String, nullable=False),  # waiting | sent | dropped | failed
    Column("due", Double),  # from when it may be sent; None once it was, or never will be
    Column("batch", String, nullable=False, default="", server_default=""),  # what it is sent together with
    Column("sent_at", Double),
    Column("attempts", Integer, nullable=False, default=0, server_default="0"),
    Column("message", Text, nullable=False, default="", server_default=""),
    Index("notice_due", "connection", "due"),
    Index("notice_subject", "connection", "subject"),
    Index("notice_latest", "connection", "seq"),
)

assignment = Table(  # what became of an account after it was given to somebody; see journal.assignments
    "assignment",
    metadata,
    Column("connection", String, nullable=False),
    Column("account", String, nullable=False),
    Column("routed_at", Double, nullable=False),
    Column("owner", String, nullable=False),
    Column("rule", Integer, nullable=False),
    Column("due", Double),
    Column("touched_at", Double),
    Column("breached_at", Double),
    Column("ended_at", Double),  # None while it is watched
    Column("how", String, nullable=False, default="", server_default=""),  # how it ended
    Column("action", String, nullable=False, default="", server_default=""),  # what the breach led to
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("connection", "account", "routed_at"),
    Index("assignment_ended", "connection", "ended_at"),
    Index("assignment_routed", "connection", "routed_at"),
)

daily = Table(  # how the accounts stood at the last look of a UTC day
    "daily",
    metadata,
    Column("connection", String, nullable=False),
    Column("day", Integer, nullable=False),  # days since 1970-01-01
    Column("at", Double, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("connection", "day"),
)

view = Table(  # the lists and list views that provisioning made for reps
    "view",
    metadata,
    Column("connection", String, nullable=False),
    Column("key", String, nullable=False),
    Column("id", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    PrimaryKeyConstraint("connection", "key"),
)

owner = Table(
    "owner",
    metadata,
    Column("connection", String, nullable=False),
    Column("email", String, nullable=False),
    Column("id", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    PrimaryKeyConstraint("connection", "email"),
)

load = Table(
    "load",
    metadata,
    Column("connection", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("load", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("connection", "owner"),
)

answer = Table(
    "answer",
    metadata,
    Column("connection", String, nullable=False),
    Column("enricher", String, nullable=False),
    Column("key", String, nullable=False),
    Column("state", String, nullable=False),  # asked | pending | hit | miss | refused
    Column("at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),  # from when it may be asked, or looked for, again
    Column("signals", Text, nullable=False),  # of the last hit, also while it is being asked again
    Column("unread", Text, nullable=False),
    Column("until", Double, nullable=False, default=0.0, server_default="0"),  # signals are recalled
    Column("job", Text, nullable=False, default="", server_default=""),  # what its result is fetched under
    Column("run", String, nullable=False, default="", server_default=""),  # who asked last
    Column("ordered", Double, nullable=False, default=0.0, server_default="0"),  # when the job was
    PrimaryKeyConstraint("connection", "enricher", "key"),
    Index("answer_key", "connection", "key"),
)

purchase = Table(
    "purchase",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True),
    Column("connection", String, nullable=False),
    Column("enricher", String, nullable=False),
    Column("key", String, nullable=False),
    Column("run", String, nullable=False),
    Column("at", Double, nullable=False),
    Column("amount", Double, nullable=False),
    Column("open", Boolean, nullable=False),  # reserved, and what it cost is not known yet
    Index("purchase_key", "connection", "key", "enricher", "open"),
    Index("purchase_at", "connection", "enricher", "at"),
    Index("purchase_run", "connection", "run", "enricher", "amount"),  # whole: a sum need not see the rows
)

spending = Table(  # the purchases of a UTC day added up, so that budgets are quick to count
    "spending",
    metadata,
    Column("connection", String, nullable=False),
    Column("enricher", String, nullable=False),
    Column("day", Integer, nullable=False),  # days since 1970-01-01
    Column("amount", Double, nullable=False),
    PrimaryKeyConstraint("connection", "enricher", "day"),
)

tally = Table(  # what a source was asked, what it could tell, and what that cost: for the next choice
    "tally",
    metadata,
    Column("connection", String, nullable=False),
    Column("enricher", String, nullable=False),
    Column("fact", String, nullable=False),  # "": the request as a whole
    Column("segment", String, nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("told", BigInteger, nullable=False),
    Column("charge", Double, nullable=False),
    PrimaryKeyConstraint("connection", "enricher", "fact", "segment"),
)

vendor = Table(  # how a source was when it last answered, or did not
    "vendor",
    metadata,
    Column("connection", String, nullable=False),
    Column("enricher", String, nullable=False),
    Column("data", Text, nullable=False),
    Column("at", Double, nullable=False),
    PrimaryKeyConstraint("connection", "enricher"),
)

inbound_event = Table(  # what others told us of a company, each event once; see journal.inbound
    "inbound_event",
    metadata,
    Column("connection", String, nullable=False),
    Column("source", String, nullable=False),
    Column("id", String, nullable=False),  # a digest: what a sender names an event by may name a person
    Column("domain", String, nullable=False),
    Column("at", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("recent", Boolean, nullable=False),  # within the month that visits are counted of
    Column("facts", Text, nullable=False),  # {fact: value}
    PrimaryKeyConstraint("connection", "source", "id"),
    Index("inbound_domain", "connection", "source", "domain", "at"),
    Index("inbound_until", "connection", "until"),
    Index("inbound_recent", "connection", "recent", "at"),
)

run = Table(
    "run",
    metadata,
    Column("connection", String, nullable=False),
    Column("id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("detail", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("partition", String, nullable=False, default="", server_default=""),  # of a backfill, "" of none
    PrimaryKeyConstraint("connection", "id"),
    Index("run_started", "connection", "started_at"),
    Index("run_kind", "connection", "kind", "id"),
)

event = Table(
    "event",
    metadata,
    Column("connection", String, nullable=False),
    Column("name", String, nullable=False),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("connection", "name"),
)

job = Table(
    "job",
    metadata,
    Column("connection", String, nullable=False),
    Column("id", String, nullable=False),
    Column("begun_at", Double, nullable=False),
    Column("accounts", Text, nullable=False),  # [id, …]
    PrimaryKeyConstraint("connection", "id"),
)

hold = Table(  # changes that wait for a person
    "hold",
    metadata,
    Column("connection", String, nullable=False),
    Column("account", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changes", Text, nullable=False),  # [[field, live, desired, reason, origin], …]
    Column("since", Double, nullable=False),
    Column("released_by", String, nullable=False),
    PrimaryKeyConstraint("connection", "account", "rule"),
    Index("hold_rule", "connection", "rule", "since"),
)

movement = Table(  # whose writes of each guarded kind may have landed, for the sliding day
    "movement",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True),
    Column("connection", String, nullable=False),
    Column("run", String, nullable=False),
    Column("at", Double, nullable=False),
    Column("rule", String, nullable=False),
    Column("n", Integer, nullable=False),
    Column("account", String, nullable=False, default="", server_default=""),  # "" before 0007: of n accounts
    Index("movement_at", "connection", "at"),
    Index("movement_account", "connection", "account", "at"),
)

alert = Table(  # what somebody was told of, so that they are told once
    "alert",
    metadata,
    Column("connection", String, nullable=False),
    Column("name", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("since", Double, nullable=False),
    PrimaryKeyConstraint("connection", "name"),
)

request = Table(  # what a command asks of the process that holds the journal
    "request",
    metadata,
    Column("connection", String, nullable=False),
    Column("id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("args", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Double, nullable=False),
    Column("state", String, nullable=False),  # waiting | running | done | failed | cancelled
    Column("run", String, nullable=False),
    Column("progress", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("updated_at", Double, nullable=False),
    PrimaryKeyConstraint("connection", "id"),
)

audit = Table(  # who changed what; each row's digest covers the one before
    "audit",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True),
    Column("connection", String, nullable=False),
    Column("at", Double, nullable=False),
    Column("who", String, nullable=False),
    Column("what", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("digest", String, nullable=False),
    Index("audit_connection", "connection", "seq"),
)

quota = Table(  # the limits of a connection as all its processes know them
    "quota",
    metadata,
    Column("connection", String, primary_key=True),
    Column("data", Text, nullable=False),
    Column("at", Double, nullable=False),
)

turn = Table(  # when each stream is to run next, and how its last cycles went, where workers share them
    "turn",
    metadata,
    Column("connection", String, nullable=False),
    Column("stream", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("worker", String, nullable=False),  # which is at it, "" none
    Column("began_at", Double),
    Column("ended_at", Double),
    Column("last_success", Double),
    Column("waits_until", Double, nullable=False, default=0.0, server_default="0"),  # for calls
    Column("failures", Integer, nullable=False),
    Column("down_since", Double),
    Column("error", Text, nullable=False),
    PrimaryKeyConstraint("connection", "stream", "partition"),
)

partition = Table(  # a range of ids of a backfill that several workers make; its position is in `position`
    "partition",
    metadata,
    Column("connection", String, nullable=False),
    Column("stream", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("after", String, nullable=False),
    Column("up_to", String, nullable=False),
    Column("state", Text, nullable=False),  # its waves, see journal.backfills
    PrimaryKeyConstraint("connection", "stream", "partition"),
)

worker = Table(  # the processes that work on this journal
    "worker",
    metadata,
    Column("id", String, primary_key=True),
    Column("version", String, nullable=False),
    Column("schema", String, nullable=False),  # the revision it was built for
    Column("started_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("jobs", Integer, nullable=False),  # how many it does at once
)

moved = Table(  # what became of a journal copied elsewhere for good, on both sides; see journal.moved
    "moved",
    metadata,
    Column("mark", String, primary_key=True),  # by which the two sides know each other
    Column("state", String, nullable=False),  # going | gone here, arriving | arrived there
    Column("other", Text, nullable=False),  # the other side's place, without any secret
    Column("at", Double, nullable=False),
)
