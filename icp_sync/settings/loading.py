"""Where settings come from, in order of precedence, and which of them a problem is about.

Environment, `.env`, secret files and TOML each become one tree, read by pydantic-settings; the trees are
merged here so that a problem can name the variable, file or key it came from. No value is ever quoted: it
may be a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource

from icp_sync.errors import Problem
from icp_sync.settings.confidential import SECRETS_OF
from icp_sync.settings.defaults import DEFAULTS, bare, credentials, laid_under
from icp_sync.settings.folder import BESIDE, CONNECTIONS, Folder, places, there
from icp_sync.settings.folder import read as read_folder
from icp_sync.settings.layers import LARGEST_FILE, UTF_8, Layer, Loc, Unreadable, dotted, over, toml

PREFIX = "ICP_SYNC_"
CONFIG = PREFIX + "CONFIG"
SECRETS = PREFIX + "SECRETS"
CREDENTIALS_DIRECTORY = "CREDENTIALS_DIRECTORY"
"""Where systemd puts a unit's credentials: systemd.exec(5), LoadCredential=."""
DEFAULT_CONFIG = Path("config/icp-sync.toml")
FOLDER = "connections_folder"
_NOT_OURS = re.compile(r"(SERVICE_(HOST|PORT)|PORT)(_.*)?|FAULT")
"""What Kubernetes sets in every pod beside a service called icp-sync, and the tests' fault switch."""

_APART = "__secrets__"
"""In the name of a variable that holds a key of an enricher."""
_COMMON = "\0"
"""In place of a connection's name while variables are read, for what is said of all: no variable holds it."""


class Sources:
    """Every layer that could be read, first to last in precedence, and the problems of reading them."""

    def __init__(
        self,
        model: type[BaseSettings],
        path: Path | None,
        environ: Mapping[str, str],
        dotenv: Path,
        *,
        only: Collection[str] | None = None,
        folder: Path | None = None,
    ):
        self.model, self.only = model, only
        self.problems: list[Problem] = []
        self.broken: list[Problem] = []  # files nothing could be read from
        self.broken_of: dict[str, list[Problem]] = {}  # the same, where it is one connection's alone
        self.confidential: list[Path] = []  # files with secrets, less those systemd itself keeps from others
        self.files: list[Path] = [dotenv]  # all that was read, or would be if it were there; folders, too
        self.looked_for: Path | None = None  # the usual settings file, when neither it nor another is there
        self.main: Path | None = None  # the settings file, where there is one
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
        named = asked[CONFIG]
        config = Path(named) if path is None and named else path
        main = self._main(config)
        self.layers = [*layers, *([main] if main else [])]
        self._connections(main, (config or DEFAULT_CONFIG).parent / BESIDE if main else None, folder)
        self._check_defaults()

    def _main(self, path: Path | None) -> Layer | None:
        if path is not None or DEFAULT_CONFIG.exists():
            self.main = DEFAULT_CONFIG if path is None else path
            return self._toml(self.main)
        self.files.append(DEFAULT_CONFIG)
        self.looked_for = DEFAULT_CONFIG.absolute()
        return None

    def _connections(self, main: Layer | None, beside: Path | None, instead: Path | None) -> None:
        """The folder of connections, where there is one: its files stand right above the settings file."""
        said = self._tree().get(FOLDER)
        named = Path(said) if isinstance(said, str) and said.strip() else None
        usual = beside if said in (None, "") and beside is not None else None
        self.folder = instead or named or (usual if usual is not None and there(usual) else None)
        self.files += [one for one in dict.fromkeys((self.folder, usual)) if one is not None]
        found = Folder()
        if self.folder is not None:
            try:
                found = read_folder(self.folder, self._wanted)
            except Unreadable as why:
                self.broken.append(why.problem)
        in_main = dict(places(main)) if main else {}
        found.refuse_twice(in_main)
        self.in_files = {*found.files, *in_main}
        self.files += found.files.values()
        for name, problems in found.broken.items():
            self.broken_of.setdefault(name, []).extend(problems)
        above = len(self.layers) - (1 if main else 0)
        self.layers[above:above] = reversed(found.layers)  # trees are merged from the last one on
        said_here = self._tree().get(CONNECTIONS)
        known = [*(said_here if isinstance(said_here, Mapping) else ()), *found.files]
        self.names = tuple(dict.fromkeys(map(str, known)))

    def _check_defaults(self) -> None:
        common = self._tree().get(DEFAULTS)
        for loc in credentials(common) if isinstance(common, Mapping) else ():
            if loc[0] == "secrets":  # a vendor's key opens no portal, and one may serve all
                continue
            what = "a credential is no default: each connection has its own"
            hint = f"put it into {PREFIX}CONNECTIONS__<NAME>__{variable(loc).removeprefix(PREFIX)}"
            self._problem(self.where((DEFAULTS, *loc)), what, hint)

    def merged(self) -> dict[str, Any]:
        """All layers as one tree: of the connections those that count and whose files could be read, with
        the defaults below each."""
        tree = self._tree()
        said = tree.get(CONNECTIONS)
        if isinstance(said, Mapping):
            tree[CONNECTIONS] = {
                name: one for name, one in said.items() if self._wanted(name) and name not in self.broken_of
            }
        if tree.get(FOLDER) in (None, "") or isinstance(tree[FOLDER], str):
            tree[FOLDER] = self.folder
        return laid_under(tree, self.forgotten())

    def forgotten(self) -> dict[str, Problem]:
        """Connection → why the defaults do not make one of it: no file names it, and of all the rest only its
        credentials are left. Where there are no defaults, what is missing is said as always."""
        tree = self._tree()
        said = tree.get(CONNECTIONS)
        found: dict[str, Problem] = {}
        for name, one in said.items() if isinstance(said, Mapping) and tree.get(DEFAULTS) else ():
            if self._wanted(name) and name not in self.in_files and bare(one):
                what = f"of the connection '{name}' nothing but credentials is said"
                hint = f"write {name}.toml or [{CONNECTIONS}.{name}], or take them away"
                loc = (CONNECTIONS, name, *next(credentials(one)))
                found[name] = Problem(where=self.where(loc), what=what, hint=hint)
        return found

    def _tree(self) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for layer in reversed(self.layers):
            tree = over(tree, layer.tree)
        return tree

    def _wanted(self, name: str) -> bool:
        return self.only is None or name in self.only

    def said_by(self, loc: Loc) -> tuple[Layer | None, Loc]:
        """The layer that gives a setting and its place there, which may be among the defaults."""
        for place in (loc, (DEFAULTS, *loc[2:])) if loc[:1] == (CONNECTIONS,) and loc[2:] else (loc,):
            for layer in self.layers:
                if layer.holds(place):
                    return layer, place
        return None, loc

    def where(self, loc: Loc) -> str:
        """The place of one setting: the variable, file or key that gives it, else its dotted name."""
        layer, place = self.said_by(loc)
        return layer.where(place) if layer else dotted(loc)

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
        common = f"{PREFIX}{DEFAULTS}".lower()
        as_connection = f"{PREFIX}{CONNECTIONS}__{_COMMON}".lower()  # typed like one of the connections
        source = _Variables(self.model)
        source.env_vars = {
            as_connection + name[len(common) :].lower()
            if name.lower() == common or name.lower().startswith(common + "__")
            else name.lower(): value
            for name, value in ours.items()
        }
        tree = source()
        said = tree.get(CONNECTIONS)
        if isinstance(said, Mapping) and _COMMON in said:
            left = {name: one for name, one in said.items() if name != _COMMON}
            tree = {**tree, DEFAULTS: said[_COMMON], CONNECTIONS: left}
        return Layer(label, tree, names)

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
        self.files.append(directory)
        try:
            files = sorted(p for p in directory.iterdir() if p.is_file() and not p.name.startswith("."))
        except OSError as error:
            self._broken(str(directory), f"secret files cannot be listed: {error.strerror}")
            return Layer(str(directory), {})
        self.files += files
        for file in files:
            key = file.name.lower().removeprefix(PREFIX.lower())
            if key.split("__")[0] not in self.model.model_fields:
                self._problem(str(file), "is no setting", "name it like connections__main__token")
                continue
            try:
                text = file.read_bytes()[: LARGEST_FILE + 1].decode("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                problem = Problem(where=str(file), what="cannot be read as UTF-8 text", hint=UTF_8)
                loc = key.split("__")
                of_one = loc[0] == CONNECTIONS and len(loc) > 1
                (self.broken_of.setdefault(loc[1], []) if of_one else self.broken).append(problem)
                continue
            found[PREFIX + key.upper()] = text
            names[tuple(key.split("__"))] = file.name
        layer = self._variables(str(directory), found)
        return Layer(str(directory), layer.tree, names)

    def _toml(self, path: Path) -> Layer:
        self.files.append(path)
        try:
            return Layer(str(path), toml(path))
        except Unreadable as why:
            self.broken.append(why.problem)
            return Layer(str(path), {})

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


def variable(loc: Loc) -> str:
    """The environment variable that gives a setting."""
    return PREFIX + "__".join(str(part).upper() for part in loc)
