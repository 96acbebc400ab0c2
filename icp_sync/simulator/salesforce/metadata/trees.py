"""Metadata XML as a tree that remembers lines. It knows no component type.

A document type declaration is refused, so nothing is ever expanded or fetched; so is absurd nesting.
The words of the problems are the Metadata API's own:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/file_based_zip_file.htm
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers.expat import ExpatError, ParserCreate, errors

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_DEEPEST = 30


class Problem(Exception):
    """What is wrong with a component or a file, and where (both counted from 1)."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(slots=True, kw_only=True)
class Node:
    """One element: its local name, the text directly inside it, where its tag stands."""

    name: str
    line: int
    column: int
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def child(self, name: str) -> Node | None:
        return next((node for node in self.children if node.name == name), None)

    def said(self, name: str) -> str:
        """The text of a child, "" when there is none."""
        found = self.child(name)
        return found.text.strip() if found is not None else ""


def parse(document: bytes, root: str) -> Node:
    """The tree of a document whose root must be `root`. Raises Problem."""
    parser = ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    open_nodes: list[Node] = []
    roots: list[Node] = []

    def here(message: str) -> Problem:
        return Problem(message, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)

    def begin(tag: str, attributes: dict[str, str]) -> None:
        space, _, name = tag.rpartition("}")
        if space != NAMESPACE or (not open_nodes and name != root):
            raise here(f"Error parsing file: Element {{{space}}}{name} invalid at this location")
        if len(open_nodes) >= _DEEPEST:
            raise here("Error parsing file: elements nested too deep")
        node = Node(name=name, line=parser.CurrentLineNumber, column=parser.CurrentColumnNumber + 1)
        (open_nodes[-1].children if open_nodes else roots).append(node)
        open_nodes.append(node)

    def end(tag: str) -> None:
        open_nodes.pop()

    def text(content: str) -> None:
        open_nodes[-1].text += content

    def declared(*_: object) -> None:
        raise here("Error parsing file: DOCTYPE is not allowed")

    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = declared
    try:
        parser.Parse(document, True)
    except ExpatError as wrong:
        reason = errors.messages[wrong.code]
        raise Problem(f"Error parsing file: {reason}", wrong.lineno, wrong.offset + 1) from None
    except (ValueError, LookupError) as wrong:  # an encoding nobody knows
        raise Problem(f"Error parsing file: {wrong}") from None
    return roots[0]
