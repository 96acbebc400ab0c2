"""Copies of a simulator that took long to set up: each test changes one of its own."""

from __future__ import annotations

import copyreg
import io
import pickle
import threading
from types import FunctionType

from icp_sync.simulator import Simulator

copyreg.pickle(type(threading.Lock()), lambda _: (threading.Lock, ()))
copyreg.pickle(type(threading.RLock()), lambda _: (threading.RLock, ()))  # type: ignore[arg-type]


class Copied:
    """A simulator as it stood, to be had again and again; it is stopped.

    Raises TypeError where copies would share something that changes.
    """

    def __init__(self, simulator: Simulator) -> None:
        simulator.stop()
        simulator._port = 0  # each of them listens on a port of its own
        kept = io.BytesIO()
        self._functions: list[FunctionType] = []
        _Keeping(kept, self._functions).dump(simulator)
        self._kept = kept.getvalue()

    def another(self) -> Simulator:
        """One that does not listen yet. Its clock went on meanwhile, unless it is frozen."""
        made: Simulator = _Telling(self._kept, self._functions).load()
        return made


class _Keeping(pickle.Pickler):
    """Functions without a name of their own are kept as they are, if all they remember are texts."""

    def __init__(self, file: io.BytesIO, functions: list[FunctionType]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._functions = functions

    def persistent_id(self, one: object) -> int | None:
        if not isinstance(one, FunctionType) or "<" not in one.__qualname__:
            return None
        if not all(isinstance(cell.cell_contents, str) for cell in one.__closure__ or ()):
            raise TypeError(f"{one.__qualname__} remembers what copies must not share")
        self._functions.append(one)
        return len(self._functions) - 1


class _Telling(pickle.Unpickler):
    def __init__(self, kept: bytes, functions: list[FunctionType]) -> None:
        super().__init__(io.BytesIO(kept))
        self._functions = functions

    def persistent_load(self, number: int) -> FunctionType:
        return self._functions[number]
