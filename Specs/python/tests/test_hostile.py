"""Hostile bytes: every decoder returns a value or refuses, and who refuses is as before. Seeded."""

import random
import unittest
from typing import Any, Callable

from chatspec import (
    directory, envelope, inbox, intro, messages, open_invite, plain_conversation, plain_framing, rpi, sds, segmentation, udp,
    udp_messages,
)
from chatspec.participant import Participant, Seeded
from chatspec.primitives import public_key
from chatspec.ratchet import LIBCHAT, Message, Ratchet
from chatspec.refusal import Refused
from chatspec.texts import read_base64url, read_hex

INPUTS = 3_000  # for each decoder
NOW = 1_700_000_000_000


class Hostile(unittest.TestCase):
    def setUp(self):
        self.chance = random.Random(1)
        self.saro, self.raya = (Participant(bytes([n] * 32), NOW, Seeded(n)) for n in (1, 2))

    def talk(self) -> tuple[str, bytes, bytes]:
        """A link, its invite, and a payload that follows the invite."""
        link = self.raya.create_intro()
        saros_id = self.saro.initiate(link, b"hello")
        self.saro.send(saros_id, b"more")
        [(_, invite), (_, message)] = self.saro.take_outbound()
        return link, invite, message

    def hostile(self, sample: bytes) -> bytes:
        """Random, truncated, or with a few bytes changed, put in or left out."""
        kind = self.chance.randrange(4)
        if kind == 0:
            return self.chance.randbytes(self.chance.randrange(80))
        if kind == 1:
            return sample[: self.chance.randrange(len(sample) + 1)]
        changed = bytearray(sample)
        for _ in range(self.chance.randrange(1, 4)):
            at = self.chance.randrange(len(changed) + 1)
            changed[at : at + self.chance.randrange(2)] = self.chance.randbytes(self.chance.randrange(3))
        return bytes(changed)

    def attack(self, sample: bytes, decoder: Callable[[bytes], Any], count: int = INPUTS) -> int:
        """How many inputs were refused; anything but a value or a refusal ends the test."""
        refused = 0
        for _ in range(count):
            data = self.hostile(sample)
            try:
                decoder(data)
            except Refused:
                refused += 1
            except Exception as error:
                self.fail(f"{type(error).__name__} {error} of {data.hex()}")
        self.assertGreater(refused, 0)
        return refused

    def test_messages(self):
        _, invite, _ = self.talk()
        samples = {messages.EnvelopeV1: invite, messages.EncryptedPayload: envelope.unwrap(invite).payload}
        of_all_kinds = bytes.fromhex("0a0161" "1205080a120161" "1801" "220162" "5007" "5a030a0161" "62017a")
        for layout in messages.ALL.values():
            sample = samples.get(layout, of_all_kinds)
            with self.subTest(layout=layout.name):
                self.attack(sample, layout.decode)

    def test_texts_and_links(self):
        link, _, _ = self.talk()
        for name, sample, decoder in (
            ("hex", b"00ff00ff", read_hex),
            ("base64url", b"AAAA-_8", read_base64url),
            ("link", link.encode(), intro.find),
            ("directory", directory.write_text("raya", bytes(32)).encode(), directory.read_text),
        ):
            with self.subTest(decoder=name):
                self.attack(sample, lambda data: decoder(data.decode("latin-1")))

    def test_framings_and_entries(self):
        bundles = (directory.Bundle("x", b"y"),)
        entry = directory.Entry("raya", directory.publisher_key(bytes(32)), NOW, NOW + 1, bundles)
        signed = directory.write(entry, bytes(32))
        self.attack(envelope.wrap("route", b"payload"), envelope.unwrap)
        self.attack(plain_framing.wrap("route", b"payload"), plain_framing.unwrap)
        here = [{"route": "r", "secret": bytes(32), "lowest_wanted": 0, "highest_seen": None}]
        sample = rpi.wrap("a", "r", bytes(32), 1, b"payload", is_first_contact=False)
        self.attack(sample, lambda data: rpi.unwrap("a", here, data, is_first_contact=False))
        self.attack(open_invite.write_invite("plain", bytes(32), b"x"), open_invite.read_invite)
        self.attack(open_invite.write_bundle(bytes(16), NOW), lambda data: open_invite.read_bundle(data, 0))
        self.attack(plain_conversation.write(1, b"content"), plain_conversation.Receiver().receive)
        self.attack(signed, lambda data: self.assertEqual(directory.read(data, "raya", NOW), entry))

    def test_datagrams(self):
        publish = udp_messages.write_request(udp_messages.Publish(bytes(16), "hall", "", b"x"))
        results = udp_messages.write_answer(udp_messages.Results((udp_messages.Result(0, 0, 1),)))
        frames = (udp.Ack(0, ((5, 6), (1, 2))), udp.Ping(), *udp.cut(2, 1, publish))
        self.attack(udp.write(udp.Data(bytes(8), 1, frames)), udp.read)
        for datagram in (udp.Hello(bytes(8), 1, b"x"), udp.Challenge(bytes(8), b"x"), udp.Reset(bytes(8), 3, b"\1")):
            self.attack(udp.write(datagram), udp.read, count=1000)
        self.attack(publish, udp_messages.read_request)
        self.attack(results, udp_messages.read_answer)
        deliver = udp_messages.write_answer(udp_messages.Deliver(1, 2, bytes(16), "r", b"x"))
        self.attack(deliver, udp_messages.read_answer)

    def test_segments_and_sds(self):
        segments = segmentation.split(bytes(20), 7)
        for segment in segments:
            reassembler = segmentation.Reassembler()
            self.attack(segment, lambda data: self.assertIsNone(reassembler.receive(data)))
            self.assertLessEqual(len(reassembler.incomplete), segmentation.MAX_SETS)
        for segment in segmentation.split(bytes(100), 64, 500_000):
            self.attack(segment, segmentation.read_segment)
            self.attack(segment, segmentation.Reassembler().receive, count=500)
        saro, raya = sds.Channel("c", "saro"), sds.Channel("c", "raya")
        saro.send(NOW, "a1", b"1")
        self.attack(saro.send(NOW, "a2", b"2"), raya.receive)
        self.assertLessEqual(len(raya.waiting), sds.MAX_WAITING)

    def test_payloads_that_are_refused_change_nothing(self):
        """An invite of profile libchat is partly unprotected, so some that were changed are accepted: with the
        content that Saro wrote."""
        _, invite, message = self.talk()
        self.attack_participant(self.raya, invite, b"hello")
        self.attack_participant(self.raya, message, b"more")
        self.raya.send(next(iter(self.raya.conversations)), b"answer")
        [(_, answer)] = self.raya.take_outbound()
        self.attack_participant(self.saro, answer, b"answer")

    def attack_participant(self, participant: Participant, sample: bytes, content: bytes) -> None:
        """Each input meets the participant as it is; at last it receives the sample."""
        before = participant.save()

        def receive(data: bytes) -> None:
            trial = Participant.restore(before, Seeded(3))
            try:
                accepted = trial.receive("delivery_address", data)
            except Refused:
                self.assertEqual(trial.save(), before)
                raise
            if accepted:
                self.assertEqual(trial.take_events()[-1]["content"], content.hex())
            else:
                self.assertEqual(trial.save(), before)

        self.attack(sample, receive, count=1500)
        self.assertTrue(participant.receive("delivery_address", sample))
        participant.take_events()

    def test_every_header_of_a_ratchet(self):
        """Ratchet keys that both sides know, and numbers at all edges, in all states of both."""
        prekey, own = bytes([0x33] * 32), bytes([0x55] * 32)
        saro = Ratchet.initiator(LIBCHAT, bytes(32), own, public_key(prekey))
        raya = Ratchet.responder(LIBCHAT, bytes(32), prekey)
        for step in range(6):
            for peer in (saro, raya):
                for dh in (public_key(prekey), public_key(own), peer.remote or b"", *peer.replaced, bytes(32), b"x"):
                    for number in (0, 1, 10, 11, 2**32 - 1):
                        for previous in (0, 1, 11, 2**32 - 1):
                            before = peer.copy()
                            self.assertRaises(Refused, peer.decrypt, Message(dh, number, previous, bytes(28)))
                            self.assertEqual(peer, before)
            sender, receiver = (saro, raya) if step % 2 == 0 else (raya, saro)
            receiver.decrypt(sender.encrypt(b"", bytes(12), lambda: bytes([step] * 32)))

    def test_sealed_invites(self):
        prekey, raya = bytes([0x33] * 32), bytes([2] * 32)
        keys = {public_key(prekey): prekey}
        frame = inbox.write_frame("private-v1", b"opening")
        sender = bytes([1] * 32), bytes([4] * 32)
        invite = inbox.seal_invite(*sender, public_key(raya), public_key(prekey), frame, bytes(12))

        def receive(data: bytes) -> None:
            *_, opened = inbox.open_sealed_invite(raya, keys, messages.EncryptedPayload.decode(data))
            self.assertEqual(opened, frame)

        self.attack(invite, receive)
        self.attack(frame, inbox.read_frame)

    def test_states(self):
        """A state that is taken back can be used: nothing fails later that should have been refused here."""
        link, invite, message = self.talk()
        self.raya.receive("delivery_address", invite)
        self.raya.send(next(iter(self.raya.conversations)), b"answer")

        def restore(data: bytes) -> None:
            raya = Participant.restore(data, Seeded(2))
            for conversation_id in raya.conversations:
                raya.send(conversation_id, b"x")
            raya.take_outbound(), raya.take_events(), raya.save()
            raya.receive("delivery_address", message)

        self.attack(self.raya.save(), restore, count=2000)
        state = next(iter(self.raya.conversations.values())).ratchet.state()
        self.attack(state, lambda data: Ratchet.from_state(LIBCHAT, data))


if __name__ == "__main__":
    unittest.main()
