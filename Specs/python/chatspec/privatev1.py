"""PRIVATE1: frames inside the double ratchet, in both profiles (Specs/private-v1.md).

Profile libchat encrypts a frame as it is. Profile reference follows the document: a frame is split into
segments, each segment becomes an SDS message, and each of those is encrypted (PV1-09).
"""

from . import ratchet, sds, segmentation
from .messages import PrivateV1Frame, PrivateV1FrameDocument
from .primitives import blake2b
from .refusal import require

MAX_CONVERSATION_ID = 255  # bytes
SENDER = b"delete"  # what the existing implementation writes; nobody reads it


def frame_id(encoded_frame: bytes) -> str:
    """PV1-08, over the bytes that were sent.

    >>> frame_id(bytes.fromhex("0880d095ffbc31520568656c6c6f"))
    '4ac8d4b701b21fd7afc9fb445c48d21b'
    """
    return blake2b(16, encoded_frame).hex()


def write_frame(conversation_id: str, timestamp_ms: int, content: bytes) -> bytes:
    """A content frame of profile libchat; the conversation id is the sender's own."""
    return PrivateV1Frame.encode(
        {"conversation_id": conversation_id, "sender": SENDER, "timestamp": timestamp_ms, "content": content}
    )


def read_frame(data: bytes) -> bytes | None:
    """The content of a frame of profile libchat. Of a placeholder, and of a kind that is not known, there is none:
    such a frame is taken, and is for the application to hear of (PV1-16, PVL-7). Who sent it and when is not
    looked at (PVL-8), but for the length of the conversation id."""
    fields = PrivateV1Frame.decode(data, without_arms=True)
    size = len(fields.get("conversation_id", "").encode())
    require(size <= MAX_CONVERSATION_ID, "too_large", f"{size} bytes of conversation id, at most {MAX_CONVERSATION_ID}")
    return fields.get("content")


def message_fields(message: ratchet.Message) -> dict:
    """A ratchet message as fields of EncryptedPayload, which is a payload or the opening of an invite."""
    return {
        "doubleratchet": {
            "dh": message.dh, "msgNum": message.number, "prevChainLen": message.previous_chain_length,
            "ciphertext": message.ciphertext,
        }
    }


def read_message(fields: dict) -> ratchet.Message:
    """The reverse, from a decoded EncryptedPayload; `aux` is not read."""
    require("doubleratchet" in fields, "unsupported", "expected a double ratchet message")
    inner = fields["doubleratchet"]
    return ratchet.Message(
        inner.get("dh", b""), inner.get("msgNum", 0), inner.get("prevChainLen", 0), inner.get("ciphertext", b"")
    )


def reference_plaintexts(channel: sds.Channel, timestamp_ms: int, content: bytes, segment_size: int) -> list[bytes]:
    """Profile reference: what is encrypted for one content, a plaintext for each segment. The SDS message id is
    the frame id if there is one segment, else that of each segment, because ids are unique (RC-02)."""
    frame = PrivateV1FrameDocument.encode({"timestamp": timestamp_ms, "content": content})
    segments = segmentation.split(frame, segment_size)
    ids = [frame_id(frame)] if len(segments) == 1 else [frame_id(segment) for segment in segments]
    return [channel.send(timestamp_ms, message_id, segment) for message_id, segment in zip(ids, segments)]
