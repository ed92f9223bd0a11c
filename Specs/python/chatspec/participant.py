"""One client of profile libchat, without I/O: links, InboxV1, PrivateV1 and EnvelopeV1 put together.

>>> saro = Participant(bytes([0x11] * 32), now_ms=1_700_000_000_000, random=Seeded(1))
>>> raya = Participant(bytes([0x22] * 32), now_ms=1_700_000_000_000, random=Seeded(2))
>>> saros_id = saro.initiate(raya.create_intro(), b"hello")
>>> raya.receive(*saro.take_outbound()[0])
True
>>> [event["type"] for event in raya.take_events()]
['conversation_started', 'content']
"""

import json
import os
from typing import Any, Callable, NamedTuple

from . import envelope, inbox, intro, privatev1, xeddsa
from .messages import EncryptedPayload
from .primitives import KEY_SIZE, NONCE_SIZE, blake2b, public_key
from .ratchet import LIBCHAT, Ratchet
from .refusal import Refused, require
from .texts import read_hex

Random = Callable[[str, int], bytes]  # by label, so that vectors can name what they draw

CONVERSATION_TYPES = (inbox.DEFAULT_TYPE, "private-v1-libchat")  # both names of the one there is
STATE_FORMAT = "chatspec-participant/1"


def system_random(label: str, count: int) -> bytes:
    """Random bytes of the operating system."""
    return os.urandom(count)


class Seeded:
    """Reproducible bytes for tests: the n-th draw of a seed. The counter is saved with the state, so that
    a restarted participant repeats no key."""

    def __init__(self, seed: int, drawn: int = 0):
        self.seed, self.drawn = seed, drawn

    def __call__(self, label: str, count: int) -> bytes:
        self.drawn += 1
        return blake2b(count, f"{self.seed}/{self.drawn}/{label}".encode())


class Conversation(NamedTuple):
    """A PrivateV1 conversation: whom its envelopes name, and its ratchet."""

    remote_id: str
    ratchet: Ratchet


class Participant:
    """Identity, outstanding ephemeral keys, conversations by local id, and what waits to be taken."""

    delivery_addresses = [inbox.DELIVERY_ADDRESS]
    state_format = STATE_FORMAT

    def __init__(self, identity_private: bytes, now_ms: int, random: Random = system_random):
        self.identity_private, self.now_ms, self.random = identity_private, now_ms, random
        self.installation_key = public_key(identity_private)
        self.inbox_id = inbox.inbox_id(self.installation_key)
        self.ephemeral_privates: dict[bytes, bytes] = {}  # by public key
        self.conversations: dict[str, Conversation] = {}
        self.outbound: list[tuple[str, bytes]] = []
        self.events: list[dict] = []

    def create_intro(self) -> str:
        """A link for one invite (INBOX-04)."""
        private = self.random("intro_ephemeral_private", KEY_SIZE)
        link = intro.create(self.identity_private, public_key(private), self.random("intro_signature_z", xeddsa.Z_SIZE))
        self.ephemeral_privates[public_key(private)] = private
        return link

    def initiate(self, link: str, content: bytes) -> str:
        """Starts a conversation and queues its invite; returns the local id."""
        bundle = intro.find(link)
        ephemeral = self.random("handshake_ephemeral_private", KEY_SIZE)
        remote = bundle.installation_key, bundle.ephemeral_key
        seed = inbox.seed_key(inbox.initiator_secret(self.identity_private, ephemeral, *remote))
        ids = inbox.conversation_ids(seed)
        own = self.random("ratchet_private", KEY_SIZE)
        conversation = Conversation(ids.responder, Ratchet.initiator(LIBCHAT, seed, own, bundle.ephemeral_key))
        frame = inbox.write_frame(inbox.DEFAULT_TYPE, self._encrypt(ids.initiator, conversation, content))
        self.conversations[ids.initiator] = conversation
        invite = inbox.write_invite(self.identity_private, ephemeral, *remote, frame)
        self._queue(inbox.inbox_id(bundle.installation_key), invite)
        return ids.initiator

    def pass_time(self, now_ms: int) -> None:
        """Sets the clock; nothing happens by itself in this profile."""
        self.now_ms = now_ms

    def send(self, conversation_id: str, content: bytes) -> None:
        """Queues one payload of a conversation; raises `KeyError` if there is no such one."""
        conversation = self.conversations[conversation_id]
        self._queue(conversation.remote_id, self._encrypt(conversation_id, conversation, content))

    def receive(self, address: str, payload: bytes) -> bool:
        """Takes an envelope. False: it is for somebody else (ENV-03). Raises `Refused`, and then nothing changed."""
        if address not in self.delivery_addresses:
            return False
        outside = envelope.unwrap(payload)
        if outside.hint == self.inbox_id:
            self._receive_invite(EncryptedPayload.decode(outside.payload))
        elif outside.hint in self.conversations:
            self._receive_message(outside.hint, EncryptedPayload.decode(outside.payload))
        else:
            return False
        return True

    def take_outbound(self) -> list[tuple[str, bytes]]:
        """Addresses and envelopes that were not taken yet."""
        taken, self.outbound = self.outbound, []
        return taken

    def take_events(self) -> list[dict]:
        """Events that were not taken yet."""
        taken, self.events = self.events, []
        return taken

    def _encrypt(self, local_id: str, conversation: Conversation, content: bytes) -> bytes:
        frame = privatev1.write_frame(local_id, self.now_ms, content)
        message = conversation.ratchet.encrypt(
            frame, lambda: self.random("nonce", NONCE_SIZE), lambda: self.random("ratchet_private", KEY_SIZE)
        )
        return EncryptedPayload.encode(privatev1.message_fields(message))

    def _queue(self, hint: str, payload: bytes) -> None:
        self.outbound.append((inbox.DELIVERY_ADDRESS, envelope.wrap(hint, payload)))

    def _receive_invite(self, fields: dict) -> None:
        """INBOX: the ephemeral key is used up by an opening that decrypts to content, and by nothing less (INIT-6)."""
        keys = self.ephemeral_privates
        header, seed, conversation_type, opening = inbox.open_invite(self.identity_private, keys, fields)
        require(conversation_type in CONVERSATION_TYPES, "unsupported", f"conversation type {conversation_type[:64]}")
        ids = inbox.conversation_ids(seed)
        ratchet = Ratchet.responder(LIBCHAT, seed, keys[header["responder_ephemeral"]])
        message = privatev1.read_message(EncryptedPayload.decode(opening))
        content = privatev1.read_frame(ratchet.decrypt(message))
        require(content is not None, "malformed", "the opening of a conversation is not content")
        require(ids.responder not in self.conversations, "replay", "the conversation exists")  # CT-03
        del keys[header["responder_ephemeral"]]
        self.conversations[ids.responder] = Conversation(ids.initiator, ratchet)
        remote = header["initiator_static"].hex()
        self._report("conversation_started", ids.responder, remote_installation_key=remote)
        self._report("content", ids.responder, content=content.hex())

    def _receive_message(self, local_id: str, fields: dict) -> None:
        conversation = self.conversations[local_id]
        trial = conversation.ratchet.copy()
        content = privatev1.read_frame(trial.decrypt(privatev1.read_message(fields)))
        self.conversations[local_id] = conversation._replace(ratchet=trial)
        if content is not None:
            self._report("content", local_id, content=content.hex())

    def _report(self, kind: str, conversation_id: str, **fields: str) -> None:
        self.events.append({"type": kind, "conversation_id": conversation_id, **fields})

    def save(self) -> bytes:
        """Everything that another process needs to go on."""
        return json.dumps({
            "format": self.state_format,
            "identity_private": self.identity_private.hex(),
            "now_ms": self.now_ms,
            "drawn": self.random.drawn if isinstance(self.random, Seeded) else 0,
            "ephemeral_privates": [private.hex() for private in self.ephemeral_privates.values()],
            "conversations": [
                [local, *self._saved_conversation(conversation)] for local, conversation in self.conversations.items()
            ],
            "outbound": [[address, payload.hex()] for address, payload in self.outbound],
            "events": self.events,
        }, separators=(",", ":")).encode()

    def _saved_conversation(self, conversation: Conversation) -> list:
        ratchet = conversation.ratchet
        return [conversation.remote_id, ratchet.state().hex(), b"".join(ratchet.replaced).hex()]

    @classmethod
    def _restored_conversation(cls, saved: list) -> Conversation:
        remote, ratchet, replaced = saved
        restored = Ratchet.from_state(LIBCHAT, read_hex(exact(ratchet, str)))
        keys = read_hex(exact(replaced, str))
        require(len(keys) % KEY_SIZE == 0, "malformed", f"{len(keys)} bytes of replaced keys")
        restored.replaced = [keys[at : at + KEY_SIZE] for at in range(0, len(keys), KEY_SIZE)]
        return Conversation(read_hex(remote).hex(), restored)

    @classmethod
    def restore(cls, data: bytes, random: Random = system_random) -> "Participant":
        """Reads what `save` wrote; refuses everything else."""
        try:
            state = json.loads(data)
        except (ValueError, RecursionError):
            raise Refused("malformed", "a state that is no JSON") from None
        require(isinstance(state, dict) and isinstance(state.get("format"), str), "malformed", "a state without format")
        require(state["format"] == cls.state_format, "unsupported", "a state of another format")
        try:
            return cls._restored(state, random)
        except (KeyError, TypeError, ValueError) as error:
            raise Refused("malformed", f"a state with a wrong field: {error!r}") from None

    @classmethod
    def _restored(cls, state: dict[str, Any], random: Random) -> "Participant":
        drawn = exact(state["drawn"], int)
        if isinstance(random, Seeded):
            random = Seeded(random.seed, drawn)
        self = cls(key(state["identity_private"]), time(state["now_ms"]), random)
        for private in map(key, exact(state["ephemeral_privates"], list)):
            self.ephemeral_privates[public_key(private)] = private
        for local, *saved in exact(state["conversations"], list):
            self.conversations[read_hex(local).hex()] = cls._restored_conversation(saved)
        self.outbound = [(exact(a, str), read_hex(payload)) for a, payload in exact(state["outbound"], list)]
        self.events = [exact(event, dict) for event in exact(state["events"], list)]
        return self


def exact(value: Any, kind: type) -> Any:
    """A value that has this type and no other (a JSON `true` is no integer)."""
    if type(value) is not kind:
        raise TypeError(f"{type(value).__name__} instead of {kind.__name__}")
    return value


def time(value: Any) -> int:
    """Milliseconds since 1970 that fit a frame's timestamp."""
    if not 0 <= exact(value, int) < 2**63:
        raise ValueError(f"{value} is no time")
    return value


def key(text: Any) -> bytes:
    """32 bytes in hex."""
    data = read_hex(exact(text, str))
    require(len(data) == KEY_SIZE, "malformed", f"a key has {len(data)} bytes, expected {KEY_SIZE}")
    return data
