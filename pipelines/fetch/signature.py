"""The signed headers of the provincial portal.

Client id, millisecond timestamp, nonce, and Base64(HMAC-SHA256(secret, id + timestamp + nonce)).
"""

from __future__ import annotations

import base64
import hashlib
import hmac

SKEW_SECONDS = 5.0
"""A server's clock that differs by less is not the reason why it refuses a signature."""


def sign(identity: str, secret: str, timestamp: str, nonce: str) -> str:
    """The signature of one request.

    Args:
        identity: the client id.
        secret: the client's secret.
        timestamp: milliseconds since 1970, as decimal text.
        nonce: a text that is never used twice.
    """
    text = f"{identity}{timestamp}{nonce}".encode()
    digest = hmac.new(secret.encode(), text, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
