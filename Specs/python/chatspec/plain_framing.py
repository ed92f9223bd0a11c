"""Plain framing (Specs/plain-framing.md): version, route, length, payload.

>>> wrap("convo-1", b"hello").hex()
'0107636f6e766f2d310000000568656c6c6f'
>>> unwrap(wrap("convo-1", b"hello"))
('convo-1', b'hello')
"""

from .refusal import Refused, require

VERSION = 1
MAX_ROUTE = 255


def wrap(route: str, payload: bytes) -> bytes:
    """Puts a route of 1 to 255 bytes in front of a payload (FRAMING-5)."""
    name = route.encode()
    require(1 <= len(name) <= MAX_ROUTE, "malformed", f"a route has {len(name)} bytes, not 1 to {MAX_ROUTE}")
    require(len(payload) < 2**32, "too_large", f"a payload has {len(payload)} bytes")
    return bytes([VERSION, len(name)]) + name + len(payload).to_bytes(4, "big") + payload


def unwrap(data: bytes) -> tuple[str, bytes]:
    """The route and the payload (PLAINFRAMING-1, PLAINFRAMING-3)."""
    require(data != b"", "malformed", "no bytes at all")
    require(data[0] == VERSION, "unsupported", f"version {data[0]}")
    size = data[1] if len(data) > 1 else 0
    start = 2 + size + 4
    require(size > 0 and len(data) >= start, "malformed", f"{len(data)} bytes with a route of {size}")
    length = int.from_bytes(data[start - 4 : start], "big")
    require(len(data) == start + length, "malformed", f"{len(data)} bytes, expected {start + length}")
    try:
        return data[2 : 2 + size].decode(), data[start:]
    except UnicodeDecodeError:
        raise Refused("malformed", "a route that is not UTF-8") from None
