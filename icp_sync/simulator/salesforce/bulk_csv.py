"""CSV as Bulk API 2.0 takes and gives it. It knows columns and cells, no records.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_csv_preparing.htm
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

DELIMITERS: Mapping[str, str] = {
    "BACKQUOTE": "`",
    "CARET": "^",
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "TAB": "\t",
}
LINE_ENDINGS: Mapping[str, str] = {"LF": "\n", "CRLF": "\r\n"}
LONGEST_HEADER = 32_000
MOST_COLUMNS = 5_000


class Unreadable(Exception):
    """An upload that is no CSV of the kind its job announced; the job fails with this text."""


def parsed(content: bytes, delimiter: str, line_ending: str) -> tuple[list[str], list[list[str]]]:
    """The column names and the rows of an upload. Raises Unreadable."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"InvalidBatch : Failed to parse CSV: invalid UTF-8 at byte {error.start}") from None
    first = text.partition("\n")[0]
    if not first.strip():
        raise Unreadable("InvalidBatch : The content of the job is empty")
    if len(first) > LONGEST_HEADER:
        raise Unreadable(f"InvalidBatch : The header is longer than {LONGEST_HEADER} characters")
    if first.endswith("\r") != (line_ending == "CRLF"):
        raise Unreadable(
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is "
            f"{line_ending}"
        )
    if _stray_quote(text, DELIMITERS[delimiter]):
        raise Unreadable("InvalidBatch : Failed to parse CSV: a quote within a cell that is not quoted")
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter], strict=True)
        rows = [row for row in lines if row]
    except csv.Error as error:
        raise Unreadable(f"InvalidBatch : Failed to parse CSV: {error}") from None
    header, records = [name.strip() for name in rows[0]], rows[1:]
    if len(header) > MOST_COLUMNS:
        raise Unreadable(f"InvalidBatch : {len(header)} columns; {MOST_COLUMNS} are allowed")
    for number, row in enumerate(records, start=2):
        if len(row) != len(header):
            raise Unreadable(
                f"InvalidBatch : Failed to parse CSV: record {number} has {len(row)} columns, the header "
                f"{len(header)}"
            )
    return header, records


def _stray_quote(text: str, delimiter: str) -> bool:
    """Whether a quote is left when every cell that is quoted as a whole is taken away."""
    if '"' not in text:
        return False
    end = f"{re.escape(delimiter)}\r\n"
    return '"' in re.sub(f'(?:^|(?<=[{end}]))"(?:[^"]|"")*"(?=[{end}]|$)', "", text)


def written(header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str) -> bytes:
    """A result file: everything quoted, lines end in LF."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=DELIMITERS[delimiter], quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8", errors="replace")
