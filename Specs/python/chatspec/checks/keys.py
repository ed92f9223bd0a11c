"""Files of kinds kdf, xeddsa and intro_bundle: derivations, signatures and links."""

from typing import Callable

from .. import inbox, intro, messages, privatev1, ratchet, xeddsa
from ..primitives import keccak256, public_key
from ..refusal import Refused
from ..texts import read_hex
from .common import NotApplicable, data, demand, expect, expect_fields


# kdf


def check_kdf(case: dict) -> None:
    function, given = case["function"], case["input"]
    if function not in DERIVATIONS:
        raise NotApplicable(f"function {function}")
    for name, label in (("info", INFOS.get(function)), ("person", PERSONALS.get(function))):
        if label is not None and name in case:
            expect(name, label.decode(), case[name])
    inputs = {name: read_hex(value) for name, value in given.items()}
    actual = DERIVATIONS[function](inputs, case.get("info", "").encode())
    expect("output", {k: v.hex() if isinstance(v, bytes) else v for k, v in actual.items()}, case["output"])


def derive_ids(given: dict, info: bytes) -> dict:
    ids = inbox.conversation_ids(given["seed_key"])
    return {"base": ids.base, "initiator": ids.initiator, "responder": ids.responder}


DERIVATIONS: dict[str, Callable[[dict, bytes], dict]] = {
    "kdf_root": lambda given, info: dict(
        zip(("root_key", "chain_key"), ratchet.kdf_root(given["root_key"], given["dh"], info))
    ),
    "kdf_chain": lambda given, info: dict(zip(("chain_key", "message_key"), ratchet.kdf_chain(given["chain_key"]))),
    "kdf_message": lambda given, info: {"aead_key": ratchet.kdf_message(given["message_key"], info)},
    "x3dh_kdf": lambda given, info: {"shared_secret": inbox.shared_secret(given["dh1"], given["dh2"], given["dh3"])},
    "seed_key": lambda given, info: {"seed_key": inbox.seed_key(given["shared_secret"])},
    "conversation_ids": derive_ids,
    "inbox_id": lambda given, info: {"inbox_id": inbox.inbox_id(given["installation_key"])},
    "frame_id": lambda given, info: {"frame_id": privatev1.frame_id(given["encoded_frame"])},
    "keccak256": lambda given, info: {"digest": keccak256(given["data"])},
}


INFOS = {"x3dh_kdf": inbox.HKDF_INFO}  # where a profile has no choice
PERSONALS = {"seed_key": inbox.SEED_PERSONAL, "conversation_ids": inbox.IDS_PERSONAL}


# xeddsa


def check_sign(case: dict) -> None:
    private, message, z = data(case, "private", "message", "z")
    sign_bit = xeddsa.base_point_times(xeddsa.clamp(private))[31] >> 7
    expect_fields(case, public=public_key(private), ed25519_sign_bit_before=sign_bit,
                  signature=xeddsa.sign(private, message, z),
                  signature_unreduced=xeddsa.sign(private, message, z, unreduced=True))
    for signature in data(case, "signature", "signature_unreduced"):
        xeddsa.verify(public_key(private), message, signature)


def check_verify(case: dict) -> None:
    demand(case, lambda: xeddsa.verify(*data(case, "public", "message", "signature")))


# intro_bundle


def check_create(case: dict) -> None:
    identity, ephemeral, z, signature, unreduced = data(
        case, "identity_private", "ephemeral_private", "z", "signature", "signature_unreduced"
    )
    signed = intro.signed_message(public_key(ephemeral))
    bundle = intro.Bundle(public_key(identity), public_key(ephemeral), signature)
    expect_fields(case, installation_key=bundle.installation_key, ephemeral_key=bundle.ephemeral_key,
                  signature=xeddsa.sign(identity, signed, z),
                  signature_unreduced=xeddsa.sign(identity, signed, z, unreduced=True), text=intro.write(bundle),
                  proto=messages.IntroBundle.encode(dict(zip(messages.IntroBundle.by_name, bundle))))
    for variant in (signature, unreduced):
        intro.parse(intro.write(bundle._replace(signature=variant)))


def check_parse(case: dict) -> None:
    def parse() -> intro.Bundle:
        try:
            return intro.parse(case["text"] if "text" in case else read_hex(case["text_hex"]).decode("ascii"))
        except UnicodeDecodeError:
            raise Refused("malformed", "a link that is not ASCII") from None

    if bundle := demand(case, parse):
        expect_fields(case, **bundle._asdict())
