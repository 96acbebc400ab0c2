"""Signed assertions (RFC 7523): whether one was signed by a key the org knows, and what it claims.

Signatures are checked with `cryptography` itself, not with the library clients sign with.
https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class BadAssertion(Exception):
    """An assertion that is none, or that none of the known keys signed."""


def public_key(pem: str) -> rsa.RSAPublicKey:
    """The RSA key of a certificate, or a key by itself, in PEM. Raises ValueError."""
    data = pem.encode()
    certificate = b"BEGIN CERTIFICATE" in data
    key: object = (
        x509.load_pem_x509_certificate(data).public_key()
        if certificate
        else serialization.load_pem_public_key(data)
    )
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("certificate: not one of an RSA key")
    return key


def claims(assertion: str, certificates: Iterable[str]) -> Mapping[str, object]:
    """What an assertion claims, once RS256 holds. Raises BadAssertion."""
    parts = assertion.split(".")
    if len(parts) != 3:
        raise BadAssertion
    header, body = _json(parts[0]), _json(parts[1])
    signature, signed = _bytes(parts[2]), f"{parts[0]}.{parts[1]}".encode()
    if header.get("alg") != "RS256":
        raise BadAssertion
    for pem in certificates:
        try:
            public_key(pem).verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            continue
        return body
    raise BadAssertion


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise BadAssertion from None


def _json(part: str) -> Mapping[str, object]:
    try:
        found = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        raise BadAssertion from None
    if not isinstance(found, dict):
        raise BadAssertion
    return found
