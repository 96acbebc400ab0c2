"""The owners of a portal: users, one who left, one queue. They never change while the simulator runs."""

from __future__ import annotations

from dataclasses import dataclass

from icp_sync.simulator.clock import iso
from icp_sync.simulator.people import LEFT, PEOPLE, TEAMS

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """An owner: `id` goes into `hubspot_owner_id`, `user_id` does not. Instants are ms."""

    id: str
    user_id: int
    email: str
    first: str
    last: str
    type: str = "PERSON"
    archived: bool = False
    created: int = 0
    team: tuple[str, str] | None = None

    def as_json(self) -> Json:
        body: Json = {
            "id": self.id,
            "email": self.email,
            "type": self.type,
            "firstName": self.first,
            "lastName": self.last,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.created),
            "archived": self.archived,
        }
        if self.type == "PERSON":
            body["userId"] = None if self.archived else self.user_id
            body["userIdIncludingInactive"] = self.user_id
        if self.team:
            body["teams"] = [{"id": self.team[0], "name": self.team[1], "primary": True}]
        return body


def owners(created: int) -> tuple[Owner, ...]:
    """Six people, one who left the company, one queue."""
    teams = {team: (str(5_100 + n), team) for n, team in enumerate(TEAMS)}
    people = [
        Owner(
            id=str(41_629_700 + 13 * n),
            user_id=9_586_500 + 7 * n,
            email=person.email,
            first=person.first,
            last=person.last,
            created=created,
            team=teams[person.team],
        )
        for n, person in enumerate(PEOPLE)
    ]
    left = Owner(
        id="41629990",
        user_id=9_586_990,
        email=LEFT.email,
        first=LEFT.first,
        last=LEFT.last,
        archived=True,
        created=created,
    )
    queue = Owner(
        id="41629995", user_id=0, email="", first="Inbound", last="Queue", type="QUEUE", created=created
    )
    return (*people, left, queue)
