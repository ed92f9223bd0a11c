"""UDP (Specs/udp.md): the bytes of datagrams and frames, not their timing. Messages are in `udp_messages`.

>>> [frame] = cut(0, 0, b"message")
>>> datagram = write(Data(bytes(8), 7, (Ping(), frame)))
>>> len(datagram), read(datagram) == Data(bytes(8), 7, (Ping(), frame))
(45, True)
"""

from typing import NamedTuple

from .refusal import Refused, require

VERSION = 1
MAX_DATAGRAM, FRAGMENT = 1200, 1120
MAX_COOKIE, MAX_RANGES, MAX_PAYLOAD = 64, 16, 16_777_216
HELLO, CHALLENGE, WELCOME, RESET, DATA = 1, 2, 3, 4, 5
WELCOME_SIZES = (8, 4, 4, 4, 4, 4, 4, 8, 8)
PADDING, PING, ACK, MESSAGE = 0, 1, 2, 3


class Hello(NamedTuple):
    session: bytes
    window: int
    cookie: bytes = b""


class Challenge(NamedTuple):
    session: bytes
    cookie: bytes


class Welcome(NamedTuple):
    """Numbers in the order of the wire; times in milliseconds."""

    session: bytes
    epoch: int
    largest_payload: int
    window: int
    idle: int
    quota: int
    quota_time: int
    kept_payloads: int
    kept_bytes: int
    kept_time: int


class Reset(NamedTuple):
    session: bytes
    reason: int
    versions: bytes = b""


class Ping(NamedTuple):
    pass


class Ack(NamedTuple):
    """Ranges of packet numbers, newest first, both ends included."""

    delay: int
    ranges: tuple[tuple[int, int], ...]


class Fragment(NamedTuple):
    """A part of a message."""

    number: int
    distance: int
    size: int
    index: int
    data: bytes


Frame = Ping | Ack | Fragment


class Data(NamedTuple):
    session: bytes
    packet: int
    frames: tuple[Frame, ...]


Datagram = Hello | Challenge | Welcome | Reset | Data


def u(size: int, number: int) -> bytes:
    """A big-endian number of that many bytes."""
    return number.to_bytes(size, "big")


def bytes8(data: bytes) -> bytes:
    """A length of one byte in front: cookies, and texts as UTF-8."""
    return u(1, len(data)) + data


class Reader:
    """Takes fields from the front of bytes; refuses when they end."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        require(count <= self.left, "malformed", f"{count} bytes expected at byte {self.at}, there are {self.left}")
        self.at += count
        return self.data[self.at - count : self.at]

    def u(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def bytes8(self, limit: int = 255) -> bytes:
        count = self.u(1)
        require(count <= limit, "malformed", f"{count} bytes at byte {self.at}, at most {limit}")
        return self.take(count)

    def text8(self) -> str:
        try:
            return self.bytes8().decode()
        except UnicodeDecodeError:
            raise Refused("malformed", f"a text before byte {self.at} is not UTF-8") from None

    def rest(self) -> bytes:
        return self.take(self.left)

    def finish(self) -> None:
        require(self.left == 0, "malformed", f"{self.left} bytes too many")


def write(datagram: Datagram) -> bytes:
    """A datagram, without extensions; HELLO and WELCOME fill the largest one (UDP-1)."""
    kind = {Hello: HELLO, Challenge: CHALLENGE, Welcome: WELCOME, Reset: RESET, Data: DATA}[type(datagram)]
    head = u(1, VERSION) + u(1, kind) + datagram.session
    match datagram:
        case Hello(_, window, cookie):
            return (head + u(4, window) + bytes8(cookie)).ljust(MAX_DATAGRAM, b"\0")
        case Challenge(_, cookie):
            return head + bytes8(cookie)
        case Welcome():
            fields = (u(size, number) for size, number in zip(WELCOME_SIZES, datagram[1:]))
            return (head + b"".join(fields)).ljust(MAX_DATAGRAM, b"\0")
        case Reset(_, reason, versions):
            return head + u(1, reason) + bytes8(versions)
        case Data(_, packet, frames):
            return head + u(8, packet) + b"".join(map(write_frame, frames))


def read(data: bytes) -> Datagram:
    """Reads a datagram. Another version is unsupported (UDP-2); of DATA, anything that does not decode refuses
    the whole packet (UDP-7)."""
    require(len(data) <= MAX_DATAGRAM, "too_large", f"a datagram has {len(data)} bytes, at most {MAX_DATAGRAM}")
    reader = Reader(data)
    version, kind, session = reader.u(1), reader.u(1), reader.take(8)
    require(version == VERSION, "unsupported", f"version {version}")
    match kind:
        case 1:  # HELLO
            require(len(data) == MAX_DATAGRAM, "malformed", f"a HELLO has {len(data)} bytes, not {MAX_DATAGRAM}")
            hello = Hello(session, reader.u(4), reader.bytes8(MAX_COOKIE))
            skip_extensions(reader)
            return hello
        case 2:  # CHALLENGE
            challenge = Challenge(session, reader.bytes8(MAX_COOKIE))
            require(challenge.cookie != b"", "malformed", "a CHALLENGE without cookie")
            reader.finish()
            return challenge
        case 3:  # WELCOME
            welcome = Welcome(session, *(reader.u(size) for size in WELCOME_SIZES))
            require(1 <= welcome.largest_payload <= MAX_PAYLOAD, "malformed", f"payloads of {welcome.largest_payload}")
            skip_extensions(reader)
            return welcome
        case 4:  # RESET
            reason = reader.u(1) if reader.left else 0  # whatever its body says, the session is over (UDP-6)
            try:
                return Reset(session, reason, reader.bytes8())
            except Refused:
                return Reset(session, reason, b"")
        case 5:  # DATA
            packet, frames = reader.u(8), []
            while reader.left:
                frames.append(read_frame(reader))
            return Data(session, packet, tuple(frame for frame in frames if frame is not None))
    raise Refused("unsupported", f"kind {kind}")


def skip_extensions(reader: Reader) -> None:
    """There are none in version 1; type 0, and so the zeros behind them, end them."""
    while reader.left and reader.u(2) != 0:
        reader.take(reader.u(2))


def write_frame(frame: Frame) -> bytes:
    """PING, ACK and MESSAGE."""
    match frame:
        case Ping():
            return u(1, PING)
        case Ack(delay, ranges):
            ends = b"".join(u(8, first) + u(8, last) for first, last in ranges)
            return u(1, ACK) + u(4, delay) + u(1, len(ranges)) + ends
        case Fragment(number, distance, size, index, data):
            return u(1, MESSAGE) + u(8, number) + u(4, distance) + u(4, size) + u(2, index) + data


def read_frame(reader: Reader) -> Frame | None:
    """The next frame of a packet; nothing for a byte of padding."""
    code = reader.u(1)
    if code == PADDING:
        return None
    if code == PING:
        return Ping()
    if code == ACK:
        return read_ack(reader)
    require(code == MESSAGE, "malformed", f"frame {code} at byte {reader.at - 1}")
    number, distance, size, index = reader.u(8), reader.u(4), reader.u(4), reader.u(2)
    require(distance <= number, "malformed", f"message {number} waits for one {distance} before it")
    require(index * FRAGMENT < size, "malformed", f"fragment {index} of a message of {size} bytes")
    return Fragment(number, distance, size, index, reader.take(min(FRAGMENT, size - index * FRAGMENT)))


def read_ack(reader: Reader) -> Ack:
    """Ranges that go down and do not touch."""
    delay, count = reader.u(4), reader.u(1)
    require(1 <= count <= MAX_RANGES, "malformed", f"{count} ranges, 1 to {MAX_RANGES} expected")
    ranges: list[tuple[int, int]] = []
    for _ in range(count):
        first, last = reader.u(8), reader.u(8)
        require(first <= last, "malformed", f"packets {first} to {last}")
        require(not ranges or last + 1 < ranges[-1][0], "malformed", f"packets up to {last} touch the range before")
        ranges.append((first, last))
    return Ack(delay, tuple(ranges))


def cut(number: int, distance: int, message: bytes) -> list[Fragment]:
    """The fragments of a message (UDP-9)."""
    starts = range(0, len(message), FRAGMENT)
    return [
        Fragment(number, distance, len(message), index, message[start : start + FRAGMENT])
        for index, start in enumerate(starts)
    ]
