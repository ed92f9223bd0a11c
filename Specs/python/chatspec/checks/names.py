"""Files of kinds ids and directory: what is derived to name things, and what is published under names."""

from .. import directory, inbox, plain_conversation
from ..primitives import public_key
from .common import NotApplicable, by_operation, data, demand, expect_fields

ID_SIZES = {"libchat": 18, "reference": 16}


def profile_of(case: dict) -> str:
    if case["profile"] not in ID_SIZES:
        raise NotApplicable(f"profile {case['profile']}")
    return case["profile"]


# ids


def check_conversation(case: dict) -> None:
    [seed] = data(case, "seed_key")
    ids = inbox.conversation_ids(seed, ID_SIZES[profile_of(case)])
    expect_fields(case, base=ids.base, initiator=ids.initiator, responder=ids.responder)
    if case["profile"] == "libchat":
        expect_fields(case, address=inbox.DELIVERY_ADDRESS)
    else:
        expect_fields(case, plain_address=plain_conversation.address(seed))


def check_inbox(case: dict) -> None:
    key = public_key(*data(case, "identity_private"))
    is_shared = profile_of(case) == "libchat"
    address = inbox.DELIVERY_ADDRESS if is_shared else inbox.delivery_address(key)
    expect_fields(case, installation_key=key, inbox_id=inbox.inbox_id(key, case["profile"]), address=address)


def check_key(case: dict) -> None:
    expect_fields(case, key_identifier=inbox.key_identifier(*data(case, "ephemeral_key")))


# directory


def check_sign(case: dict) -> None:
    [seed] = data(case, "seed")

    def sign() -> tuple[str, bytes]:
        name = directory.read_name(case["name"])
        bundles = tuple(
            directory.Bundle(bundle["scheme"], *data(bundle, "bytes"), bundle["expiry"], bundle["single_use"])
            for bundle in case["bundles"]
        )
        entry = directory.Entry(name, directory.publisher_key(seed), case["sequence"], case["expiry"], bundles)
        return name, directory.write(entry, seed)

    signed = demand(case, sign)
    if signed is not None:
        name, encoded = signed
        expect_fields(case, publisher=directory.publisher_key(seed), address=directory.address(name), bytes=encoded)


def check_read(case: dict) -> None:
    def read() -> directory.Entry:
        name, publisher = directory.read_text(case["query"])
        return directory.read(*data(case, "bytes"), name, case["now_ms"], publisher)

    entry = demand(case, read)
    if entry is not None:
        bundles = [
            {"scheme": bundle.scheme, "bytes": bundle.data.hex(), "expiry": bundle.expiry,
             "single_use": bundle.single_use}
            for bundle in entry.bundles
        ]
        expect_fields(case, publisher=entry.publisher, sequence=entry.sequence, expiry=entry.expiry, bundles=bundles)


def check_query(case: dict) -> None:
    query = demand(case, lambda: directory.read_text(case["text"]))
    if query is not None:
        name, publisher = query
        expect_fields(case, name=name, address=directory.address(name), publisher=publisher)


KINDS = {
    "ids": by_operation({"conversation": check_conversation, "inbox": check_inbox, "key": check_key}),
    "directory": by_operation({"sign": check_sign, "read": check_read, "query": check_query}),
}
