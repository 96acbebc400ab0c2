"""`POST tokens`: sessions, certificates and who has approved the app, as an admin changes them."""

from __future__ import annotations

from icp_sync.simulator.arguments import names_given, seconds_given
from icp_sync.simulator.desk import Arguments, Json, Unusable
from icp_sync.simulator.salesforce.assertions import public_key
from icp_sync.simulator.salesforce.org import Org, Session, User


def changed(org: Org, given: Arguments) -> Json:
    """Carry out the control.

    token: a session id to make or change, for `user` (a user name, the integration's unless named); without
    it `expired` and `ttl` are about every session. expired: true or false. ttl: seconds it lives from now.
    certificate: PEM of an RSA key assertions may be signed with, "" forgets all. approve: user names that may
    sign in by assertion, instead of those who could.
    """
    if not set(given) & {"token", "expired", "ttl", "certificate", "approve"}:
        raise Unusable("token: which one? (or certificate, approve, expired, ttl)")
    if "certificate" in given:
        _trust(org, str(given["certificate"]))
    if "approve" in given:
        org.approved = {_user(org, name).number for name in names_given(given, "approve")}
    sessions = _sessions(org, given)
    for session in sessions:
        if "ttl" in given:
            session.ends = org.clock.now() + seconds_given(given, "ttl")
        session.expired = bool(given.get("expired", session.expired))
    return {
        "token": given.get("token"),
        "sessions": len(sessions),
        "expired": [session.over(org.clock.now()) for session in sessions],
        "certificates": len(org.certificates),
        "approved": [org.users[number].username for number in sorted(org.approved)],
    }


def _sessions(org: Org, given: Arguments) -> list[Session]:
    if "token" not in given:
        return list(org.sessions.values()) if set(given) & {"expired", "ttl"} else []
    text = str(given["token"])
    session = org.sessions.get(text)
    if session is None:
        session = org.sessions[text] = Session(user=org.integration)
    if "user" in given:
        session.user = _user(org, str(given["user"]))
    return [session]


def _trust(org: Org, pem: str) -> None:
    if not pem:
        org.certificates.clear()
        return
    try:
        public_key(pem)
    except ValueError as wrong:
        raise Unusable(f"certificate: {wrong}") from None
    org.certificates.append(pem)


def _user(org: Org, name: str) -> User:
    found = org.user(name)
    if found is None:
        raise Unusable(f"no such user: {name}")
    return found
