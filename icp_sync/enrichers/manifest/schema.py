"""What a manifest may say, key by key. Knows the language, no vendor, and sends nothing.

`icp_sync/enrichers/README.md` explains every key; `loading` checks what no single key can see.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from icp_sync.enrichers.manifest.expressions import compiled
from icp_sync.enrichers.manifest.vocabulary import Kinds, Leaving, Outcome, Sure
from icp_sync.settings.parts import Seconds, web_address


def _several(raw: Any) -> Any:
    return raw if isinstance(raw, list | tuple) else (raw,)


def _none(raw: Any) -> Any:
    return () if raw == "none" else _several(raw)


def _expression(text: str) -> str:
    compiled(text)
    return text


JmesPath = Annotated[str, AfterValidator(_expression)]
Paths = Annotated[tuple[JmesPath, ...], BeforeValidator(_several)]
Statuses = Annotated[tuple[int, ...], BeforeValidator(_several)]
Address = Annotated[str, AfterValidator(web_address)]


class Part(BaseModel):
    """A mapping of known keys. `sure` and `source`: of what stands in it, where the whole says otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    sure: Sure | None = None
    source: str = ""


class Call(Part):
    """One request. Texts may hold `{placeholders}`; `base_url` where it goes to another host."""

    method: Literal["GET", "POST"] = "GET"
    base_url: Address | None = None
    path: str = Field(pattern=r"^/\S*$")
    query: dict[str, Any] = {}
    json_: Any = Field(None, alias="json")
    form: dict[str, Any] = {}
    headers: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_body(self) -> Call:
        if self.json_ is not None and self.form:
            raise ValueError("has both json and form; a request has one body")
        if self.method == "GET" and (self.json_ is not None or self.form):
            raise ValueError("a GET has no body; write method: POST")
        return self


class Basic(Part):
    user: str
    password: str = ""


class OAuth(Part):
    """Client credentials (RFC 6749, section 4.4). style: how the client says who it is."""

    token_url: Address
    client_id: str
    client_secret: str
    scope: str = ""
    style: Literal["form", "basic", "json"] = "form"
    token: JmesPath = "access_token"  # noqa: S105  a path, not a token


class Auth(Part):
    """One way to say who we are; exactly one of header, query, bearer, basic and oauth."""

    header: str = ""
    query: str = ""
    value: str = "{key}"
    bearer: str = ""
    basic: Basic | None = None
    oauth: OAuth | None = None

    @model_validator(mode="after")
    def _one(self) -> Auth:
        ways = [self.header, self.query, self.bearer, self.basic, self.oauth]
        if sum(bool(way) for way in ways) != 1:
            raise ValueError("needs exactly one of header, query, bearer, basic and oauth")
        return self


class Step(Part):
    """A request before the main one, and what is taken from its reply.

    candidates: a list in the reply; name: each one's name, compared with ours: the one that surely is meant
    is taken. prefer: true of those that come before others of about the same name. found: what the later
    requests know as {found}, or several under names of their own. keep: the reply does not depend on the
    account, and serves everybody for so long.
    """

    request: Call
    candidates: JmesPath = ""
    name: JmesPath = ""
    prefer: JmesPath = ""
    found: JmesPath | dict[str, JmesPath]
    keep: Seconds | None = None
    otherwise: Literal["miss", "ambiguous"] = Field("miss", alias="else")
    credits: float = Field(0.0, ge=0)

    @model_validator(mode="after")
    def _among(self) -> Step:
        if self.name and not self.candidates:
            raise ValueError("needs candidates (a list in the reply) for `name` to choose from")
        if self.prefer and not self.name:
            raise ValueError("needs name for `prefer` to choose among those of about the same name")
        return self


class Batch(Part):
    """How several are asked at once. key: what of a request `echo` repeats."""

    size: int = Field(ge=2, le=10_000)
    request: Call
    items: JmesPath = "@"
    by: Literal["echo", "position"] = "echo"
    echo: JmesPath = ""
    key: Leaving = "domain"
    status: JmesPath = ""
    record: JmesPath = ""
    absent: Literal["miss", "error"] = "error"

    @model_validator(mode="after")
    def _aligned(self) -> Batch:
        if self.by == "echo" and not self.echo:
            raise ValueError("needs echo (a path in an item to what it answers), or by: position")
        return self


class Rule(Part):
    """One outcome: by status, by what is true of the body (`when`) or of the headers, or by all of them."""

    status: Statuses = ()
    when: JmesPath = ""
    headers: JmesPath = ""
    is_: Outcome = Field(alias="is")
    retry_after: JmesPath = ""

    @model_validator(mode="after")
    def _some(self) -> Rule:
        if not (self.status or self.when or self.headers):
            raise ValueError("needs status, when or headers")
        return self


class Found(Part):
    """Where the company stands in a good reply, and when it is one."""

    record: JmesPath = "@"
    when: JmesPath = ""
    otherwise: Literal["miss", "ambiguous", "error", "pending"] = Field("miss", alias="else")


class Likeness(Part):
    """How surely the record is the company asked about. least: below it, it counts as somebody else.

    name: the record's name, compared with ours where the name is what was asked by. domain: the record's web
    address; it must be ours, where it is there at all.
    """

    confidence: JmesPath = ""
    scale: float = Field(1.0, gt=0)
    least: float = Field(0.0, ge=0, le=1)
    name: JmesPath = ""
    domain: JmesPath = ""


class Reported(Part):
    """A number in a header, or at a path in the body."""

    header: str = ""
    path: JmesPath = ""

    @model_validator(mode="after")
    def _one(self) -> Reported:
        if bool(self.header) is bool(self.path):
            raise ValueError("needs either header or path")
        return self


class Charge(Part):
    """on: what costs. hit, call (whatever the answer), new_record (a hit that is new in 12 months), free."""

    on: Literal["hit", "call", "new_record", "free"]
    credits: float = Field(1.0, ge=0)
    reported: Reported | None = None


class Rate(Part):
    calls: int = Field(ge=1)
    seconds: float = Field(gt=0, le=86_400)


class Waiting(Part):
    """job: where the reply names it, "" where the question itself does. check: how the result is fetched; the
    main request again where it is left out."""

    job: JmesPath = ""
    check: Call | None = None
    every: Seconds = 60.0


class Line(Part):
    """Where one fact stands in the record, and how it is read."""

    from_: Paths = Field((), alias="from")
    low: JmesPath = ""
    high: JmesPath = ""
    kind: Kinds
    system: str = ""
    currency: str = Field("", pattern=r"^([A-Z]{3}|\{[a-z_]+\})?$")
    currency_from: JmesPath = ""
    times: float | str = 1.0
    separator: str = ""
    values: dict[str | int, Any] = {}
    complete: bool = False
    confidence: float = Field(1.0, gt=0, le=1)
    observed: JmesPath = ""

    @model_validator(mode="after")
    def _somewhere(self) -> Line:
        if bool(self.from_) is bool(self.low or self.high):
            raise ValueError("needs from, or low and high")
        return self


Lines = Annotated[tuple[Line, ...], BeforeValidator(_several)]


def _lifetimes(raw: Any) -> Any:
    return raw if isinstance(raw, dict) else {"else": raw}


class Manifest(Part):
    """One vendor. What it may say is checked further in `loading`."""

    vendor: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    title: str
    source: str = Field(pattern=r"^https://")
    verified: bool = False
    base_url: Address
    leaves: tuple[Leaving, ...]
    needs: tuple[Leaving, ...] = Field(min_length=1)
    countries: tuple[str, ...] = ()
    auth: Annotated[tuple[Auth, ...], BeforeValidator(_none)]
    secrets: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    required: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    request: Call
    batch: Batch | None = None
    outcomes: tuple[Rule, ...] = ()
    hit: Found = Found()
    match: Likeness = Likeness()
    charge: Charge
    credits_left: Reported | None = None
    repeats_free: bool = False
    rate: Annotated[tuple[Rate, ...], BeforeValidator(_several)] = ()
    parallel: int = Field(4, ge=1, le=32)
    ttl: Annotated[dict[str, Seconds], BeforeValidator(_lifetimes)] = {"else": 90 * 86_400.0}
    miss_ttl: Seconds = 30 * 86_400.0
    pending: Waiting | None = None
    private: tuple[str, ...] = ()
    facts: dict[str, Lines] = Field(min_length=1)
