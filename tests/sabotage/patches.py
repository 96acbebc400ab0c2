"""The sabotages: small changes of the program, each breaking a promise, and the tests that must notice.

`before` must be found exactly once in the file; when the program moves on, the patch rots loudly.
"""

from __future__ import annotations

from dataclasses import dataclass

CYCLE = "tests/sync/test_cycle.py::"
DIFFERENCES = "tests/domain/test_differences.py"
HUBSPOT = "tests/crm/hubspot/"
SALESFORCE = "tests/crm/salesforce/"
SETTLE = "tests/sync/test_settle.py::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """name: what is done, in words. file: below icp_sync. tests: ids of which at least one must fail.

    columns: of the checker's table that must turn non-zero in a trial (`trial.py`).
    """

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    columns: tuple[str, ...] = ()


SABOTAGES = (
    Sabotage(
        name="the position moves before the write",
        file="sync/settle.py",
        before="        before_write()\n",
        after="        self.journal.commit([], gone={}, position=page.position, stream=page.stream.value,\n"
        "            lease=self.run.lease, run=self.run.id, now=evaluated.now)\n        before_write()\n",
        tests=(f"{CYCLE}test_a_crash_repeats_at_most_the_page_it_happened_on",),
    ),
    Sabotage(
        name="> for >= at the beginning of a window",
        file="crm/windows.py",
        before='lower=max(base - back, 1000), upper=upper, last_id=""',
        after='lower=max(base - back, 1000) + 1, upper=upper, last_id=""',
        tests=("tests/crm/test_windows.py",),
    ),
    Sabotage(
        name="overlap 0",
        file="crm/windows.py",
        before="back = int(self.overlap * 1000) if stream is Stream.POLL else 0",
        after="back = 0",
        tests=("tests/crm/test_windows.py",),
    ),
    Sabotage(
        name="the tie-break by id removed",
        file="crm/hubspot/discovery.py",
        before='"sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]',
        after='"sorts": [{"propertyName": STAMP, "direction": "ASCENDING"}]',
        tests=(
            f"{HUBSPOT}test_order.py::"
            "test_companies_that_changed_in_the_opposite_order_of_their_ids_are_all_found",
        ),
    ),
    Sabotage(
        name="a stamp counts as seen at once",
        file="crm/windows.py",
        before="return stamp + unit + settling < read_at",
        after="return True",
        tests=("tests/crm/test_windows.py",),
    ),
    Sabotage(
        name="the fence dropped",
        file="journal/bound.py",
        before="if conn.execute(held).first() is None:",
        after="if conn.execute(held).first() is None and lease.fence < 0:",
        tests=("tests/journal/test_journal_leases.py",),
    ),
    Sabotage(
        name="compare-and-set dropped from intend",
        file="journal/intend.py",
        before="if stored.get(account_id, ABSENT).version != version",
        after="if stored.get(account_id, ABSENT).version < 0",
        tests=(
            "tests/journal/test_journal_settling.py::"
            "test_a_rival_that_recalled_earlier_loses_and_leaves_no_trace",
        ),
    ),
    Sabotage(
        name="207 taken for 200",
        file="crm/hubspot/writing.py",
        before="return self._reconcile(inputs, reply, since)",
        after="return [_written(item) for item in inputs]",
        tests=(f"{HUBSPOT}test_writing.py::test_a_batch_answered_in_part_is_reconciled_record_by_record",),
    ),
    Sabotage(
        name="a row nobody named counts as a success",
        file="crm/hubspot/writing.py",
        before="return outcomes + self._look(silent)",
        after="return outcomes + [_written(item) for item in silent]",
        tests=(f"{HUBSPOT}test_writing.py::test_an_answer_that_says_nothing_is_checked_by_reading",),
    ),
    Sabotage(
        name="a lost reply taken for written",
        file="crm/hubspot/writing.py",
        before="        except UncertainError as error:\n"
        "            return [_outcome(item.id, Result.UNCERTAIN, message=str(error)) for item in inputs]",
        after="        except UncertainError:\n            return [_written(item) for item in inputs]",
        tests=(
            f"{HUBSPOT}test_writing.py::"
            "test_a_reply_that_is_lost_or_garbled_leaves_every_record_of_its_batch_uncertain",
        ),
    ),
    Sabotage(
        name="one bad row refuses its whole batch",
        file="crm/hubspot/writing.py",
        before="        if len(inputs) == 1:\n            return [_refusal(inputs[0].id, found, str(error))]",
        after="        if inputs:\n"
        "            return [_refusal(item.id, found, str(error)) for item in inputs]",
        tests=(
            f"{HUBSPOT}test_writing.py::"
            "test_a_batch_refused_whole_for_one_record_is_halved_until_only_that_is_left",
        ),
    ),
    Sabotage(
        name="one account twice in a batch",
        file="crm/rounds.py",
        before="nth = times.get(write.account_id, 0)",
        after="nth = 0",
        tests=(f"{SALESFORCE}test_writing.py::test_two_writes_of_one_account_follow_each_other",),
    ),
    Sabotage(
        name="the token cached for ever",
        file="crm/salesforce/login.py",
        before="if self._clock() - self._got_at < RENEW_AT * self._life or",
        after='if self._clock() - self._got_at < float("inf") or',
        tests=(f"{SALESFORCE}test_login.py::test_a_session_is_used_for_three_quarters_of_its_life",),
    ),
    Sabotage(
        name="Auto-Assign left to the org",
        file="crm/salesforce/wire.py",
        before='    "Sforce-Auto-Assign": "FALSE",\n',
        after="",
        tests=(
            f"{SALESFORCE}test_client.py::"
            "test_a_session_that_ends_in_the_middle_is_renewed_once_and_the_call_sent_again_with_its_headers",
        ),
    ),
    Sabotage(
        name="Retry-After ignored",
        file="http/wire.py",
        before="        return max(0.0, float(text))\n",
        after="        return None\n",
        tests=("tests/test_http.py",),
    ),
    Sabotage(
        name="the local clock instead of the server's",
        file="http/clock.py",
        before="return time.time() if self._offset is None else time.monotonic() + self._offset",
        after="return time.time()",
        tests=("tests/test_http.py::test_the_clock_is_the_servers_and_never_ahead_of_it",),
    ),
    Sabotage(
        name='"" kept as a value',
        file="normalize/kinds.py",
        before="return read(fact, text, account_currency) if text else None",
        after="return read(fact, text, account_currency)",
        tests=("tests/normalize/test_facts_map.py",),
    ),
    Sabotage(
        name="accounts that we wrote last are skipped",
        file="sync/settle.py",
        before="page, memory = self._as_of_now(page, now)\n",
        after="page, memory = self._as_of_now(page, now)\n"
        "        met = tuple(a for a in page.accounts if not memory.of(a.id).sent_at)\n"
        "        page = replace(page, accounts=met)\n",
        tests=(
            "tests/sync/test_between_read_and_write.py::"
            "test_an_edit_our_write_went_over_is_given_back_and_said",
        ),
        columns=("lost",),
    ),
    Sabotage(
        name="a page read earlier overwrites a newer settlement",
        file="sync/recalling.py",
        before="overtaken = [a.id for a in page.accounts if memory.of(a.id).stamp > a.stamp]",
        after="overtaken = [a.id for a in page.accounts if a.stamp < 0]",
        tests=(f"{CYCLE}test_a_page_read_before_another_stream_settled_a_newer_one_overwrites_nothing",),
        columns=("stale",),
    ),
    Sabotage(
        name="a value is sent though it is there already",
        file="domain/differences.py",
        before="        elif want == live:\n            continue\n",
        after="",
        tests=(f"{SETTLE}test_the_second_pass_writes_nothing_and_reads_it_all",),
        columns=("doubled", "looped"),
    ),
    Sabotage(
        name="what people hold is ours to write",
        file="domain/differences.py",
        before="held=not over, over=over, claim=claim",
        after="held=False, over=over, claim=claim",
        tests=(f"{SETTLE}test_a_rep_s_own_tier_is_left_alone_and_reported_until_it_is_released",),
        columns=("overwritten",),
    ),
    Sabotage(
        name="the echo is not looked at",
        file="sync/edits.py",
        before="return bool(d.remembered.unechoed) and",
        after="return False and",
        tests=(
            "tests/sync/test_between_read_and_write.py::"
            "test_an_edit_our_write_went_over_is_given_back_and_said",
        ),
        columns=("unrestored",),
    ),
    Sabotage(
        name="the reserve ignored",
        file="quota/day.py",
        before="floor = daily.reserve(self.limit) + self.looks()",
        after="floor = 0",
        tests=(
            "tests/quota/test_day.py::test_no_call_starts_that_would_enter_the_reserve_by_what_was_last_told",
        ),
        columns=("reserve",),
    ),
    Sabotage(
        name="the seal ignored",
        file="domain/ownership.py",
        before="return seal.proves(key, account_id, name, live)",
        after="return False",
        tests=(f"{SETTLE}test_a_lost_journal_knows_our_values_by_their_seal",),
    ),
    Sabotage(
        name="intents forgotten",
        file="domain/ownership.py",
        before="if live in remembered.intents.get(name, ()):",
        after="if False:",
        tests=(f"{SETTLE}test_a_write_whose_reply_was_lost_is_resolved_by_the_next_read", DIFFERENCES),
    ),
    Sabotage(
        name="evidence that a value is people's dropped",
        file="domain/ownership.py",
        before="if last is not None and last.origin is Origin.HUMAN and last.value == live:\n"
        "        return False",
        after="if False:\n        return False",
        tests=(DIFFERENCES, "tests/sync/test_settle.py"),
    ),
    Sabotage(
        name="what was withdrawn is written again",
        file="domain/differences.py",
        before="away = kept_away(withdrawn, wanted)",
        after="away = frozenset[str]()",
        tests=("tests/sync/test_undo.py::test_what_a_run_wrote_goes_back_and_stays_back",),
    ),
    Sabotage(
        name="the guard lets everything pass",
        file="domain/guard.py",
        before="        whole = (\n",
        after="        whole = None and (\n",
        tests=("tests/sync/test_guard.py::test_a_held_downgrade_writes_nothing_and_is_told_once",),
    ),
    Sabotage(
        name="no quarantine",
        file="domain/guard.py",
        before="counted.writes.get(i, 0) >= limits.writes_an_hour",
        after="counted.writes.get(i, 0) < 0",
        tests=(
            "tests/sync/test_robots.py::test_an_account_something_keeps_changing_is_quarantined_with_one_alert",
        ),
    ),
    Sabotage(
        name="an override never ends",
        file="domain/override.py",
        before='return tier if tier in STATES and now < _until(live) else ""',
        after='return tier if tier in STATES else ""',
        tests=(
            "tests/sync/test_overrides.py::test_an_override_moves_priority_lane_and_owner_and_ends_by_itself",
        ),
    ),
    Sabotage(
        name="undo without compare",
        file="domain/restoring.py",
        before="    if not is_ours(account.id, name, live, remembered, seal, key):\n"
        "        return Fate.PEOPLE\n",
        after="",
        tests=("tests/sync/test_undo.py::test_what_a_person_changed_since_is_not_touched",),
    ),
    Sabotage(
        name="the origin is not restored",
        file="domain/restoring.py",
        before="return Origin.HUMAN if then.origin == Origin.HUMAN else Origin.OURS",
        after="return Origin.OURS",
        tests=("tests/sync/test_undo.py::test_a_value_of_peoples_goes_back_as_theirs",),
    ),
    Sabotage(
        name="a plan applied without compare",
        file="sync/plan_file/deciding.py",
        before="        elif live != change.live:\n",
        after="        elif live is None:\n",
        tests=("tests/sync/test_plan_file_overtaken.py",),
    ),
    Sabotage(
        name="wording alone causes a write",
        file="domain/differences.py",
        before="return self.gives_back or any(not cosmetic(c) for c in self.changes)",
        after="return bool(self.changes)",
        tests=(f"{SETTLE}test_wording_alone_causes_no_write_but_rides_with_a_change",),
    ),
)
