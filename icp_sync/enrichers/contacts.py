"""The people the CRM knows at an account, rolled up: their roles and how many they are.

It reads the CRM the connection works with, so it costs calls but no credits, and only for accounts whose
tier the roles could change. Of a person only the job title is read; the roles are those of
`icp_sync.normalize.titles`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from icp_sync.domain.facts import Interval, Members, Signal
from icp_sync.enrichers.lifetimes import seconds
from icp_sync.errors import AuthError, ConfigError, IcpSyncError, Problem, UnavailableError
from icp_sync.normalize.titles import roles
from icp_sync.ports import Answer, Crm, Hit, Miss, Related, Request, Unavailable

_SHOWN = 5  # titles kept for `explain`
_LONGEST_SHOWN = 60


class Contacts:
    """The enricher.

    complete: whether somebody who is not in the CRM is known not to exist: then a company without a VP Sales
    there has none. An account with a contact whose title nobody can read stays incomplete all the same.
    crm: given by the connection, no key of the configuration. clock: UTC epoch seconds.
    """

    facts = frozenset({"contact_titles", "contacts"})
    price = 0.0
    per_account = True
    batch = 1_000

    def __init__(
        self,
        crm: Crm | None = None,
        *,
        name: str = "contacts",
        complete: bool = False,
        ttl_days: float = 14.0,
        miss_ttl_days: float = 3.0,
    ) -> None:
        if not isinstance(complete, bool):
            raise ConfigError([Problem(where="complete", what="must be true or false")])
        self.name, self._crm, self._complete = name, crm, complete
        self.ttl = seconds("ttl_days", ttl_days)
        self.miss_ttl = seconds("miss_ttl_days", miss_ttl_days)
        self.clock: Callable[[], float] = time.time

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """One answer an account, in order. A CRM that does not answer is Unavailable, never "nobody"."""
        if self._crm is None:
            return [Unavailable(kind="error", message="there is no CRM to read contacts from")] * len(
                requests
            )
        try:
            people = self._crm.related([request.account_id for request in requests], "contacts")
        except AuthError as error:
            return [Unavailable(kind="not_entitled", message=str(error))] * len(requests)
        except UnavailableError as error:
            kind = Unavailable(kind="error", message=str(error), retry_after=error.retry_after)
            return [kind] * len(requests)
        except IcpSyncError as error:
            return [Unavailable(kind="error", message=str(error))] * len(requests)
        now = self.clock()
        return [self._one(people.get(request.account_id), now) for request in requests]

    def _one(self, people: Sequence[Related] | None, now: float) -> Answer:
        if people is None:
            return Unavailable(kind="error", message="the CRM did not say who belongs to it")
        if not people and not self._complete:
            return Miss()
        return Hit(signals=tuple(self._signals(people, now)), unread=_unread(people))

    def _signals(self, people: Sequence[Related], now: float) -> Iterator[Signal]:
        told = [roles(person.title) for person in people]
        known = frozenset[str]().union(*told)
        said = _shown(people)
        count = float(len(people))
        if known or self._complete:
            complete = self._complete and all(told)
            yield self._signal("contact_titles", Members(known, complete), now, said)
        yield self._signal("contacts", Interval(count, count), now, said)

    def _signal(self, fact: str, value: Members | Interval, now: float, said: str) -> Signal:
        return Signal(fact=fact, value=value, source=self.name, observed_at=now, raw=said)


def _shown(people: Sequence[Related]) -> str:
    """What the CRM says, shortened: "3 contacts: VP Sales; CFO"."""
    titles = dict.fromkeys(person.title[:_LONGEST_SHOWN] for person in people if person.title)
    some = [*titles][:_SHOWN]
    more = f"; {len(titles) - _SHOWN} more" if len(titles) > _SHOWN else ""
    counted = f"{len(people)} contact{'' if len(people) == 1 else 's'}"
    return counted + (f": {'; '.join(some)}{more}" if some else "")


def _unread(people: Sequence[Related]) -> Mapping[str, str]:
    """Titles that could be read as nothing, where there is no other."""
    if any(roles(person.title) for person in people) or not any(person.title for person in people):
        return {}
    return {"contact_titles": _shown(people)}
