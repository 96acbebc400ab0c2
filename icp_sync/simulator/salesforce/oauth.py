"""Signing in: the token endpoint, who a token is, and giving one up.

https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_client_credentials_flow.htm
https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm
https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_userinfo_endpoint.htm
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from secrets import compare_digest, token_urlsafe
from urllib.parse import parse_qsl, unquote_plus

from icp_sync.simulator.salesforce.assertions import BadAssertion, claims
from icp_sync.simulator.salesforce.errors import invalid_session, no_login
from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET, Org, Session, User
from icp_sync.simulator.server import Reply, Request

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FURTHEST = 300.0
"""Seconds ahead an assertion may expire at most."""
SKEW = 180.0
PASSWORD = "simulator"  # noqa: S105 - opens nothing but this simulator
NOT_APPROVED = "user hasn't approved this consumer"
Form = Mapping[str, str]


class NoLogin(Exception):
    """Nobody is signed in, for this reason."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.reply = no_login(error, description)


def bearer(request: Request) -> str:
    """The session a request names: `Authorization: Bearer …`, or `OAuth …` as older clients write."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else ""


def answer(org: Org, request: Request) -> Reply:
    """Everything below /services/oauth2/, and the identity a token reply points at."""
    path = "/".join(request.segments).lower()
    match path.removeprefix("services/oauth2/"):
        case "token" if request.method == "POST":
            try:
                return _token(org, request)
            except NoLogin as refused:
                return refused.reply
        case "revoke" if request.method == "POST":
            return _revoke(org, request)
        case "userinfo":
            return _userinfo(org, request)
        case _ if request.segments[0] == "id":
            return _userinfo(org, request)
    return no_login("unsupported_grant_type", "no such OAuth endpoint", 404)


def _form(request: Request) -> Form:
    """The fields of a form, in the body or in the address."""
    body = request.body.decode("utf-8", errors="replace")
    return dict(request.query) | dict(parse_qsl(body, keep_blank_values=True))


def _token(org: Org, request: Request) -> Reply:
    form = _form(request)
    match form.get("grant_type", ""):
        case "client_credentials":
            _consumer(request, form, secret=True)
            return _signed_in(org, request, org.integration)
        case grant if grant == JWT_BEARER:
            return _signed_in(org, request, _asserted(org, request, form.get("assertion", "")))
        case "password" if org.switches.oauth_password:
            _consumer(request, form, secret=True)
            user = org.user(form.get("username", ""))
            if user is None or not form.get("password", "").startswith(PASSWORD):
                raise NoLogin("invalid_grant", "authentication failure")
            return _signed_in(org, request, user)
        case "":
            raise NoLogin("invalid_request", "missing required parameter: grant_type")
    raise NoLogin("unsupported_grant_type", "grant type not supported")


def _consumer(request: Request, form: Form, *, secret: bool) -> None:
    """Check the app's key and secret, from the Basic header or from the form."""
    key, given = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        key, given = _basic(coded)
    if not compare_digest(key.encode(), CONSUMER_KEY.encode()):
        raise NoLogin("invalid_client_id", "client identifier invalid")
    if secret and not compare_digest(given.encode(), CONSUMER_SECRET.encode()):
        raise NoLogin("invalid_client", "invalid client credentials")


def _basic(coded: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(coded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise NoLogin("invalid_client", "invalid client credentials") from None
    key, _, secret = text.partition(":")
    return unquote_plus(key), unquote_plus(secret)


def _asserted(org: Org, request: Request, assertion: str) -> User:
    """The user an assertion signs in. Raises NoLogin."""
    try:
        said = claims(assertion, org.certificates)
    except BadAssertion:
        raise NoLogin("invalid_grant", "invalid assertion") from None
    if said.get("iss") != CONSUMER_KEY:
        raise NoLogin("invalid_client_id", "client identifier invalid")
    now, ends = org.clock.now(), _seconds(said.get("exp"))
    if ends is None or ends <= now - SKEW:
        raise NoLogin("invalid_grant", "token expired")
    if ends > now + FURTHEST + SKEW:
        raise NoLogin("invalid_grant", "expiration must be within 5 minutes")
    if str(said.get("aud", "")).rstrip("/") not in _audiences(org, request):
        raise NoLogin("invalid_grant", "audience is invalid")
    user = org.user(str(said.get("sub", "")))
    if user is None or user.number not in org.approved:
        raise NoLogin("invalid_grant", NOT_APPROVED)
    return user


def _seconds(given: object) -> float | None:
    """An `exp`: a number, or, as one client library sends it, a number in a string."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        return float(given)
    except ValueError:
        return None


def _audiences(org: Org, request: Request) -> tuple[str, ...]:
    """Who an assertion may be meant for: the login host of this kind of org, or the org itself."""
    host = "test" if org.sandbox else "login"
    return f"https://{host}.salesforce.com", _base(request), _base(request).replace("http://", "https://")


def _base(request: Request) -> str:
    return f"http://{request.headers.get('Host', '')}"


def _signed_in(org: Org, request: Request, user: User) -> Reply:
    if not user.active:
        raise NoLogin("inactive_user", "user is inactive")
    now = org.clock.now()
    token = f"{org.id[:15]}!{token_urlsafe(48)}"
    org.sessions[token] = Session(user=user, ends=now + org.switches.session_seconds)
    body = {
        "access_token": token,
        "signature": token_urlsafe(32),
        "scope": "api id",
        "instance_url": _base(request),
        "id": f"{_base(request)}/id/{org.id}/{user.id}",
        "token_type": "Bearer",
        "issued_at": str(int(now * 1000)),
    }
    return Reply(body=body, headers={"Cache-Control": "no-cache, no-store"})


def _revoke(org: Org, request: Request) -> Reply:
    session = org.sessions.get(_form(request).get("token", ""))
    if session is None:
        return no_login("invalid_token", "the token does not exist or is invalid")
    session.expired = True
    return Reply(body=b"")


def _userinfo(org: Org, request: Request) -> Reply:
    """Who a session is. What is no session gets a bare word, as at the identity services and nowhere else."""
    session = org.sessions.get(bearer(request))
    if session is None or session.over(org.clock.now()) or not session.user.active:
        if not org.switches.bare_refusals:
            return invalid_session().reply
        word = b"Bad_OAuth_Token" if bearer(request) else b"Missing_OAuth_Token"
        return Reply(status=403, body=word, headers={"Content-Type": "text/html;charset=UTF-8"})
    user, base = session.user, _base(request)
    held = user.record.props
    address = f"{base}/id/{org.id}/{user.id}"
    body = {
        "sub": address,
        "id": address,
        "user_id": user.id,
        "organization_id": org.id,
        "preferred_username": user.username,
        "username": user.username,
        "nickname": user.username.partition("@")[0],
        "name": f"{held.get('FirstName', '')} {held.get('LastName', '')}".strip(),
        "display_name": f"{held.get('FirstName', '')} {held.get('LastName', '')}".strip(),
        "given_name": held.get("FirstName"),
        "family_name": held.get("LastName"),
        "email": user.email,
        "email_verified": True,
        "zoneinfo": held.get("TimeZoneSidKey"),
        "active": user.active,
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "is_app_installed": True,
        "urls": {
            "rest": f"{base}/services/data/v{{version}}/",
            "sobjects": f"{base}/services/data/v{{version}}/sobjects/",
            "query": f"{base}/services/data/v{{version}}/query/",
        },
    }
    return Reply(body=body)
