"""The parts of a multipart/form-data body by their names. It knows no metadata.

https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

from email.message import Message


def parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """Each named part's content, untouched; of two with one name the last. Raises ValueError."""
    boundary = _header("Content-Type", content_type).get_boundary()
    if not boundary:
        raise ValueError("the content type names no boundary")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"))
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise ValueError("the last boundary is missing")
    found = {}
    for piece in pieces[1:-1]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        if not separator:
            raise ValueError("a part has no headers")
        found[_name(head)] = content
    return found


def _name(head: bytes) -> str:
    for line in head.decode("latin-1").split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition":
            name = _header(key.strip(), value.strip()).get_param("name", header=key.strip())
            if isinstance(name, str) and name:
                return name
    raise ValueError("a part has no name")


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value.replace("\r", " ").replace("\n", " ")
    return message
