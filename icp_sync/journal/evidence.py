"""The evidence of an account's last evaluation, as it is kept: each part is decoded when it is asked for.

Of most accounts on most pages nobody asks for more than a few small parts, because nothing changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from icp_sync import lean_json

_in_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Evidence(Mapping[str, object]):
    """Plain JSON values by name. Equal to any mapping that holds the same."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Mapping[str, msgspec.Raw]) -> None:
        self._parts = parts

    def __getitem__(self, name: str) -> object:
        return lean_json.loads(bytes(self._parts[name]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


def evidence_from_text(text: str) -> Mapping[str, object]:
    """Empty for "". Raises ValueError where it is no JSON."""
    if not text:
        return {}
    try:
        return Evidence(_in_parts(text))
    except msgspec.MsgspecError:
        found: Mapping[str, object] = lean_json.loads(text)
        return found
