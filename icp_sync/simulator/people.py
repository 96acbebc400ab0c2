"""Who works in the simulated company: the same people on every CRM, one of whom has left."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who sells. `team`: "" for who has left."""

    first: str
    last: str
    team: str = ""
    left: bool = False

    @property
    def email(self) -> str:
        return f"{self.first}.{self.last}@sales.example".lower()


TEAMS = ("north-america", "emea", "apac")
PEOPLE = (
    Person(first="Amara", last="Okafor", team="north-america"),
    Person(first="Ben", last="Lindqvist", team="north-america"),
    Person(first="Chiara", last="Romano", team="emea"),
    Person(first="Dieter", last="Vogel", team="emea"),
    Person(first="Emi", last="Tanaka", team="apac"),
    Person(first="Farid", last="Haddad", team="emea"),
)
LEFT = Person(first="Gwen", last="Former", left=True)
