"""Who may come in, and what they may do: users with roles, passwords, sessions.

Passwords are kept as scrypt digests (RFC 7914), sessions in memory: a restart logs everybody out. Knows
nothing of HTTP.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

_COST = 15  # 2^15 rounds, 32 MiB: a tenth of a second a guess
_BLOCK, _LANES, _SALT, _LENGTH = 8, 1, 16, 32
_MEMORY = 96 * 1024 * 1024
_HIGHEST_COST = 17

LASTS = 12 * 3600.0
"""Seconds after which a session ends, whatever happens in it."""
IDLE = 3600.0
"""Seconds without a request after which it ends."""
SESSIONS = 500
"""The most at a time; the one that was idle longest makes room."""
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 1_024
"""Characters."""

FREE_TRIES = 5
LONGEST_PAUSE = 300.0
"""Seconds to wait at most before the next try of a name that failed often."""
NAMES = 10_000


class Role(IntEnum):
    """Each may do what those below it may."""

    VIEWER = 0
    OPERATOR = 1
    APPROVER = 2

    @classmethod
    def named(cls, name: str) -> Role:
        return cls[name.upper()]

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody acting in the console. name: as the audit has it."""

    name: str
    role: Role


@dataclass(slots=True, kw_only=True)
class Session:
    """user: None before a login. csrf: what each form of this session must carry. said: messages for the next
    page, each with its kind: "done" or "problem"."""

    id: str
    csrf: str
    user: User | None
    began: float
    seen: float
    said: list[tuple[str, str]] = field(default_factory=list)


def hashed(password: str) -> str:
    """A password as the settings keep it: scrypt:cost:salt:digest. Raises ValueError for a short one."""
    if len(password.strip()) < SHORTEST_PASSWORD:
        raise ValueError(f"a password has at least {SHORTEST_PASSWORD} characters, spaces around it aside")
    if len(password) > LONGEST_PASSWORD:
        raise ValueError(f"a password has at most {LONGEST_PASSWORD} characters")
    salt = secrets.token_bytes(_SALT)
    return f"scrypt:{_COST}:{_text(salt)}:{_text(_digest(password, salt, _COST))}"


def fits(password: str, kept: str) -> bool:
    """Whether this is the password of a digest; takes as long for a wrong one."""
    try:
        _, cost, salt, digest = kept.split(":")
        rounds = int(cost)
        wanted = base64.urlsafe_b64decode(digest + "==")
        bare = base64.urlsafe_b64decode(salt + "==")
    except ValueError:
        return False
    if not 1 <= rounds <= _HIGHEST_COST:
        return False
    return hmac.compare_digest(_digest(password, bare, rounds), wanted)


def _digest(password: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=2**cost, r=_BLOCK, p=_LANES, maxmem=_MEMORY * 2, dklen=_LENGTH
    )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Access:
    """The users there are and the sessions that are open.

    users: name → (role, digest of the password). everybody: who somebody is without a login, None where one
    is asked for.
    """

    def __init__(
        self,
        users: Mapping[str, tuple[Role, str]],
        everybody: User | None,
        clock: Callable[[], float],
    ) -> None:
        self._users, self.everybody, self._clock = users, everybody, clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._failed: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._nobodys = hashed(secrets.token_urlsafe(24))  # so that an unknown name takes as long
        self._checking = threading.Semaphore(2)  # each check holds 32 MiB

    def session(self, session_id: str, *, used: bool = True) -> Session | None:
        """The open session of a cookie. used: whether somebody did something, which keeps it open."""
        now = self._clock()
        with self._lock:
            found = self._sessions.get(session_id)
            if found is None:
                return None
            if now - found.began > LASTS or now - found.seen > IDLE:
                del self._sessions[session_id]
                return None
            if used:
                found.seen = now
            self._sessions.move_to_end(session_id)
            return found

    def begin(self, user: User | None) -> Session:
        """A new session, under an id nobody can guess."""
        now = self._clock()
        made = Session(
            id=secrets.token_urlsafe(32), csrf=secrets.token_urlsafe(24), user=user, began=now, seen=now
        )
        with self._lock:
            self._sessions[made.id] = made
            while len(self._sessions) > SESSIONS:
                self._sessions.popitem(last=False)
        return made

    def end(self, session: Session) -> None:
        with self._lock:
            self._sessions.pop(session.id, None)

    def wait(self, name: str, client: str = "") -> float:
        """Seconds until this name may be tried again from there."""
        with self._lock:
            return self._wait((name, client))

    def login(self, name: str, password: str, client: str = "") -> User | None:
        """Who this is; None for a wrong name or password, or a try that came too soon.

        client: from where; who fails elsewhere keeps nobody out here.
        """
        tried = (name, client)
        with self._lock:
            if self._wait(tried) > 0:
                return None
            self._count(tried)  # before it is checked: many at once are as many tries
        role, kept = self._users.get(name, (Role.VIEWER, self._nobodys))
        with self._checking:
            right = fits(password, kept) and name in self._users
        if not right:
            return None
        with self._lock:
            self._failed.pop(tried, None)
        return User(name=name, role=role)

    def _count(self, tried: tuple[str, str]) -> None:
        self._failed[tried] = (self._failed.get(tried, (0, 0.0))[0] + 1, self._clock())
        self._failed.move_to_end(tried)
        while len(self._failed) > NAMES:
            self._failed.popitem(last=False)

    def _wait(self, tried: tuple[str, str]) -> float:
        times, last = self._failed.get(tried, (0, 0.0))
        if times < FREE_TRIES:
            return 0.0
        pause = min(LONGEST_PAUSE, 2.0 ** (times - FREE_TRIES + 1))
        return max(0.0, last + pause - self._clock())
