"""Messages between a client and a relay (Specs/udp.md, "Messages").

>>> publish = Publish(bytes(16), "hall", "", bytes.fromhex("cafe"))
>>> write_request(publish).hex()
'01000000000000000000000000000000000468616c6c00cafe'
>>> read_request(write_request(publish)) == publish
True
"""

from typing import NamedTuple

from .refusal import require
from .udp import Reader, bytes8, u

MAX_RESULTS = 44
PUBLISH, SUBSCRIBE, UNSUBSCRIBE, RESULTS, DELIVER, GONE = 0x01, 0x02, 0x03, 0x81, 0x82, 0x83


class Publish(NamedTuple):
    payload_id: bytes
    address: str
    reply_address: str
    payload: bytes


class Subscribe(NamedTuple):
    subscription: int
    since: int
    epoch: int
    sequence: int
    address: str


class Unsubscribe(NamedTuple):
    subscription: int


class Result(NamedTuple):
    request: int
    code: int
    first: int = 0
    second: int = 0


class Results(NamedTuple):
    results: tuple[Result, ...]


class Deliver(NamedTuple):
    subscription: int
    sequence: int
    payload_id: bytes
    reply_address: str
    payload: bytes


class Gone(NamedTuple):
    subscription: int
    sequence: int


Request = Publish | Subscribe | Unsubscribe
Answer = Results | Deliver | Gone


def write_request(request: Request) -> bytes:
    """Client to relay."""
    match request:
        case Publish(payload_id, address, reply_address, payload):
            texts = bytes8(address.encode()) + bytes8(reply_address.encode())
            return u(1, PUBLISH) + payload_id + texts + payload
        case Subscribe(subscription, since, epoch, sequence, address):
            numbers = u(4, subscription) + u(1, since) + u(8, epoch) + u(8, sequence)
            return u(1, SUBSCRIBE) + numbers + bytes8(address.encode())
        case Unsubscribe(subscription):
            return u(1, UNSUBSCRIBE) + u(4, subscription)


def read_request(data: bytes) -> Request:
    """What a relay reads; it answers what is refused here with code 5 (UDP-15)."""
    reader = Reader(data)
    code = reader.u(1)
    if code == PUBLISH:
        return Publish(reader.take(16), reader.text8(), reader.text8(), reader.rest())
    if code == SUBSCRIBE:
        subscribe = Subscribe(reader.u(4), reader.u(1), reader.u(8), reader.u(8), reader.text8())
        reader.finish()
        require(subscribe.since <= 2, "malformed", f"since {subscribe.since}")
        return subscribe
    require(code == UNSUBSCRIBE, "unsupported", f"request {code:02x}")
    unsubscribe = Unsubscribe(reader.u(4))
    reader.finish()
    return unsubscribe


def write_answer(answer: Answer) -> bytes:
    """Relay to client."""
    match answer:
        case Results(results):
            sizes = 8, 1, 8, 8
            return u(1, RESULTS) + b"".join(u(size, n) for result in results for size, n in zip(sizes, result))
        case Deliver(subscription, sequence, payload_id, reply_address, payload):
            head = u(1, DELIVER) + u(4, subscription) + u(8, sequence) + payload_id
            return head + bytes8(reply_address.encode()) + payload
        case Gone(subscription, sequence):
            return u(1, GONE) + u(4, subscription) + u(8, sequence)


def read_answer(data: bytes) -> Answer:
    """What a client reads."""
    reader = Reader(data)
    code = reader.u(1)
    if code == RESULTS:
        require(reader.left > 0 and reader.left % 25 == 0, "malformed", f"{reader.left} bytes of results of 25 each")
        require(reader.left <= 25 * MAX_RESULTS, "malformed", f"{reader.left // 25} results, at most {MAX_RESULTS}")
        count = reader.left // 25
        return Results(tuple(Result(reader.u(8), reader.u(1), reader.u(8), reader.u(8)) for _ in range(count)))
    if code == DELIVER:
        return Deliver(reader.u(4), reader.u(8), reader.take(16), reader.text8(), reader.rest())
    require(code == GONE, "unsupported", f"answer {code:02x}")
    gone = Gone(reader.u(4), reader.u(8))
    reader.finish()
    return gone
