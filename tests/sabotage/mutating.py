"""Mutants of one source file: every place where a comparison, a sum, a connective, a number, a condition or a
return can be turned into its neighbour. Pure: text comes in, syntax trees come out; it runs nothing.

Words are left alone: what a text says is pinned by other tests; a test of every word would only repeat it.
"""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_PLAIN = (ast.Compare, ast.BoolOp, ast.Constant)
"""Conditions that have mutants of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of a file: where, inside which function ("" for what runs at import), from what into what.
    `tree` is the whole file with it."""

    line: int
    column: int
    function: str
    before: str
    after: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The same for as long as this line of the file stays as it is, wherever it moves."""
        return f"{self.function or 'import'}: {self.before} → {self.after}"


def mutants(text: str) -> list[Mutant]:
    """All mutants of a source text, in its order."""
    source = ast.parse(text)
    kept, found = pickle.dumps(source), []  # a copy in a fifth of the time of deepcopy
    places = list(_places(source, "", at_import=True))
    for number, (node, function) in enumerate(places):
        for kind in range(len(_edits(node))):
            tree = pickle.loads(kept)
            twin = list(_places(tree, "", at_import=True))[number][0]
            before = _shown(twin)
            _edits(twin)[kind]()
            ast.fix_missing_locations(tree)
            there = node.ifs[0] if isinstance(node, ast.comprehension) else node
            line, column = getattr(there, "lineno", 0), getattr(there, "col_offset", 0)
            found.append(
                Mutant(
                    line=line,
                    column=column,
                    function=function,
                    before=before,
                    after=_shown(twin),
                    tree=tree,
                )
            )
    return found


def _shown(node: ast.AST) -> str:
    """A node in one line, without what hangs below a statement."""
    if isinstance(node, ast.If | ast.While):
        return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
    return " ".join(ast.unparse(node).split())


def _places(node: ast.AST, function: str, *, at_import: bool) -> Iterator[tuple[ast.AST, str]]:
    """Every node that may have mutants, with the qualified name of the function it runs in.

    Annotations run nowhere that matters, and decorators say how a thing is made: both are left alone.
    """
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        yield from _definition(node, function, at_import=at_import)
        return
    yield node, "" if at_import else function
    for name, child in ast.iter_fields(node):
        if name in ("annotation", "returns", "slice") and isinstance(node, ast.AnnAssign | ast.arg):
            continue
        for part in child if isinstance(child, list) else [child]:
            if isinstance(part, ast.AST):
                yield from _places(part, function, at_import=at_import)


def _definition(node: ast.AST, function: str, *, at_import: bool) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, ast.Lambda):
        inside = node.body
        yield from _places(inside, function, at_import=at_import)
        return
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    name = f"{function}.{node.name}" if function else node.name
    if isinstance(node, ast.ClassDef):
        for part in node.body:
            yield from _places(part, name, at_import=at_import)
        return
    for default in (*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)):
        yield from _places(default, function, at_import=at_import)
    for part in node.body:
        yield from _places(part, name, at_import=False)


def _edits(node: ast.AST) -> list:
    """The ways to change this very node, each a function that does it."""
    match node:
        case ast.Compare():
            return [_compared(node, i) for i, op in enumerate(node.ops) if type(op) in _COMPARISONS]
        case ast.BinOp() if type(node.op) in _OPERATORS and not _is_text(node):
            return [lambda: setattr(node, "op", _OPERATORS[type(node.op)]())]
        case ast.AugAssign() if type(node.op) in _OPERATORS:
            return [lambda: setattr(node, "op", _OPERATORS[type(node.op)]())]
        case ast.BoolOp():
            other = ast.Or if isinstance(node.op, ast.And) else ast.And
            return [lambda: setattr(node, "op", other())]
        case ast.UnaryOp(op=ast.Not()):
            return [lambda: _replaced(node, "operand")]
        case ast.Constant(value=bool()):
            return [lambda: setattr(node, "value", not node.value)]
        case ast.Constant(value=int() | float()):
            return [lambda: setattr(node, "value", node.value + 1)]
        case ast.If() | ast.While() | ast.IfExp() if not _has_own(node.test):
            return [lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))]
        case ast.comprehension(ifs=[ast.expr() as test, *_]) if not _has_own(test):
            return [lambda: node.ifs.__setitem__(0, ast.UnaryOp(ast.Not(), node.ifs[0]))]
        case ast.Return(value=ast.expr() as value) if not _is_none_or_bool(value):
            return [lambda: setattr(node, "value", ast.Constant(None))]
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            return [lambda: setattr(node.func, "id", _CALLS[name])]
    return []


def _compared(node: ast.Compare, i: int):
    return lambda: node.ops.__setitem__(i, _COMPARISONS[type(node.ops[i])]())


def _replaced(node: ast.UnaryOp, name: str) -> None:
    """`not x` becomes x, in place: a double negation is x as a truth value."""
    node.operand = ast.UnaryOp(ast.Not(), getattr(node, name))


def _has_own(test: ast.expr) -> bool:
    return isinstance(test, _PLAIN) or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not))


def _is_none_or_bool(value: ast.expr) -> bool:
    """None stays None; a plain truth value is turned over already."""
    return isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, bool))


def _is_text(node: ast.BinOp) -> bool:
    """Types joined by |, and texts joined by +, are no arithmetic."""
    return any(
        isinstance(part, ast.JoinedStr) or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        for part in (node.left, node.right)
    )
