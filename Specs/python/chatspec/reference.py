"""One client of profile reference, without I/O: links, sealed invites, `private-v1` and salted envelopes.

>>> from .participant import Seeded
>>> saro = ReferenceParticipant(bytes([0x11] * 32), now_ms=1_700_000_000_000, random=Seeded(1))
>>> raya = ReferenceParticipant(bytes([0x22] * 32), now_ms=1_700_000_000_000, random=Seeded(2))
>>> saros_id = saro.initiate(raya.create_intro(), b"hello")
>>> raya.receive(*saro.take_outbound()[0])
True
>>> [event["type"] for event in raya.take_events()]
['conversation_started', 'content']
"""

from typing import Any, NamedTuple

from . import envelope, inbox, intro, privatev1
from .messages import EncryptedPayload
from .participant import Participant, Random, Seeded, exact, key, time
from .primitives import KEY_SIZE, NONCE_SIZE, blake2b, public_key
from .ratchet import REFERENCE, Ratchet
from .refusal import require
from .reliable import Stage, Step
from .texts import read_hex

CONVERSATION_TYPE = "private-v1"
ID_SIZE = 16  # CT-02


class Conversation(NamedTuple):
    """Where its payloads go, whom they name, and what is around and inside the ratchet."""

    address: str
    remote_id: str
    ratchet: Ratchet
    stage: Stage


class ReferenceParticipant(Participant):
    """As `Participant`, with conversations that send again what was lost."""

    state_format = "chatspec-reference/1"

    def __init__(self, identity_private: bytes, now_ms: int, random: Random):
        super().__init__(identity_private, now_ms, random)
        self.inbox_id = inbox.inbox_id(self.installation_key, "reference")
        self.used_keys: set[bytes] = set()  # identifiers, of this run

    @property
    def delivery_addresses(self) -> list[str]:
        """The inbox's (INBOX-11), and one for each conversation (PVR-1)."""
        inboxes = [inbox.delivery_address(self.installation_key)]
        return inboxes + [conversation.address for conversation in self.conversations.values()]

    def pass_time(self, now_ms: int) -> None:
        """Later, some things are sent again and others acknowledged. The clock of a participant never goes back."""
        self.now_ms = max(self.now_ms, now_ms)
        for local_id, conversation in self.conversations.items():
            self._tell(local_id, conversation, conversation.stage.wake(self.now_ms))

    def initiate(self, link: str, content: bytes) -> str:
        """PVR-7: the invite carries the first segment of the first content, the others follow."""
        bundle = intro.find(link)
        ephemeral = self.random("handshake_ephemeral_private", KEY_SIZE)
        remote = bundle.installation_key, bundle.ephemeral_key
        seed = inbox.seed_key(inbox.initiator_secret(self.identity_private, ephemeral, *remote))
        own = self.random("ratchet_private", KEY_SIZE)
        ratchet = Ratchet.initiator(REFERENCE, seed, own, bundle.ephemeral_key)
        local_id, conversation = begin(seed, ratchet, self.now_ms, is_responder=False)
        first, *others = conversation.stage.send(self.now_ms, content)
        frame = inbox.write_frame(CONVERSATION_TYPE, self._seal(conversation, first))
        nonce = self.random("nonce", NONCE_SIZE)
        invite = inbox.seal_invite(self.identity_private, ephemeral, *remote, frame, nonce)
        self.conversations[local_id] = conversation
        route = inbox.inbox_id(bundle.installation_key, "reference")
        self.outbound.append((inbox.delivery_address(bundle.installation_key), self._wrap(route, invite)))
        for message in others:
            self._post(conversation, self._seal(conversation, message))
        return local_id

    def send(self, conversation_id: str, content: bytes) -> None:
        """Queues the payloads of a content."""
        conversation = self.conversations[conversation_id]
        require(conversation.ratchet.remote is not None, "invalid_state", "nothing was received yet")
        for message in conversation.stage.send(self.now_ms, content):
            self._post(conversation, self._seal(conversation, message))

    def receive(self, address: str, payload: bytes) -> bool:
        """Takes an envelope, if it names us on an address of ours (EV1-2)."""
        if address not in self.delivery_addresses:
            return False
        outside = envelope.unwrap(payload)
        routes = [known for known, one in self.conversations.items() if one.address == address]
        if address == inbox.delivery_address(self.installation_key):
            routes.append(self.inbox_id)
        route = envelope.find_route(outside, routes)
        if route is None:
            return False
        fields = EncryptedPayload.decode(outside.payload)
        if route == self.inbox_id:
            self._receive_invite(fields)
        else:
            self._receive_message(route, fields)
        return True

    def _receive_invite(self, fields: dict) -> None:
        keys = self.ephemeral_privates
        wanted = inbox.read_header(fields, "reference")["responder_ephemeral"]
        require(wanted not in self.used_keys, "replay", "its key is used up (IBX-9)")
        remote, seed, frame = inbox.open_sealed_invite(self.identity_private, keys, fields)
        conversation_type, opening = inbox.read_frame(frame, "reference")
        require(conversation_type == CONVERSATION_TYPE, "unsupported", f"conversation type {conversation_type[:64]}")
        used = next(public for public in keys if inbox.key_identifier(public) == wanted)
        ratchet = Ratchet.responder(REFERENCE, seed, keys[used])
        local_id, conversation = begin(seed, ratchet, self.now_ms, is_responder=True)
        message = ratchet.decrypt(privatev1.read_message(EncryptedPayload.decode(opening)))
        require(local_id not in self.conversations, "replay", "the conversation exists")  # CT-03
        step = conversation.stage.begin(self.now_ms, message)
        del keys[used]
        self.used_keys.add(wanted)
        self.conversations[local_id] = conversation
        self._report("conversation_started", local_id, remote_installation_key=remote.hex())
        self._tell(local_id, conversation, step)

    def _receive_message(self, local_id: str, fields: dict) -> None:
        conversation = self.conversations[local_id]
        plaintext = conversation.ratchet.decrypt(privatev1.read_message(fields))
        self._tell(local_id, conversation, conversation.stage.receive(self.now_ms, plaintext))

    def _tell(self, local_id: str, conversation: Conversation, step: Step) -> None:
        for content in step.contents:
            self._report("content", local_id, content=content.hex())
        for message in step.messages:
            self._post(conversation, self._seal(conversation, message))

    def _seal(self, conversation: Conversation, plaintext: bytes) -> bytes:
        message = conversation.ratchet.encrypt(
            plaintext, lambda: self.random("nonce", NONCE_SIZE), lambda: self.random("ratchet_private", KEY_SIZE)
        )
        return EncryptedPayload.encode(privatev1.message_fields(message))

    def _post(self, conversation: Conversation, payload: bytes) -> None:
        self.outbound.append((conversation.address, self._wrap(conversation.remote_id, payload)))

    def _wrap(self, route: str, payload: bytes) -> bytes:
        return envelope.wrap_salted(route, int.from_bytes(self.random("salt", 8), "little"), payload)

    def _saved_conversation(self, conversation: Conversation) -> list:
        return [
            conversation.address, conversation.remote_id, conversation.ratchet.state().hex(),
            b"".join(conversation.ratchet.replaced).hex(), conversation.stage.state(),
        ]

    @classmethod
    def _restored_conversation(cls, saved: list) -> Conversation:
        address, remote_id, ratchet, replaced, stage = saved
        restored = Ratchet.from_state(REFERENCE, read_hex(exact(ratchet, str)))
        restored.replaced = split_keys(read_hex(exact(replaced, str)))
        return Conversation(exact(address, str), exact(remote_id, str), restored, Stage.restore(exact(stage, dict)))


def begin(seed: bytes, ratchet: Ratchet, now: int, is_responder: bool) -> tuple[str, Conversation]:
    """PVR-1, PVR-3: ids, address and names of a conversation, of which the own id is the first."""
    ids = inbox.conversation_ids(seed, ID_SIZE)
    own, peer = (ids.responder, ids.initiator) if is_responder else (ids.initiator, ids.responder)
    stage = Stage(own, peer, ids.base.hex(), now, is_responder, has_filter=True)
    return own, Conversation(delivery_address(ids.base), peer, ratchet, stage)


def delivery_address(base: bytes) -> str:
    """PVR-1, of a conversation."""
    return blake2b(8, b"pv1|addr|", base).hex()


def split_keys(keys: bytes) -> list[bytes]:
    """Keys that were joined."""
    require(len(keys) % KEY_SIZE == 0, "malformed", f"{len(keys)} bytes of replaced keys")
    return [keys[at : at + KEY_SIZE] for at in range(0, len(keys), KEY_SIZE)]
