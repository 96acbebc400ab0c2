"""Signing in and staying signed in."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET, USERNAME
from salesforce.served_org import NOON, TOKEN, Client, served, sign_in

KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
PUBLIC = (
    KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture
def crm():
    with served() as running:
        yield running


def certificate(key):
    """A self-signed certificate of the key, PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "icp-sync")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=start,
        not_valid_after=start + timedelta(days=900),
    ).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def assertion(key=KEY, algorithm="RS256", **claims):
    said = {"iss": CONSUMER_KEY, "sub": USERNAME, "aud": "https://login.salesforce.com", "exp": NOON + 180}
    text = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(said | claims)}"
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def bear(crm, text):
    form = {"grant_type": JWT_BEARER, "assertion": text}
    return requests.post(crm.url + TOKEN, data=form, timeout=20)


@pytest.mark.parametrize("basic", [True, False], ids=["header", "body"])
def test_the_apps_own_credentials_sign_in_its_integration_user(crm, basic):
    answer = sign_in(crm, basic=basic)
    body = answer.json()
    assert (answer.status_code, body["token_type"], body["instance_url"]) == (200, "Bearer", crm.url)
    assert body["id"] == f"{crm.url}/id/{crm.org.id}/{crm.org.integration.id}"
    client = Client(crm, body["access_token"])
    assert client.json("GET", "limits")[0] == 200
    _, who = client.json("GET", "/services/oauth2/userinfo")
    assert (who["user_id"], who["organization_id"]) == (crm.org.integration.id, crm.org.id)
    assert client.json("GET", body["id"].removeprefix(crm.url))[1]["username"] == USERNAME


def test_a_form_may_come_in_chunks(crm):
    form = f"grant_type=client_credentials&client_id={CONSUMER_KEY}&client_secret={CONSUMER_SECRET}"
    answer = requests.post(crm.url + TOKEN, data=iter([form[:20].encode(), form[20:].encode()]), timeout=20)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "x", "client_secret": CONSUMER_SECRET}, "invalid_client_id"),
        ({"client_id": CONSUMER_KEY, "client_secret": "x"}, "invalid_client"),
        ({"client_id": CONSUMER_KEY, "client_secret": "é"}, "invalid_client"),
        ({}, "invalid_client_id"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": USERNAME}, "unsupported_grant_type"),
        ({"grant_type": JWT_BEARER}, "invalid_grant"),
    ],
)
def test_what_is_no_credential_is_refused_with_one_object(crm, form, error):
    answer = requests.post(crm.url + TOKEN, data={"grant_type": "client_credentials", **form}, timeout=20)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert set(answer.json()) == {"error", "error_description"}


@pytest.mark.parametrize("header", ["Basic !!!", "Basic " + base64.b64encode(b"\xff").decode()])
def test_an_unreadable_header_is_no_credential(crm, header):
    form = {"grant_type": "client_credentials"}
    answer = requests.post(crm.url + TOKEN, data=form, headers={"Authorization": header}, timeout=20)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_passwords_are_taken_only_where_an_admin_allowed_it(crm):
    form = {"grant_type": "password", "username": USERNAME, "password": "simulator" + "securitytoken"}
    form |= {"client_id": CONSUMER_KEY, "client_secret": CONSUMER_SECRET}
    crm.admin("POST settings", oauth_password=True)
    assert requests.post(crm.url + TOKEN, data=form, timeout=20).status_code == 200
    wrong = requests.post(crm.url + TOKEN, data=form | {"password": "x"}, timeout=20)
    assert wrong.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("pem", [PUBLIC, certificate(KEY)], ids=["key", "certificate"])
@pytest.mark.parametrize("exp", [NOON + 180, str(int(NOON + 180))], ids=["number", "string"])
def test_an_assertion_signed_with_a_known_key_signs_its_user_in(crm, pem, exp):
    crm.admin("POST tokens", certificate=certificate(OTHER_KEY))
    crm.admin("POST tokens", certificate=pem)
    answer = bear(crm, assertion(exp=exp))
    assert answer.status_code == 200, answer.text
    assert Client(crm, answer.json()["access_token"]).json("GET", "limits")[0] == 200


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (assertion(OTHER_KEY), "invalid_grant", "invalid assertion"),
        (assertion(algorithm="none"), "invalid_grant", "invalid assertion"),
        (assertion()[:-9] + "AAAAAAAAA", "invalid_grant", "invalid assertion"),
        ("a.b", "invalid_grant", "invalid assertion"),
        ("é.b.c", "invalid_grant", "invalid assertion"),
        (f"{part([1])}.{part(1)}.AA", "invalid_grant", "invalid assertion"),
        (assertion(iss="x"), "invalid_client_id", "client identifier invalid"),
        (assertion(aud="https://test.salesforce.com"), "invalid_grant", "audience is invalid"),
        (assertion(exp=NOON - 600), "invalid_grant", "token expired"),
        (assertion(exp=None), "invalid_grant", "token expired"),
        (assertion(exp="soon"), "invalid_grant", "token expired"),
        (assertion(exp=NOON + 3_600), "invalid_grant", "within 5 minutes"),
        (assertion(sub="nobody@simulator.example"), "invalid_grant", "user hasn't approved this consumer"),
        (assertion(sub="amara.okafor@sales.example"), "invalid_grant", "hasn't approved this consumer"),
    ],
)
def test_an_assertion_that_does_not_hold_is_refused_with_its_reason(crm, text, error, words):
    crm.admin("POST tokens", certificate=PUBLIC)
    body = bear(crm, text).json()
    assert body["error"] == error
    assert words in body["error_description"]


def test_a_user_must_have_approved_the_app(crm):
    crm.admin("POST tokens", certificate=PUBLIC, approve=["amara.okafor@sales.example"])
    assert bear(crm, assertion()).json()["error_description"] == "user hasn't approved this consumer"
    answer = bear(crm, assertion(sub="Amara.Okafor@sales.example"))
    assert answer.json()["id"].endswith(crm.org.user("amara.okafor@sales.example").id)
    crm.admin("POST users", email="amara.okafor@sales.example", active=False)
    assert bear(crm, assertion(sub="amara.okafor@sales.example")).json()["error"] == "inactive_user"


def test_a_sandbox_wants_assertions_meant_for_sandboxes(crm):
    crm.admin("POST tokens", certificate=PUBLIC)
    crm.admin("POST settings", sandbox=True)
    assert bear(crm, assertion()).json()["error_description"] == "audience is invalid"
    assert bear(crm, assertion(aud="https://test.salesforce.com")).status_code == 200
    assert bear(crm, assertion(aud=crm.url)).status_code == 200
    assert Client(crm).query("SELECT IsSandbox FROM Organization") == [{"IsSandbox": True}]


def test_a_session_ends_at_its_time_however_much_it_is_used(crm):
    crm.admin("POST settings", session_seconds=100)
    client = Client(crm, sign_in(crm).json()["access_token"])
    seen = []
    for _ in range(3):
        crm.admin("POST clock", advance=40)
        seen.append(client.json("GET", "limits")[0])
    assert seen == [200, 200, 401]
    assert Client(crm).json("GET", "limits")[0] == 200, "the fixed session has no end"


def test_sessions_end_when_an_admin_or_the_app_ends_them(crm):
    token = sign_in(crm).json()["access_token"]
    crm.admin("POST tokens", token=token, ttl=50)
    crm.admin("POST clock", advance=49)
    assert Client(crm, token).json("GET", "limits")[0] == 200
    crm.admin("POST clock", advance=1)
    assert Client(crm, token).json("GET", "limits")[0] == 401
    crm.admin("POST tokens", expired=True)
    assert Client(crm).json("GET", "limits")[0] == 401
    again = sign_in(crm).json()["access_token"]
    revoked = requests.post(crm.url + "/services/oauth2/revoke", data={"token": again}, timeout=20)
    assert (revoked.status_code, Client(crm, again).json("GET", "limits")[0]) == (200, 401)


def test_the_identity_services_refuse_with_a_bare_word_or_like_everybody_else(crm):
    client = Client(crm, "nonsense")
    answer = client.call("GET", "/services/oauth2/userinfo")
    assert (answer.status_code, answer.text) == (403, "Bad_OAuth_Token")
    crm.admin("POST settings", bare_refusals=False)
    status, body = client.json("GET", "/services/oauth2/userinfo")
    assert (status, body[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


def test_somebody_who_left_has_no_session(crm):
    token = sign_in(crm).json()["access_token"]
    crm.admin("POST users", email=USERNAME, active=False)
    assert Client(crm, token).json("GET", "limits")[0] == 401
    assert sign_in(crm).json()["error"] == "inactive_user"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "token: which one?"),
        ({"certificate": "no PEM"}, "certificate: "),
        ({"token": "t", "user": "nobody@x.example"}, "no such user: nobody@x.example"),
        ({"approve": 7}, "approve: a list"),
    ],
)
def test_a_credential_that_cannot_be_changed_says_why(crm, arguments, words):
    with pytest.raises(ValueError, match=r".") as refused:
        crm.admin("POST tokens", **arguments)
    assert words in str(refused.value)
