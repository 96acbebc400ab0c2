"""A probe of a portal: about thirty calls on one scratch company that settle what HubSpot leaves open."""

from __future__ import annotations

from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.probing.asking import Asking
from icp_sync.crm.hubspot.probing.questions import QUESTIONS
from icp_sync.crm.hubspot.probing.scratch import Scratch
from icp_sync.crm.probing import AGAIN, Board, Calls, Probed, Wanted, plainly, room_for
from icp_sync.errors import UnavailableError

__all__ = ["QUESTIONS", "probe"]


def probe(client: Client, wanted: Wanted) -> Probed:
    """Ask everything there is to ask. What was made is removed, also where something goes wrong.

    Raises what the transport raises where not even the scratch record can be made, and UnavailableError
    where the calls of the day do not allow it.
    """
    room_for(client.transport.quota)
    calls, board = Calls(client.call), Board(QUESTIONS)
    scratch = Scratch(client, calls)
    try:
        scratch.clear(wanted.left)
        wanted.begins()
        scratch.make()
        wanted.made(scratch.id)
        board.ask(Asking(client, calls, board, scratch, wanted).steps())
    except UnavailableError as error:
        scratch.remove()
        if not scratch.left:
            raise
        what = f"{plainly(error)}; not removed: {'; '.join(scratch.left)}"
        raise UnavailableError(what, next_step=AGAIN) from error
    except BaseException:
        scratch.remove()
        raise
    scratch.remove()
    return Probed(
        answers=board.answers(),
        calls=calls.made,
        removed=tuple(scratch.removed),
        gone=tuple(scratch.gone),
        left=tuple(scratch.left),
    )
