"""The two ports: a CRM and an enricher. What the story in `sync/settle.py` may ask of the outside world.

Adding a CRM is one folder that satisfies `Crm` and passes the contract suite in `tests/crm/contract.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from icp_sync.domain.account import Account, Owner
from icp_sync.domain.facts import Signal
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.views import View
from icp_sync.errors import Problem


class Stream(StrEnum):
    """Where pages come from.

    POLL reads up to the CRM's now and may miss what its index does not show yet; TRAILING reads the same
    windows an hour later and is the correctness cursor; SWEEP and BACKFILL read everything by id; DUE
    reads the ids whose wake-up time has come.
    """

    POLL = "poll"
    TRAILING = "trailing"
    SWEEP = "sweep"
    BACKFILL = "backfill"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a stream has settled. Instants are ms on the CRM's clock.

    Windows (poll, trailing): everything stamped before `done_to` is settled; while a window is being
    read, `upper` is its fixed end and `last_id` the last id settled in it. Id reads (sweep, backfill):
    `last_id`, and `finished` once the end was reached. A finished position starts over.
    """

    done_to: int = 0
    upper: int = 0
    last_id: str = ""
    finished: bool = False

    def to_json(self) -> dict[str, object]:
        return {
            "done_to": self.done_to,
            "upper": self.upper,
            "last_id": self.last_id,
            "finished": self.finished,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Position:
        return cls(
            done_to=int(str(data.get("done_to", 0))),
            upper=int(str(data.get("upper", 0))),
            last_id=str(data.get("last_id", "")),
            finished=bool(data.get("finished", False)),
        )


Seen = Callable[[Mapping[str, int]], set[str]]
"""id → stamp (ms) as discovered; returns the ids already settled at exactly that stamp."""


def nothing_seen(stamps: Mapping[str, int]) -> set[str]:
    return set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to read. `ids` is for DUE. `limit`: stop after about so many accounts. `seen` spares re-reads.

    after, up_to: the range of ids an id stream reads, the first left out and the last included; "" for no
    bound. A position in it goes before `after`.
    """

    stream: Stream
    position: Position = Position()
    ids: tuple[str, ...] = ()
    limit: int | None = None
    seen: Seen = nothing_seen
    after: str = ""
    up_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Accounts to settle (about ten batches), those gone, and the position once all of them are settled.

    gone: id → the id of the survivor of a merge, or "" for a deletion.
    skipped: how many discovered ids `seen` spared.
    """

    stream: Stream
    accounts: tuple[Account, ...]
    position: Position
    gone: Mapping[str, str] = field(default_factory=dict)
    skipped: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(account.id for account in self.accounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The portal or org behind the credentials. `currency` is the one its plain money fields are in."""

    id: str
    name: str
    production: bool
    currency: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """What provisioning makes: our fields with the property name each has on this connection.

    options: closed option lists that depend on the profile (flags), field → (value, label) pairs.
    made: property names that provisioning wrote down as made by it, those of earlier settings among them.
    views: key → the CRM's id of the views of ours that would go too, and are no strangers to our fields.
    proven: whether what bears our marks is this installation's; else only what is among `made` is.
    mark: what the names of views begin with.
    deal_fields, deals_made: the same of the three fields that deals are stamped with (`domain.stamp.STAMP`),
    none of which is made or asked for while both are empty. follows_deals: whether deals are read at all.
    tasks: whether owners are given tasks.
    """

    group: str
    group_label: str
    fields: Mapping[str, str]  # logical field → property name, natives excluded
    options: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    made: frozenset[str] = frozenset()
    deal_fields: Mapping[str, str] = field(default_factory=dict)  # field of the stamp → property name
    deals_made: frozenset[str] = frozenset()
    follows_deals: bool = False
    tasks: bool = False
    views: Mapping[str, str] = field(default_factory=dict)
    proven: bool = True
    mark: str = "ICP"

    def mine(self, name: str) -> bool:
        """Whether this installation made it, as far as anybody can tell. name: as a step names it."""
        return self.proven or name in self.made


class StepKind(StrEnum):
    CREATE = "create"
    ADD_OPTION = "add option"
    KEEP = "keep"
    CONFLICT = "conflict"
    DEPENDS = "depends"  # something in the CRM uses what would be removed
    REMOVE = "remove"
    RESTORE = "restore"  # ours, and changed by people: set right only with force
    UPDATE = "update"  # ours, made under earlier settings: set right without force
    NOTE = "note"  # what to know before; nothing is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing provisioning would do or did. A CONFLICT is never touched and names its reason.

    lacks: whether that reason is a scope or right we do not have, which no force replaces.
    """

    kind: StepKind
    what: str
    detail: str = ""
    done: bool = False
    lacks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewStep:
    """A step about a view, or (key "") about what several views need: a field, a section of a layout.

    id: the CRM's id of a view of ours that is there; "" before it is made and once it is gone. name: what it
    is called in the CRM now.
    """

    step: Step
    key: str = ""
    id: str = ""
    name: str = ""


def unnoted(_: ViewStep) -> None:
    """For who has nothing to note of a step that was just taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """What `Crm.views` would do or did. by_hand: how people make what could not be made, and how a rep saves
    a view of their own; a sentence each."""

    steps: tuple[ViewStep, ...]
    by_hand: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A record that belongs to an account. Of a contact nothing personal is read: its id and job title.

    title: as it stands in the CRM, "" where it is blank or the record cannot be read.
    """

    id: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A sale, won, lost or still open: what a profile is measured by.

    amount: None where the CRM has none; currency: ISO 4217, "" where nobody says. stage: the CRM's own word.
    closed_on: the day it closed or is expected to, "2026-11-30", "" unknown; created_on: the day it was
    created by the same calendar, "" where only the instant is known. created_at, changed_at: ms on the CRM's
    clock. owner: email, "" for nobody. stamp: our three values as they stand on it, field of
    `domain.stamp.STAMP` → canonical value, "" blank; empty where this connection does not stamp. A field that
    is not there, or that we may not read, is absent.
    """

    id: str
    account_id: str = ""
    name: str = ""
    amount: float | None = None
    currency: str = ""
    stage: str = ""
    open: bool = True
    won: bool = False
    closed_on: str = ""
    created_on: str = ""
    created_at: int = 0
    changed_at: int = 0
    owner: str = ""
    stamp: Mapping[str, str] = field(default_factory=dict)


FILLED = "FILLED_MEANWHILE"
"""The code of a note that was not written, as somebody had filled a field of it since."""

NONE_READ: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is written on one record beside the accounts. values: field of the stamp → canonical value."""

    id: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What became of one note. A refusal is an answer, never a raise.

    code: the CRM's own error code or category. WRITTEN means that its reply showed all values. made_at: of a
    task that was found, when it was made, ms on the CRM's clock; None for one made or changed just now.
    """

    id: str
    result: Result
    code: str = ""
    message: str = ""
    made_at: int | None = None


NO_OWNER = "NO_SUCH_OWNER"
"""The code of a task that was refused, as whom it is for is not known to the CRM, or not active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something for an owner to do in the CRM. key: a word by which it is found again, in its text for good.

    owner: email. body: plain text, lines parted by line breaks. accounts: what it is about, at least one.
    due_at: ms.
    """

    key: str
    owner: str
    subject: str
    body: str
    accounts: tuple[str, ...]
    due_at: int


class FieldKind(StrEnum):
    """What a CRM's field can hold, whatever the CRM calls it."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"  # several at once
    YES_NO = "yes_no"
    OTHER = "other"  # a file, a link to another record


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmField:
    """One field of the CRM's accounts. `type`: the CRM's own word for it; `options`: the values it may take.

    separator: what stands between several values, "" where there is only ever one.
    """

    name: str
    label: str
    kind: FieldKind
    type: str
    options: tuple[str, ...] = ()
    separator: str = ""
    archived: bool = False


class Editor(StrEnum):
    """Whose hand changed a value, as far as the CRM tells."""

    PERSON = "person"
    WORKFLOW = "workflow"
    IMPORT = "import"
    APP = "app"  # another program
    OURS = "ours"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One value a field had. value: canonical; at: from when, ms on the CRM's clock. who: what the CRM calls
    the user or app, for display only."""

    value: str
    at: int
    by: Editor
    who: str = ""


Edits = Mapping[str, Mapping[str, tuple[Edit, ...]]]
"""Account id → logical field → the values it had, newest first."""


class Crm(Protocol):
    """A customer-relationship system. Raises AuthError, UnavailableError and ConfigError, all ours."""

    kind: str  # "hubspot"

    @property
    def disabled(self) -> Mapping[str, str]:
        """Logical field → why the CRM cannot carry it at the moment. Others are written all the same."""

    def now(self) -> float:
        """The CRM's own clock, UTC epoch seconds (from its `Date` header)."""

    def identity(self) -> Identity: ...

    def pages(self, query: Query) -> Iterator[Page]:
        """Pages in order. Consuming a page's successor means the consumer is done with the page.

        A window stream ends with a page (possibly empty) whose position has `done_to` = the window's end.
        An id stream ends with a page whose position is finished.
        """

    def cuts(self, parts: int, after: str = "") -> tuple[str, ...]:
        """Ids, in order, that cut the accounts after `after` into at most so many ranges of about the same
        size: fewer where there are few, none where nobody can tell."""

    def fetch(self, ids: Sequence[str]) -> Page:
        """These accounts as they are now; the missing ones are in `gone`."""

    def departed(self, since: int) -> Mapping[str, str]:
        """Ids archived, deleted or merged since (ms): id → survivor or ""."""

    def write(self, writes: Sequence[Write]) -> Iterable[Outcome]:
        """Write absolute values; one outcome per write, in any order. Never raises for one record."""

    def check(self, blueprint: Blueprint) -> list[Problem]:
        """Everything wrong with credentials, scopes, limits and properties, at once."""

    def history(self, ids: Sequence[str], fields: Sequence[str]) -> Edits:
        """Who gave these fields the values they had. An account or field that is not in the answer is one of
        which the CRM does not tell, or does not tell yet; how far back it goes is the CRM's business."""

    def provision(
        self, blueprint: Blueprint, *, apply: bool, remove: bool = False, force: bool = False
    ) -> list[Step]:
        """The steps to the blueprint, or with `remove` from it back to a CRM without us; taken when `apply`.

        Removing takes away only what bears our marks, never a native field and never another's. What depends
        on it comes first, as DEPENDS; then nothing is taken without `force`, and no step is `done`.
        """

    def views(
        self,
        wanted: Sequence[View],
        blueprint: Blueprint,
        known: Mapping[str, str],
        *,
        apply: bool,
        remove: bool = False,
        force: bool = False,
        note: Callable[[ViewStep], None] = unnoted,
    ) -> Views:
        """The steps to the views reps get, or with `remove` to a CRM without them; taken when `apply`.

        known: key → the CRM's id of a view we made, as the journal has it. One that is not known is ours when
        it bears our name and our filter and the blueprint calls its field `mine`; any other of our name is a
        CONFLICT and never touched. Ours whose filter people changed is a RESTORE (with `remove`: a KEEP),
        acted on only with `force`; one that filters by what was `made` earlier is an UPDATE, set right
        without. Its name and place are people's to choose. A view whose field the connection does not carry
        is a NOTE, and so is one that plan or rights do not allow, which `by_hand` says how to make. Never
        raises for one. note: told of every step as it is taken, `done`.

        With `remove`, a view that provisioning makes together with the fields is a KEEP. What depends on a
        view's own fields comes as DEPENDS; then nothing is taken without `force`. Raises ConfigError where
        none of the fields is there yet: provisioning comes first.
        """

    def owners(self) -> tuple[Owner, ...]: ...

    def deals(self, since: int, *, after: str = "", spare: Mapping[str, int] = NONE_READ) -> Iterator[Deal]:
        """Every deal changed since (ms), by id, as it is now; none that is deleted. after: only those whose
        ids come later. spare: id → its last change (ms) as it was read before; not told again while it is
        still that one. Raises AuthError naming the right that is missing."""

    def annotate(self, kind: str, notes: Sequence[Note]) -> Iterable[Noted]:
        """Write notes of ours onto records of a kind ("deals"); one answer per note, in any order. Never
        raises for one record. All values of a note land, or none. Raises ConfigError for another kind.

        The record is looked at before: what it shows already is WRITTEN and not sent; where anything else
        stands in a field of the stamp, nothing is written, and the note is FAILED with the code FILLED.
        A note whose fields this connection does not carry is REFUSED; one whose fields the CRM does not have
        now, or not for us, is FAILED. A record that is deleted or merged away is GONE. Nothing but the fields
        of the stamp is ever written.
        """

    def give_task(self, task: Task) -> Noted:
        """Put a task before its owner, once; `Noted.id` is the CRM's id of it. Never raises for one task.

        One with this key that is there already, open or done, is WRITTEN and not made again. About a single
        account there is one open task of ours at most: it becomes this one, whosever it was. REFUSED with the
        code NO_OWNER where the owner is not known or not active; GONE where no account of it is there any
        more; UNCERTAIN where only a later call tells.
        """

    def related(self, ids: Sequence[str], kind: str) -> Mapping[str, tuple[Related, ...]]:
        """Account id → its records of a kind ("contacts"), in order of id; () where it has none, or is gone.

        An id that is not in the answer could not be read: nothing was learned about it. Raises AuthError
        naming the scope that is missing.
        """

    def fields(self) -> tuple[CrmField, ...]:
        """Every field of the accounts that we may see, the archived among them."""

    def sample(self, properties: Sequence[str], limit: int) -> Sequence[Mapping[str, str | None]]:
        """Raw values of at most `limit` accounts from all over the CRM, the same ones each time.

        A property that is not in a mapping is not there for us; None and "" are blank.
        """

    def canonical(self, field: str, raw: str | None) -> str:
        """A value as the CRM holds it, in the canonical form of `domain.standing`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One account an enricher is asked about. Only the domain leaves unless the vendor's entry says more.

    job: what an earlier `Pending` named: its result is fetched, nothing is ordered again.
    """

    account_id: str
    domain: str
    name: str = ""
    country: str = ""
    wanted: frozenset[str] = frozenset()
    job: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    signals: tuple[Signal, ...]
    charge: float = 0.0  # credits
    unread: Mapping[str, str] = field(default_factory=dict)  # fact → what was said but could not be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """The source knows nothing of this company, and said so cleanly. Remembered for the negative TTL.

    ambiguous: it knows something, but not surely of this company; remembered alike.
    """

    charge: float = 0.0
    ambiguous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The question was taken and will be answered later under `job`; looked at again in `retry_after` s."""

    job: str
    retry_after: float = 60.0
    charge: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """No answer, and nothing learned about the company. Never cached as a miss.

    kind: "throttled", "no_credit", "not_entitled", "bad_input", "error"; or "unknown": it was sent, and
    nobody knows whether it was paid for.
    """

    kind: str
    message: str = ""
    retry_after: float | None = None
    charge: float = 0.0


Answer = Hit | Miss | Pending | Unavailable


def account_key(account_id: str) -> str:
    """Under which key answers about one account are kept; those about a company are under its domain."""
    return f"#{account_id}"


class Enricher(Protocol):
    """A source of facts beside the CRM. Constructor arguments are its config keys.

    price: credits reserved per request, the most one can cost. ttl / miss_ttl: seconds an answer / a clean
    miss stays valid.

    More is read where a source has it, with these defaults: per_account (False): it knows accounts, not
    companies: it is asked about every account by itself, those without a domain too. batch (50): requests
    handed over at once; parallel (4): how many such at a time. ttls ({}): fact → seconds its value stays
    valid. complete (nothing): the facts whose sets from it are whole. takes (whoever has a domain): whether
    it can be asked about a request at all. repeats_free (False): asking twice is paid once. credits_left
    (None): as it last said. verified (True): whether an answer of the real service has been seen.
    """

    name: str
    facts: frozenset[str]
    price: float
    ttl: float
    miss_ttl: float

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """One answer per request, in order."""
