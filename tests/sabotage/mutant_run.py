"""Runs mutants: the tests are collected and run once, then each mutant gets a forked child in which changed
functions take the place of the sound ones. A pytest plugin, started by `mutants.py`; it prints nothing.

A child runs only the tests that reached the changed line, the quickest first, until one fails. What changes
at import (defaults, tables) cannot be swapped into living functions: there the child is a fresh pytest that
imports the changed file.
"""

from __future__ import annotations

import ast
import functools
import gc
import importlib.abc
import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tests.sabotage.mutating import Mutant, mutants

ENOUGH = 25.0
"""Seconds of tests, as they took without a mutant, that a mutant has to live through to survive."""
PATIENCE = 20 + 2 * ENOUGH
"""Seconds after which a mutant that still runs is taken for one that never ends."""
EXAMPLES = 50
"""Of a property, at most: a mutant that needs more to be seen counts as alive."""
_MEMORY = 4 << 30
_SETTINGS = "_hypothesis_internal_use_settings"


def pytest_sessionstart() -> None:
    """No shrinking, no chance, nothing remembered: a failure is all that is asked."""
    settings.register_profile(
        "mutants",
        settings.get_profile("shared"),
        phases=(Phase.explicit, Phase.generate),
        derandomize=True,
        database=None,
    )
    settings.load_profile("mutants")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Properties with few examples."""
    for item in items:
        test = getattr(item, "obj", None)
        asked = getattr(test, _SETTINGS, None)
        if asked is not None and asked.max_examples > EXAMPLES:
            setattr(getattr(test, "__func__", test), _SETTINGS, settings(asked, max_examples=EXAMPLES))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Instead of the ordinary loop; in a fresh child of ours the ordinary loop is what is wanted."""
    asked = os.environ.get("ICP_SYNC_MUTANTS")
    if not asked:
        return None
    order = json.loads(asked)
    files = {name: Path(path) for name, path in order["files"].items()}
    reached = _Reached({str(path) for path in files.values()})
    sound = [item for item, ok in _baseline(session.items, reached) if ok]
    gc.collect()
    living = _Living(reached.paths)
    with Path(order["into"]).open("a", encoding="utf-8") as into:
        _tell(into, baseline=len(sound), failing=[i.nodeid for i in session.items if i not in sound])
        for name, path in files.items():
            for mutant in _asked(path, order):
                began = time.monotonic()
                tests = _chosen(mutant, str(path), reached, sound)
                fate = _fate(mutant, name, path, tests, living)
                seconds = round(time.monotonic() - began, 2)
                at = {"file": name, "line": mutant.line, "column": mutant.column, "name": mutant.name}
                _tell(into, **at, fate=fate, tests=len(tests), seconds=seconds)
    return True


def _asked(path: Path, order: dict) -> list[Mutant]:
    """The mutants of the file that are wanted: first those inside functions, which cost little."""
    only, done = order["only"], {tuple(one) for one in order["done"]}
    found = [
        m
        for m in mutants(path.read_text(encoding="utf-8"))
        if (only is None or m.name in only) and (str(path), m.line, m.column, m.name) not in done
    ]
    return sorted(found, key=lambda m: not m.function)


def _tell(into, **what: object) -> None:
    into.write(json.dumps(what, ensure_ascii=False) + "\n")
    into.flush()


class _Reached:
    """Which test ran which lines of which of our files, and how long it took."""

    def __init__(self, paths: set[str]) -> None:
        self.paths = paths
        self.lines: dict[str, set[tuple[str, int]]] = {}
        self.seconds: dict[str, float] = {}
        self._now: set[tuple[str, int]] = set()

    def during(self, nodeid: str, run: Callable[[], bool]) -> bool:
        self._now = self.lines[nodeid] = set()
        began = time.monotonic()
        sys.settrace(self._call)
        try:
            return run()
        finally:
            sys.settrace(None)
            self.seconds[nodeid] = time.monotonic() - began

    def _call(self, frame: FrameType, event: str, arg: object) -> Callable | None:
        path = frame.f_code.co_filename
        if path not in self.paths:
            return None
        lines = self._now
        lines.add((path, frame.f_lineno))

        def local(frame: FrameType, event: str, arg: object) -> Callable:
            lines.add((path, frame.f_lineno))
            return local

        return local


def _baseline(items: Sequence[pytest.Item], reached: _Reached) -> Iterator[tuple[pytest.Item, bool]]:
    for item, following in zip(items, [*items[1:], None], strict=True):
        yield item, reached.during(item.nodeid, functools.partial(_passes, item, following))


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=following)
    return all(report.outcome != "failed" for report in reports)


def _chosen(mutant: Mutant, path: str, reached: _Reached, sound: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests that ran this line, quickest first; for what runs at import, all of every file in which one
    ran any line: a default is used by what no line of ours runs."""
    if mutant.function:
        ran = [item for item in sound if (path, mutant.line) in reached.lines[item.nodeid]]
    else:
        files = {i.path for i in sound if any(p == path for p, _ in reached.lines[i.nodeid])}
        ran = [item for item in sound if item.path in files]
    ran.sort(key=lambda item: reached.seconds[item.nodeid])
    total, chosen = 0.0, []
    for item in ran:
        total += reached.seconds[item.nodeid]
        if chosen and total > ENOUGH:
            break
        chosen.append(item)
    return chosen


class _Living:
    """The functions made of our files that live now, and every cache that could remember what they said."""

    def __init__(self, paths: set[str]) -> None:
        self.functions: dict[str, list[FunctionType]] = {path: [] for path in paths}
        self.caches = []
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and thing.__code__.co_filename in self.functions:
                self.functions[thing.__code__.co_filename].append(thing)
            elif isinstance(thing, functools._lru_cache_wrapper):
                self.caches.append(thing)
        gc.freeze()  # children share what lives by now

    def patches(self, code: CodeType, path: str) -> dict[FunctionType, CodeType] | None:
        """Living function → its changed code; None where a swap is impossible or nothing is swapped."""
        changed = {(c.co_qualname, c.co_firstlineno): c for c in _codes(code)}
        found = {}
        for function in self.functions[path]:
            old = function.__code__
            new = changed.get((old.co_qualname, old.co_firstlineno))
            if new is None or new == old:
                continue
            if new.co_freevars != old.co_freevars:
                return None
            found[function] = new
        return found or None


def _fate(mutant: Mutant, name: str, path: Path, tests: Sequence[pytest.Item], living: _Living) -> str:
    if not tests:
        return "survived: no test runs this line"
    code = compile(mutant.tree, str(path), "exec")
    patches = living.patches(code, str(path)) if mutant.function else None
    if patches is None:
        return _afresh(mutant, name, path, tests)
    child = os.fork()
    if not child:
        _live(patches, tests, living)
    return _awaited(child, PATIENCE)


def _live(patches: dict[FunctionType, CodeType], tests: Sequence[pytest.Item], living: _Living) -> None:
    """The child: become the mutant, run the tests until one fails, leave without a word."""
    code = 3
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(quiet, stream)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        for function, changed in patches.items():
            function.__code__ = changed
        for cache in living.caches:
            cache.cache_clear()
        following = [*tests[1:], None]
        code = 0 if all(_passes(i, f) for i, f in zip(tests, following, strict=True)) else 1
    finally:
        os._exit(code)


def _awaited(child: int, seconds: float) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "killed: it never ends"


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a text of its own."""

    def __init__(self, module: str, path: str, text: str) -> None:
        self.module, self.path, self.text = module, path, text

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname != self.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.text, self.path, "exec"), module.__dict__)  # the project's own text, changed


def _afresh(mutant: Mutant, name: str, path: Path, tests: Sequence[pytest.Item]) -> str:
    """Run the tests in a new process that imports the changed file."""
    env = {k: v for k, v in os.environ.items() if k != "ICP_SYNC_MUTANTS"}
    env["ICP_SYNC_MUTANT"] = json.dumps({"module": name, "path": str(path), "text": ast.unparse(mutant.tree)})
    command = [sys.executable, "-m", "pytest", "-p", "tests.sabotage.mutant_run", "-x"]
    command += [item.nodeid for item in tests]
    try:
        done = subprocess.run(command, env=env, capture_output=True, timeout=60 + 8 * ENOUGH, check=False)
    except subprocess.TimeoutExpired:
        return "killed: it never ends"
    return "survived" if done.returncode == 0 else "killed"


if _changed := os.environ.get("ICP_SYNC_MUTANT"):
    sys.meta_path.insert(0, _Changed(**json.loads(_changed)))
