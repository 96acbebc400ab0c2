"""A temporary copy of the package in which it can be broken, and tests that run against it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType

from tests.sabotage.patches import Sabotage

ROOT = Path(__file__).parents[2]
COPIED = ("icp_sync", "tests", "config", "deploy", "pyproject.toml", "README.md", "CHANGELOG.md")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", ".*cache", ".hypothesis")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """test: the first one that failed, "" for none. columns: of the checker's table that turned non-zero."""

    sabotage: Sabotage
    test: str
    columns: tuple[str, ...]
    seconds: float

    @property
    def whole(self) -> bool:
        """Whether everything noticed that must."""
        return bool(self.test) and set(self.sabotage.columns) <= set(self.columns)

    @property
    def said(self) -> str:
        test = self.test.rpartition("/")[2] or "NO TEST"
        return test + (f"; columns: {', '.join(self.columns) or 'NONE'}" if self.sabotage.columns else "")


def patched(sabotage: Sabotage, root: Path = ROOT) -> str:
    """The file with the change. Raises AssertionError unless it fits exactly once."""
    text = (root / "icp_sync" / sabotage.file).read_text(encoding="utf-8")
    times = text.count(sabotage.before)
    assert times == 1, f"'{sabotage.name}' fits {times} times into {sabotage.file}"
    return text.replace(sabotage.before, sabotage.after)


class Workshop:
    """The copy; a context that takes it away again."""

    def __enter__(self) -> Workshop:
        self.root = Path(mkdtemp(prefix="icp-sync-sabotage-"))
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / name, ignore=_LEFT_OUT)
            else:
                shutil.copy(ROOT / name, self.root / name)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def tried(self, sabotage: Sabotage) -> Caught:
        """Break it, look who notices, mend it."""
        file = self.root / "icp_sync" / sabotage.file
        sound, began = file.read_text(encoding="utf-8"), time.monotonic()
        file.write_text(patched(sabotage, self.root), encoding="utf-8")
        try:
            test = self._failing(sabotage.tests)
            columns = self.columns() if sabotage.columns else {}
        finally:
            file.write_text(sound, encoding="utf-8")
        seconds = time.monotonic() - began
        return Caught(sabotage=sabotage, test=test, columns=tuple(columns), seconds=seconds)

    def columns(self) -> dict[str, int]:
        """The checker's columns that are not 0 after a trial in the copy."""
        done = self._python("-m", "tests.sabotage.trial")
        assert done.returncode == 0, done.stderr[-3000:]
        told = json.loads(done.stdout.splitlines()[-1])["columns"]
        return {name: count for name, count in told.items() if count}

    def _failing(self, tests: tuple[str, ...]) -> str:
        """The first of these tests that fails. One that cannot even be collected has noticed nothing."""
        done = self._python("-m", "pytest", "-x", "-rf", "--tb=no", *tests)
        assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr[-3000:]
        failed = _FAILED.search(done.stdout)
        return failed[1] if failed else ""

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "never"}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
