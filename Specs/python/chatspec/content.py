"""Content frames (Specs/content-frames.md): whose definition an application's content follows.

>>> write(1, 5, b"x").hex()
'080110051a0178'
>>> write(EVERYDAY, TEXT, Text.encode({"text": "hello"})).hex()
'08f4c2a19b0610011a070a0568656c6c6f'
>>> read(bytes.fromhex("080110051a0178"))
{'domain_id': 1, 'tag': 5, 'payload': b'x'}
"""

from .messages import ContentFrame, Contact, File, Text
from .refusal import Refused, require

LOGOS, EVERYDAY = 1, int.from_bytes(b"chat", "big")  # domains
DOMAINS = {LOGOS: "https://github.com/logos-co/logos-lips"}  # CF-06
TEXT, FILE, CONTACT = 1, 2, 3  # tags of the everyday domain
TYPES = {(EVERYDAY, TEXT): Text, (EVERYDAY, FILE): File, (EVERYDAY, CONTACT): Contact}
LIMITS = {"text": 2**20, "media_type": 255, "name": 255, "introduction": 4096}  # bytes


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


def read_known(frame: dict) -> dict:
    """The fields of an everyday type. A type that is not known is unsupported, and no error (CF-08, CFR-2)."""
    layout = TYPES.get((frame["domain_id"], frame["tag"]))
    if layout is None:
        where = DOMAINS.get(frame["domain_id"], f"domain {frame['domain_id']}")
        raise Refused("unsupported", f"tag {frame['tag']} of {where}")
    fields = layout.decode(frame.get("payload", b""))
    for name, limit in LIMITS.items():
        size = len(fields.get(name, "").encode())
        require(size <= limit, "too_large", f"{name} has {size} bytes, at most {limit}")
    return fields
