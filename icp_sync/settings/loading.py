"""Where settings come from, in order of precedence, and which of them a problem is about.

Environment, `.env`, secret files and TOML each become one tree, read by pydantic-settings; the trees are
merged here so that a problem can name the variable, file or key it came from. No value is ever quoted: it
may be a secret.
"""

from __future__ import annotations

import difflib
import re
import stat
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    TomlConfigSettingsSource,
)

from icp_sync.errors import Problem
from icp_sync.settings.parts import known_keys

PREFIX = "ICP_SYNC_"
CONFIG = PREFIX + "CONFIG"
SECRETS = PREFIX + "SECRETS"
CREDENTIALS_DIRECTORY = "CREDENTIALS_DIRECTORY"
"""Where systemd puts a unit's credentials: systemd.exec(5), LoadCredential=."""
DEFAULT_CONFIG = Path("config/icp-sync.toml")
LARGEST_FILE = 1_000_000  # bytes
UTF_8 = "save as UTF-8"
SECRETS_OF = {
    "token": "a HubSpot Service Key",
    "consumer_secret": "the app's consumer secret",
    "private_key": "the private key",
    "session_id": "a session id",
    "secret": "what the sender of events shares with us",
}
"""Settings that are secrets, and what each of them is."""

_NOT_OURS = re.compile(r"(SERVICE_(HOST|PORT)|PORT)(_.*)?|FAULT")
"""What Kubernetes sets in every pod beside a service called icp-sync, and the tests' fault switch."""

_APART = "__secrets__"
"""In the name of a variable that holds a key of an enricher."""
_KEY = "[key]"
"""How pydantic ends the place of a problem with a table's own name."""

Loc = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """One source: its tree of settings, and how it names the place of one.

    label: the file, "" for the environment. names: variable names of the tree's leaves, where it has any.
    """

    label: str
    tree: Mapping[str, Any]
    names: Mapping[Loc, str] = field(default_factory=dict)

    def holds(self, loc: Loc) -> bool:
        here: Any = self.tree
        for part in loc:
            below = dict(enumerate(here)) if isinstance(here, list) else here
            if not isinstance(below, Mapping):
                return True  # a whole value stands above the place asked for
            if part not in below:
                return False
            here = below[part]
        return True

    def where(self, loc: Loc) -> str:
        name = next((self.names[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in self.names), "")
        return ": ".join(filter(None, (self.label, name or dotted(loc))))


class Sources:
    """Every layer that could be read, first to last in precedence, and the problems of reading them."""

    def __init__(
        self, model: type[BaseSettings], path: Path | None, environ: Mapping[str, str], dotenv: Path
    ):
        self.model = model
        self.problems: list[Problem] = []
        self.broken: list[Problem] = []  # files nothing could be read from
        self.confidential: list[Path] = []  # files with secrets, less those systemd itself keeps from others
        self.looked_for: Path | None = None  # the usual settings file, when neither it nor another is there
        in_file = self._dotenv(dotenv)
        layers = [self._variables("", dict(environ)), self._variables(str(dotenv), in_file)]
        if any(name.lower().rpartition("__")[2] in SECRETS_OF or _APART in name.lower() for name in in_file):
            self.confidential.append(dotenv)
        asked = {name: environ.get(name) or in_file.get(name) for name in (CONFIG, SECRETS)}
        secrets = asked[SECRETS] or environ.get(CREDENTIALS_DIRECTORY)
        if secrets:
            layers.append(self._secret_files(Path(secrets)))
            if secrets != environ.get(CREDENTIALS_DIRECTORY):
                self.confidential += [Path(secrets) / name for name in layers[-1].names.values()]
        if path is not None or asked[CONFIG]:
            layers.append(self._toml(path or Path(asked[CONFIG] or "")))
        elif DEFAULT_CONFIG.exists():
            layers.append(self._toml(DEFAULT_CONFIG))
        else:
            self.looked_for = DEFAULT_CONFIG.absolute()
        self.layers = layers

    def merged(self, only: Collection[str] | None = None) -> dict[str, Any]:
        """All layers as one tree. only: the connections that count, None for all."""
        tree: dict[str, Any] = {}
        for layer in reversed(self.layers):
            tree = _over(tree, layer.tree)
        said = tree.get("connections")
        if only is not None and isinstance(said, Mapping):
            tree["connections"] = {name: one for name, one in said.items() if name in only}
        return tree

    def where(self, loc: Loc) -> str:
        """The place of one setting: the variable, file or key that gives it, else its dotted name."""
        return next((layer.where(loc) for layer in self.layers if layer.holds(loc)), dotted(loc))

    def _dotenv(self, path: Path) -> dict[str, str]:
        """Our variables in a `.env` file; others are somebody else's."""
        if not path.is_file():
            return {}
        try:
            read = DotEnvSettingsSource(self.model, env_file=path, env_file_encoding="utf-8").env_vars
        except (OSError, UnicodeDecodeError):
            self._broken(str(path), "cannot be read as UTF-8 text", UTF_8)
            return {}
        return {name.upper(): value for name, value in read.items() if value is not None}

    def _variables(self, label: str, variables: Mapping[str, str]) -> Layer:
        ours = {k.upper(): v for k, v in variables.items() if k.upper().startswith(PREFIX)}
        for name in ours:
            self._check_variable(label, name)
        names: dict[Loc, str] = {tuple(name[len(PREFIX) :].lower().split("__")): name for name in ours}
        source = _Variables(self.model)
        source.env_vars = {name.lower(): value for name, value in ours.items()}
        return Layer(label, source(), names)

    def _check_variable(self, label: str, name: str) -> None:
        """A variable nobody reads, when it is most likely a slip."""
        top = name[len(PREFIX) :].split("__")[0].lower()
        if top in self.model.model_fields or name in (CONFIG, SECRETS) or _NOT_OURS.fullmatch(top.upper()):
            return
        known = [*self.model.model_fields, "config", "secrets"]
        near = difflib.get_close_matches(top, known, n=1, cutoff=0.7)
        if near:
            hint = f"did you mean {PREFIX}{near[0].upper()}?"
            self._problem(": ".join(filter(None, (label, name))), "is no setting", hint)

    def _secret_files(self, directory: Path) -> Layer:
        """One file a secret, named like the variable in any case, with or without its prefix."""
        found: dict[str, str] = {}
        names: dict[Loc, str] = {}
        try:
            files = sorted(p for p in directory.iterdir() if p.is_file() and not p.name.startswith("."))
        except OSError as error:
            self._broken(str(directory), f"secret files cannot be listed: {error.strerror}")
            return Layer(str(directory), {})
        for file in files:
            key = file.name.lower().removeprefix(PREFIX.lower())
            if key.split("__")[0] not in self.model.model_fields:
                self._problem(str(file), "is no setting", "name it like connections__main__token")
                continue
            try:
                text = file.read_bytes()[: LARGEST_FILE + 1].decode("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                self._broken(str(file), "cannot be read as UTF-8 text", UTF_8)
                continue
            found[PREFIX + key.upper()] = text
            names[tuple(key.split("__"))] = file.name
        layer = self._variables(str(directory), found)
        return Layer(str(directory), layer.tree, names)

    def _toml(self, path: Path) -> Layer:
        where = str(path)
        try:
            kind = path.stat()
            if stat.S_ISDIR(kind.st_mode):
                self._broken(where, "is a directory; a settings file is wanted")
            elif not stat.S_ISREG(kind.st_mode):
                self._broken(where, "is no regular file")  # pydantic-settings would pass it over in silence
            elif kind.st_size > LARGEST_FILE:
                self._broken(where, f"larger than {LARGEST_FILE:,} bytes")
            else:
                return Layer(where, TomlConfigSettingsSource(self.model, toml_file=path).toml_data)
        except OSError as error:
            self._broken(where, f"cannot be read: {error.strerror}")
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            what = str(error).split(" (at ")[0]
            self._broken(f"{where}:{at[1]}:{at[2]}" if at else where, f"not valid TOML: {what}")
        except UnicodeDecodeError:
            self._broken(where, "not UTF-8 text", UTF_8)
        except RecursionError:
            self._broken(where, "nested too deeply")
        except ValueError as error:
            self._broken(where, f"cannot be read: {error}")
        return Layer(where, {})

    def _broken(self, where: str, what: str, hint: str = "") -> None:
        self.broken.append(Problem(where=where, what=what, hint=hint))

    def _problem(self, where: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(where=where, what=what, hint=hint))


class _Variables(EnvSettingsSource):
    """Variables as a tree. Only what is written as JSON is read as JSON: a token may look like a number."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        if not isinstance(value, str) or value.strip()[:1] not in ("[", "{"):
            return value
        try:
            return super().decode_complex_value(field_name, field, value)
        except (ValueError, RecursionError):
            return value  # text where a list or table is wanted: validation names the place


def explained(details: Sequence[ErrorDetails], sources: Sources) -> list[Problem]:
    """Pydantic's complaints as problems, each at the place its setting comes from."""
    parts = [key.split(".") for key in known_keys(sources.model)]
    known = list(dict.fromkeys(".".join(key[:n]) for key in parts for n in range(1, len(key) + 1)))
    problems = []
    for detail in details:
        loc = detail["loc"]
        loc = loc[:-1] if loc[-1:] == (_KEY,) else loc
        name = dotted(loc)
        secret = loc[-1] in SECRETS_OF
        if detail["type"] == "extra_forbidden":
            near = difflib.get_close_matches(_generic(loc), known, n=1, cutoff=0.6)
            what, hint = "unknown setting", f"did you mean {near[0]}?" if near else ""
        elif detail["type"] == "missing":
            what = f"{name} is missing"
            hint = _where_secrets_go(loc) if secret else f"set it in the file, or as {variable(loc)}"
        else:
            what = detail["msg"].removeprefix("Value error, ").replace("Input should", "should")
            hint = _where_secrets_go(loc) if secret else ""
        problems.append(Problem(where=sources.where(loc), what=what, hint=hint))
    return problems


def _where_secrets_go(loc: Loc) -> str:
    """Never the settings file: that one is shared, and often under version control."""
    file, what = "__".join(map(str, loc)), SECRETS_OF[str(loc[-1])]
    return f"put {what} into {variable(loc)}, or into the secret file {file} under {SECRETS}"


def variable(loc: Loc) -> str:
    """The environment variable that gives a setting."""
    return PREFIX + "__".join(str(part).upper() for part in loc)


def dotted(loc: Loc) -> str:
    return ".".join(map(str, loc))


def _generic(loc: Loc) -> str:
    return dotted(("connections", "<name>", *loc[2:]) if loc[:1] == ("connections",) and loc[2:] else loc)


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, section by section; lists are replaced whole."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _over(merged[key], value) if both else value
    return merged
