"""Which contacts, or which deals, belong to which companies. Knows ids, not records."""

from __future__ import annotations

from bisect import insort


class Ties:
    """Ties of companies to contacts; those of a company in order of the contacts' ids."""

    def __init__(self) -> None:
        self._contacts: dict[int, list[int]] = {}
        self._companies: dict[int, list[int]] = {}

    def of(self, company: int) -> list[int]:
        return self._contacts.get(company, [])

    def companies_of(self, contact: int) -> list[int]:
        """In the order in which they were tied; the first is the contact's primary company."""
        return self._companies.get(contact, [])

    def tie(self, company: int, contact: int) -> None:
        """Tie them, once however often it is asked for."""
        companies = self._companies.setdefault(contact, [])
        if company not in companies:
            companies.append(company)
            insort(self._contacts.setdefault(company, []), contact)

    def adopt(self, contact: int, survivor: int) -> list[int]:
        """Tie a contact's survivor to what the contact was tied to; the companies."""
        companies = list(self.companies_of(contact))
        for company in companies:
            self.tie(company, survivor)
        return companies

    def move_company(self, company: int, survivor: int) -> None:
        """The survivor of a company takes over its contacts."""
        for contact in self._contacts.pop(company, []):
            self._companies[contact].remove(company)
            self.tie(survivor, contact)
