"""What a page gives away of what it is made with: by its code and addresses, never by what people read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.enrichers.fingerprints import load
from icp_sync.enrichers.page_seen import seen
from icp_sync.errors import ConfigError


def test_what_people_read_about_a_tool_is_not_the_tool() -> None:
    text = b"<p>Paste https://js.hs-scripts.com/1.js and /wp-content/ anywhere.</p>"
    known = load()
    assert known.technologies(seen(text, {})) == frozenset()
    assert known.technologies(seen(b"<a href='https://js.hs-scripts.com/1.js'>" + text, {})) == {"hubspot"}
    inline = rb'<script>s.src="https:\/\/cdn.segment.com\/analytics.js"</script>'
    assert known.technologies(seen(inline, {})) == {"segment"}
    assert known.technologies(seen(b"<img src=//notjs.hs-scripts.com.evil.io/x>", {})) == frozenset()
    assert known.technologies(seen(b"<script>__NEXT_DATA__={}</script>", {})) == {"next.js", "react"}


def test_the_shipped_list_is_large_enough_to_be_of_use() -> None:
    known = load().known
    assert len(known) >= 80
    assert {"hubspot", "salesforce", "pardot", "marketo", "intercom", "segment", "shopify"} <= set(known)
    assert all(also in known for one in known.values() for also in one.also)


def test_anybody_can_add_to_the_list(tmp_path: Path) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text(
        "technologies:\n"
        "  Our Widget: {urls: https://widget.example.com/v1, also: [hubspot]}\n"
        "  segment: {cookies: none-of-this}\n"
        "parked: {text: coming soon to acme}\n"
    )
    known = load(str(own))
    looks = seen(b"<img src=//a.widget.example.com/v1/x.js><script src=//cdn.segment.com/a.js></script>", {})
    assert known.technologies(looks) == {"our widget", "hubspot"}
    assert known.parked(seen(b"<h1>Coming soon to Acme</h1>", {}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("technologies: {x: {url: a.com}}", "mine.yaml:1:20: unknown key 'url' (did you mean 'urls'?)"),
        ("technologies: {x: {html: [ab]}}", "must be text of 3 characters or more"),
        ("technologies: {x: {}}", "'x' has no trace it could be known by"),
        ("technologies: {x: 5}", "must be a mapping of urls"),
        ("technologies: [x]", "must name technologies"),
        ("technologies: {x: {headers: {server: 1}}}", "must map a header"),
        ("other: 1", "unknown key 'other'"),
        ("- a", "must be a mapping of technologies, parked"),
        ("parked: 3", "must have urls or text"),
        ("technologies: {x: &a [*a]", "mine.yaml:1:"),
    ],
)
def test_a_list_that_is_wrong_says_where_and_why(tmp_path: Path, text: str, says: str) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text(text)
    with pytest.raises(ConfigError) as wrong:
        load(str(own))
    assert says in str(wrong.value)


@given(st.binary(max_size=600), st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=3))
def test_any_page_can_be_looked_at(body: bytes, headers: dict[str, str]) -> None:
    looks = seen(body, headers)
    assert _KNOWN.technologies(looks) <= _KNOWN.known.keys()
    assert _KNOWN.parked(looks) in (True, False)


@pytest.mark.parametrize(
    "piece", [b"<", b"<script", b"<!--", b"//a.", b"<meta name=generator ", b"</", b"\\/"]
)
def test_a_page_made_to_be_slow_is_read_once(piece: bytes) -> None:
    assert seen(piece * (1_500_000 // len(piece)), {}).title == ""


_KNOWN = load()
