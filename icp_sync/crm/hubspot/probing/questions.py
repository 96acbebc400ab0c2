"""What HubSpot's documentation leaves open, and the answers our code was written for. Data, and nothing else.

Of each there are recordings, or words, that contradict one another or say nothing; a portal can settle it.
"""

from __future__ import annotations

from icp_sync.crm.probing import Question

SAME_VALUE, BATCH_207, TEN_THOUSAND, SOURCE, RETRY_AFTER, INDEX_LAG, CONDITIONAL = (
    "same value bumps",
    "207 for values",
    "10,000 matches",
    "our source",
    "Retry-After",
    "index lag",
    "conditional rules",
)

QUESTIONS = (
    Question(
        key=SAME_VALUE,
        asks="Does writing the value that is there move hs_lastmodifieddate?",
        assumed=True,
        where="domain/differences.py: only what differs is written, so nothing can echo for ever",
        switch="same_value_bumps",
        instead="Nothing to change, and it costs nothing: repeated writes make fewer echoes than we reckon "
        "with.",
    ),
    Question(
        key=BATCH_207,
        asks="Is one invalid value in a batch/update with trace ids a partial failure?",
        assumed=False,
        where="crm/hubspot/writing.py: a batch refused whole is halved until it passes",
        switch="update_validation_207",
        instead="Nothing to change: complaints inside a reply are read as well. Fewer calls are needed than "
        "we reckon with.",
    ),
    Question(
        key=TEN_THOUSAND,
        asks="Is a search beyond 10,000 matches refused with 400 VALIDATION_ERROR?",
        assumed=True,
        where="crm/hubspot/discovery.py: search is walked by id, never by offset",
        instead="Nothing to change: we never page so far. Please report what was seen.",
    ),
    Question(
        key=SOURCE,
        asks="Does a property's history name our key as a program with an id?",
        assumed=True,
        where="crm/hubspot/history.py: PROGRAMS, and how an app is known to be us",
        instead="Please report what was seen. Our values stay ours by the journal and the seal; an edit that "
        "a write of ours went over may not be found, and so not given back.",
    ),
    Question(
        key=RETRY_AFTER,
        asks="Does a 429 say Retry-After?",
        assumed=False,
        where="crm/hubspot/replies.py: without it we wait as long as the window is",
        switch="retry_after",
        instead="Nothing to change: it is obeyed where it is sent.",
    ),
    Question(
        key=INDEX_LAG,
        asks="Does search show a write within the poll's overlap?",
        assumed=True,
        where="crm/windows.py: each window is read once more, for as long as the overlap",
        setting="schedule.overlap",
        switch="index_lag",
        instead="Raise schedule.overlap above what was seen; a poll then reads more twice. Until then the "
        "trailing pass finds what the poll misses, schedule.lag later. Nothing is lost.",
    ),
    Question(
        key=CONDITIONAL,
        asks="Do conditionally required properties refuse a write that touches none of them?",
        assumed=True,
        where="crm/hubspot/paths.py: DEFAULT_VERSION is one that does not enforce them",
        setting="path_version",
        switch="conditional_on_any_write",
        instead='path_version = "2026-09" is safe here: other people\'s rules do not refuse our writes. The '
        "older paths lose support first.",
    ),
)
