"""How a configuration's entry becomes a `Rest`: the manifest's keys are the arguments of its constructor."""

from __future__ import annotations

from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

from icp_sync.enrichers.manifest.loading import load
from icp_sync.enrichers.manifest.rest import Rest
from icp_sync.enrichers.manifest.schema import Manifest
from icp_sync.enrichers.manifest.setup import set_up


class Building:
    """Called with a configuration's keys it makes the enricher. Its signature is what the manifest asks for,
    so that a key too many or too few is named like that of any other enricher."""

    def __init__(self, path: Path | str, *also: str, rehearsed: bool = True) -> None:
        """also: keys the entry holds beside the manifest's. rehearsed: whether its samples must be read as
        it says. Raises ConfigError for a bad manifest."""
        self._manifest = load(path, rehearsed=rehearsed)
        self._also = also
        self.__signature__ = _signature(self._manifest, also)

    def __call__(self, **config: Any) -> Rest:
        """Raises ConfigError with every problem of these keys at once."""
        return Rest(set_up(self._manifest, {k: v for k, v in config.items() if k not in self._also}))


def _signature(manifest: Manifest, also: tuple[str, ...]) -> Signature:
    needed = [*manifest.secrets, *manifest.required]
    optional = {**manifest.options, "name": manifest.vendor, "price": None, "base_url": ""}
    optional |= {"ttl_days": None, "miss_ttl_days": None}
    parameters = [Parameter(name, Parameter.KEYWORD_ONLY) for name in needed]
    parameters += [Parameter(name, Parameter.KEYWORD_ONLY, default=value) for name, value in optional.items()]
    parameters += [Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in also]
    return Signature(parameters)
