"""Whether a call comes from whom it says: a secret it brings along, or a signature made with one.

Every comparison takes the same time whatever is compared, and a signed call is good for five minutes only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

GOOD_FOR = 300.0
"""Seconds between signing and arriving."""
SECRET_HEADER = "X-Icp-Sync-Secret"  # noqa: S105 - the name of a header
SIGNATURE_HEADER = "X-Signature"
HUBSPOT_SIGNATURE = "X-HubSpot-Signature-v3"
HUBSPOT_TIMESTAMP = "X-HubSpot-Request-Timestamp"
_LONGEST = 4_096
_DECODED = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.I)
"""What HubSpot signs an address without (developer documentation, "Validating requests", v3)."""


def brings(secret: str, given: str | None) -> bool:
    """Whether a header holds the secret; in front of it may stand "Bearer"."""
    text = (given or "")[:_LONGEST].strip()
    word, _, rest = text.partition(" ")
    text = rest.strip() if word.lower() == "bearer" and rest else text
    return hmac.compare_digest(text.encode("utf-8", "surrogatepass"), secret.encode())


def timely(given: str | None, now: float) -> bool:
    """Whether a timestamp, in epoch seconds or milliseconds, is of these minutes."""
    text = (given or "").strip()
    if not (text.isascii() and text.isdigit() and 9 <= len(text) <= 14):
        return False
    at = int(text) / 1_000 if len(text) > 11 else float(text)
    return abs(now - at) <= GOOD_FOR


def signed(secret: str, timestamp: str, body: bytes, signature: str | None) -> bool:
    """HMAC-SHA256 of the timestamp, a point and the body, in hex; "sha256=" may stand in front of it."""
    made = hmac.new(secret.encode(), timestamp.strip().encode() + b"." + body, hashlib.sha256).hexdigest()
    text = (signature or "")[:_LONGEST].strip().removeprefix("sha256=").lower()
    return hmac.compare_digest(text.encode("utf-8", "surrogatepass"), made.encode())


def signed_by_hubspot(secret: str, uri: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """HubSpot's version 3 signature: over the method, the address HubSpot called, the body and the time.

    Its documentation ("Validating requests") decodes some characters of the address first, its own library
    does not; either is good. Who calls this has looked at the time.
    """
    from hubspot.exceptions import InvalidSignatureTimestampError
    from hubspot.utils.signature import Signature

    given = headers.get(HUBSPOT_SIGNATURE.lower(), "")[:_LONGEST].encode("ascii", "replace").decode()
    decoded = _DECODED.sub(lambda found: chr(int(found[1], 16)), uri)
    try:
        good = [
            Signature.is_valid(
                signature=given,
                client_secret=secret,
                request_body=body.decode("utf-8"),
                http_uri=spelled,
                http_method="POST",
                signature_version="v3",
                timestamp=headers.get(HUBSPOT_TIMESTAMP.lower(), "").strip(),
            )
            for spelled in (uri, decoded)
        ]
    except (UnicodeDecodeError, InvalidSignatureTimestampError):
        return False
    return any(good)
