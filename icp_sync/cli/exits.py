"""The one place where an error becomes a sentence, the next command to type, and an exit code.

0 done · 1 could not be done now · 2 configuration or credentials · 3 a human must confirm first ·
130 interrupted. Everything goes to stderr; a traceback only with `--debug`.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from icp_sync.errors import ConfigError, IcpSyncError, UnavailableError

INTERRUPTED = 130
REPORT_IT = "please report it in the project's issue tracker, with the output of: icp-sync --debug …"


class Guarded(TyperGroup):
    """The root command: whatever a command raises ends here."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise  # typer's own: an exit, or a wrong usage with its own message
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise typer.Exit(hush()) from None
        except Exception as error:
            raise typer.Exit(told(error, debug=bool(ctx.params.get("debug")))) from None


def told(error: Exception, *, debug: bool = False) -> int:
    """Say on stderr what is wrong and what to do; returns the exit code."""
    from icp_sync.observe import redact
    from icp_sync.reporting.text import clean

    lines, code = _lines(error)
    if debug:
        lines = ["".join(traceback.format_exception(error)).rstrip(), *lines]
    for line in lines:
        print(clean(redact(line), keep="\n"), file=sys.stderr)
    return code


def _lines(error: Exception) -> tuple[list[str], int]:
    """What to print, and the exit code."""
    if isinstance(error, ConfigError):
        many = len(error.problems)
        lines = [f"error: {many} problems" if many > 1 else f"error: {error}"]
        lines += [f"  {problem}" for problem in error.problems if many > 1]
        return lines + _next(error.next_step), error.exit_code
    if isinstance(error, UnavailableError):
        wait = f" (it asked us to wait {error.retry_after:.0f} s)" if error.retry_after else ""
        return [f"error: {error}{wait}", *_next(error.next_step or "try again later")], error.exit_code
    if isinstance(error, IcpSyncError):
        return [f"error: {error}", *_next(error.next_step or "icp-sync check")], error.exit_code
    if isinstance(error, OSError) and error.strerror:
        return [f"error: {error.filename or 'cannot be written'}: {error.strerror}"], 1
    said = " ".join(str(error).split())[:300]
    return [f"error: this should not have happened: {type(error).__name__}: {said}", REPORT_IT], 1


def _next(step: str) -> list[str]:
    return [f"next: {step}"] if step else []


def hush() -> int:
    """Nobody reads our output any more: say nothing further, not even when Python closes the stream."""
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(silence, stream.fileno())
    return 1


def finish() -> None:
    """Send what is still buffered, quietly if nobody is there to read it."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # a caller may have closed it
                stream.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EINVAL):
            raise
        hush()
