"""What a refused request of ours is to those who use the port."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from icp_sync.errors import RequestError, UnavailableError

T = TypeVar("T")


def ours(call: Callable[[], T]) -> T:
    """The port promises its callers three errors; a refused request of ours is an abandoned cycle to them."""
    try:
        return call()
    except RequestError as error:
        raise UnavailableError(
            f"Salesforce refused a request: {error}", next_step="icp-sync check"
        ) from error
