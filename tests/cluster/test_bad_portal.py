"""A portal that hangs, or answers nothing but 429, keeps no other waiting, however little a worker runs."""

from __future__ import annotations

from tests.cluster.bad_portal import ILLS, towns

FEW = 'lease = "5s"\njobs = 3\nshare = 1'


def test_edits_in_other_portals_land_while_one_hangs_or_answers_429() -> None:
    with towns(3, 12, 2, poll=0.5, cluster=FEW) as at:
        for ill in ILLS:
            at.strike(ill)
            found = at.work(2.0)
            at.heal()
            assert len(found.waited) > 3, ill
            assert found.lost == 0, ill
