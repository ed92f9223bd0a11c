"""Files of kind sealed_hop: whole handshakes, and packets under several keys."""

from .. import sealed_hop
from ..primitives import public_key
from ..refusal import Refused, require
from ..texts import read_hex
from .common import by_operation, demand, expect, expect_fields


def data(case: dict, *names: str) -> list[bytes]:
    return [read_hex(case[name]) for name in names]


def check_handshake(case: dict) -> None:
    connection, own, relay, answer = data(case, "client_id", "client_ephemeral", "relay_private", "relay_ephemeral")
    asked, said, cookie, drawn = data(case, "client_parameters", "relay_parameters", "cookie", "nonce")
    client = sealed_hop.Client(connection, public_key(relay), own)
    hello, again = client.hello(asked), client.hello(asked, cookie)
    retry = sealed_hop.retry(hello, public_key(relay), cookie, drawn)
    expect("the cookie", sealed_hop.read_retry(retry, hello, public_key(relay)), cookie)
    welcome, keys = sealed_hop.welcome(relay, again, answer, said)
    expect("the client's keys", client.read_welcome(welcome)[1], keys)
    expect_fields(case, hello=hello, retry=retry, hello_again=again, welcome=welcome, **keys._asdict())


def check_read_hello(case: dict) -> None:
    private, hello = data(case, "relay_private", "bytes")

    def read() -> dict[int, bytes]:
        try:
            return sealed_hop.read_parameters(sealed_hop.read_hello(private, hello)[0])
        except Refused as refusal:
            # The first code is a check of form: who fails it does not know the relay.
            raise Refused("malformed", str(refusal)) from None

    found = demand(case, read)
    if found is not None:
        expect_fields(
            case, client_id=hello[2:10], versions=found[sealed_hop.VERSIONS],
            window=int.from_bytes(found[sealed_hop.WINDOW]), largest_datagram=int.from_bytes(found[sealed_hop.LARGEST]))


def check_read_retry(case: dict) -> None:
    hello, retry, relay = data(case, "hello", "bytes", "relay_key")

    def read() -> bytes:
        try:
            return sealed_hop.read_retry(retry, hello, relay)
        except Refused as refusal:
            raise Refused("malformed", str(refusal)) from None

    cookie = demand(case, read)
    if cookie is not None:
        expect_fields(case, cookie=cookie)


def check_read_welcome(case: dict) -> None:
    connection, own, relay, asked, welcome = data(
        case, "client_id", "client_ephemeral", "relay_key", "client_parameters", "bytes")
    client = sealed_hop.Client(connection, relay, own)
    client.hello(asked)
    said = demand(case, lambda: sealed_hop.read_parameters(client.read_welcome(welcome)[0]))
    if said is None:
        return
    if refusal := said.get(sealed_hop.REFUSAL):
        expect_fields(case, refused=refusal[0], milliseconds=int.from_bytes(refusal[1:]))
    else:
        limits = said[sealed_hop.LIMITS]
        expect_fields(
            case, relay_id=said[sealed_hop.ID], token=said[sealed_hop.TOKEN], epoch=int.from_bytes(limits[:8]))


def check_seal_packet(case: dict) -> None:
    key, root, connection, frames = data(case, "key", "root", "connection_id", "frames")
    exchanges = list(map(read_hex, case["exchanges"]))
    expect_fields(case, bytes=sealed_hop.packet(
        sealed_hop.key_after(key, exchanges), sealed_hop.mask_key(root, case["direction"]), connection,
        len(exchanges), case["number"], frames))


def check_open_packet(case: dict) -> None:
    key, root, packet = data(case, "key", "root", "bytes")
    exchanges = list(map(read_hex, case["exchanges"]))
    masking = sealed_hop.mask_key(root, case["direction"])

    def read() -> tuple[int, int, bytes]:
        require(len(packet) >= 35, "malformed", "too short")
        for generation in range(len(exchanges) + 1):
            known = sealed_hop.key_after(key, exchanges[:generation])
            try:
                number, frames = sealed_hop.read_packet({0: known, 1: known}, masking, packet)
                return number, generation, frames
            except Refused as error:
                refusal = error
        raise refusal

    opened = demand(case, read)
    if opened is not None:
        expect_fields(case, number=opened[0], generation=opened[1], frames=opened[2])


def check_reset_token(case: dict) -> None:
    expect_fields(case, token=sealed_hop.reset_token(*data(case, "connection_id", "relay_private")))


KINDS = {
    "sealed_hop": by_operation({
        "handshake": check_handshake, "read_hello": check_read_hello, "read_retry": check_read_retry,
        "read_welcome": check_read_welcome, "seal_packet": check_seal_packet, "open_packet": check_open_packet,
        "reset_token": check_reset_token,
    })
}
