"""CSV as it is uploaded and fetched."""

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.simulator.salesforce import bulk_csv

CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from('\n\r",;'), max_size=8
)
DELIMITER = st.sampled_from(sorted(bulk_csv.DELIMITERS))


def parsed(content, delimiter):
    try:
        return bulk_csv.parsed(content, delimiter, "LF")
    except bulk_csv.Unreadable as wrong:
        return wrong


@given(rows=st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=5), delimiter=DELIMITER)
def test_what_is_written_is_read_back_the_same(rows, delimiter):
    written = bulk_csv.written(("Id", "Site"), rows, delimiter)
    assert parsed(written, delimiter) == (["Id", "Site"], rows)


@given(content=st.binary(max_size=60), delimiter=DELIMITER)
def test_whatever_is_uploaded_is_either_rows_of_one_width_or_named_unreadable(content, delimiter):
    found = parsed(content, delimiter)
    assert isinstance(found, bulk_csv.Unreadable) or {len(row) for row in found[1]} <= {len(found[0])}
