"""Content frames (CONTENTFRAME): whose definition an application's content follows.

>>> write(1, 5, b"x").hex()
'080110051a0178'
>>> read(bytes.fromhex("080110051a0178"))
{'domain_id': 1, 'tag': 5, 'payload': b'x'}
"""

from .messages import ContentFrame
from .refusal import require


def write(domain_id: int, tag: int, payload: bytes) -> bytes:
    """Domain and tag are positive (CF-03, CF-04)."""
    return ContentFrame.encode(check({"domain_id": domain_id, "tag": tag, "payload": payload}))


def read(data: bytes) -> dict:
    """All fields are required, so a domain or tag of 0 is invalid (CF-05). An empty payload is not: proto3
    does not tell it from none."""
    return check(ContentFrame.decode(data))


def check(fields: dict) -> dict:
    """Refuses a domain or a tag of 0."""
    for name in ("domain_id", "tag"):
        require(fields.get(name, 0) > 0, "malformed", f"{name} is not positive")
    return fields
