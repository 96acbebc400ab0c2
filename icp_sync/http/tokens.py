"""Where a call's bearer token comes from, for transports whose token does not last.

Knows nothing of how a token is got: a vendor's login is a `Tokens`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, and the how-manieth it is: two callers who saw the same one fail need one login."""

    text: SecretStr
    generation: int


class Tokens(Protocol):
    """Shared by all threads of a transport. Both methods may call out; they raise AuthError when there is no
    token to be had, and UnavailableError when nobody answers."""

    def token(self) -> Token:
        """A token that should still be good."""

    def renew(self, generation: int) -> None:
        """The token of this generation was not accepted: see to it that the next one is another."""
