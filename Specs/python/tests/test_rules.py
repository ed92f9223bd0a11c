"""Rules that no vector here shows: the bad cases of each document, with the reason for which they are refused."""

import random
import unittest
from typing import Any, Callable

from chatspec import (
    content, directory, envelope, inbox, intro, member, messages, open_invite, parity, plain_conversation,
    plain_framing, privatev1, ratchet, rpi, sds, segmentation, udp, udp_messages,
)
from chatspec.messages import EncryptedPayload
from chatspec.participant import Participant, Seeded
from chatspec.primitives import public_key
from chatspec.refusal import Refused
from chatspec.texts import write_base64url

NOW = 1_700_000_000_000
PREKEY = bytes([0x33] * 32)


class RulesTest(unittest.TestCase):
    def refuse(self, code: str, operation: Callable, *arguments: Any, **named: Any):
        with self.subTest(arguments=arguments):
            with self.assertRaises(Refused) as refusal:
                operation(*arguments, **named)
            self.assertEqual(refusal.exception.code, code, refusal.exception)


class Links(RulesTest):
    def test_forms(self):
        link = intro.create(bytes([7] * 32), public_key(PREKEY), bytes(64))
        payload = link.removeprefix(intro.PREFIX)
        for version in ("01", "", "+1", "1.0", "11111111111", "¹"):
            self.refuse("malformed", intro.parse, f"logos_chatintro_{version}_{payload}")
        for start in ("logos_chatintro_2_", "logos_other_1_", "logos_chatintro_4294967296_"):
            self.refuse("unsupported", intro.parse, start + payload)
        for text in ("", "logos", "logos_chatintro_1", "logos_chatintro_1_", "logos__1_" + payload, "Logos" + link[5:],
                     "logos_ä_1_" + payload, f"logos_{'x' * 33}_1_{payload}", link + "=", link + "\n", " " + link,
                     link[:30] + " " + link[31:], link[:-1] + "+"):
            self.refuse("malformed", intro.parse, text)
        self.refuse("too_large", intro.parse, intro.PREFIX + "A" * 8192)
        self.assertEqual(intro.find(f"\t{link}\n"), intro.parse(link))

    def test_sizes(self):
        good = {"installation_pubkey": bytes(32), "ephemeral_pubkey": bytes(32), "signature": bytes(64)}
        for name, value in good.items():
            for wrong in (value[:-1], value + b"\0", b""):
                encoded = messages.IntroBundle.encode(good | {name: wrong})
                self.refuse("malformed", intro.parse, intro.PREFIX + write_base64url(encoded))


class Framings(RulesTest):
    def test_private_identifiers(self):
        secret = bytes(32)
        self.refuse("unsupported", rpi.wrap, "a", "r", None, 1, b"", is_first_contact=False)
        self.refuse("malformed", rpi.wrap, "a", "", secret, 1, b"", is_first_contact=False)
        self.refuse("malformed", rpi.unwrap, "a", [], bytes(15), is_first_contact=False)
        here = {"route": "r", "secret": secret, "lowest_wanted": 5, "highest_seen": 20}
        for sequence in (5, 20, 21, 25, 5_000, 2**54):
            data = rpi.wrap("a", "r", secret, sequence, b"x", is_first_contact=False)
            self.assertEqual(rpi.unwrap("a", [here], data, is_first_contact=False), (here, sequence, b"x"))
            self.assertIsNone(rpi.unwrap("b", [here], data, is_first_contact=False))
        for sequence in (1, 4, 2**62 + 1):
            data = rpi.wrap("a", "r", secret, sequence, b"x", is_first_contact=False)
            self.assertIsNone(rpi.unwrap("a", [here], data, is_first_contact=False))

    def test_plain_framing(self):
        for data in ("", "01", "0100", "010000000000", "0101", "010161", "01016100000001", "0101610000000061",
                     "0101ff00000000"):
            self.refuse("malformed", plain_framing.unwrap, bytes.fromhex(data))
        self.refuse("unsupported", plain_framing.unwrap, b"\x02")
        self.refuse("malformed", plain_framing.wrap, "", b"")
        self.refuse("malformed", plain_framing.wrap, "ä" * 128, b"")
        self.assertEqual(plain_framing.unwrap(plain_framing.wrap("x" * 255, b"")), ("x" * 255, b""))

    def test_hints(self):
        wrapped = envelope.unwrap(envelope.wrap_salted("one", 2**64 - 1, b""))
        self.assertEqual(envelope.find_route(wrapped, ["two", "one"]), "one")
        self.assertIsNone(envelope.find_route(wrapped._replace(salt=1), ["one", "two"]))
        self.assertIsNone(envelope.find_route(envelope.unwrap(b""), ["one"]))

    def test_a_hint_longer_than_any_route_is_nobodys_ev1_3(self):
        for hint in (b"x" * 256, b"\xff" * 256):
            self.assertEqual(envelope.unwrap(envelope.UNREAD.encode({"conversation_hint": hint})).hint, "")
        self.refuse("malformed", envelope.unwrap, envelope.UNREAD.encode({"conversation_hint": b"\xff" * 255}))

    def test_the_older_layout_has_an_empty_payload(self):
        older = messages.EnvelopeV1Document.encode({"conversation_hint": "one", "payload": b"x"})
        self.assertEqual(envelope.unwrap(older), envelope.Envelope("one", 0, b""))

    def test_content_frames(self):
        self.refuse("malformed", content.write, 0, 1, b"")
        self.refuse("malformed", content.write, 1, 0, b"")
        self.assertEqual(content.read(content.write(1, 5, b"")), {"domain_id": 1, "tag": 5})


class Ratchets(RulesTest):
    def setUp(self):
        seed = bytes([9] * 32)
        self.saro = ratchet.Ratchet.initiator(ratchet.LIBCHAT, seed, bytes([0x55] * 32), public_key(PREKEY))
        self.raya = ratchet.Ratchet.responder(ratchet.LIBCHAT, seed, PREKEY)

    def send(self, count: int = 1) -> list[ratchet.Message]:
        return [self.saro.encrypt(b"x", bytes(12)) for _ in range(count)]

    def test_headers(self):
        [message] = self.send()
        for changed, code in (
            ({"previous_chain_length": 1}, "invalid_header"), ({"previous_chain_length": 11}, "too_many_skipped"),
            ({"number": 11}, "too_many_skipped"), ({"number": 2**32 - 1}, "too_many_skipped"),
            ({"number": 10}, "authentication_failed"), ({"dh": bytes(32)}, "weak_key"), ({"dh": b""}, "invalid_header"),
            ({"dh": public_key(PREKEY)}, "authentication_failed"), ({"ciphertext": bytes(27)}, "malformed"),
        ):
            before = self.raya.state()
            self.refuse(code, self.raya.decrypt, message._replace(**changed))
            self.assertEqual(self.raya.state(), before)
        self.assertEqual(self.raya.decrypt(message), b"x")

    def test_a_key_that_has_not_sent_anything_dr_6(self):
        [message] = self.send()
        self.refuse("invalid_header", self.saro.decrypt, message._replace(dh=public_key(PREKEY)))

    def test_a_chain_that_was_replaced_dr_9(self):
        repeated = self.send()[0]
        self.raya.decrypt(repeated)
        for turn in range(1, ratchet.MAX_REPLACED + 2):
            own, other = (self.raya, self.saro) if turn % 2 else (self.saro, self.raya)
            other.decrypt(own.encrypt(b"x", bytes(12), lambda: bytes([turn] * 32)))
        self.refuse("replay", self.raya.decrypt, repeated)
        for turn in range(2 * ratchet.MAX_REPLACED):
            own, other = (self.saro, self.raya) if turn % 2 else (self.raya, self.saro)
            other.decrypt(own.encrypt(b"x", bytes(12), lambda: bytes([100 + turn] * 32)))
        self.refuse("authentication_failed", self.raya.decrypt, repeated)

    def test_ten_may_be_skipped_in_each_chain(self):
        chain = self.send(12)
        self.refuse("too_many_skipped", self.raya.decrypt, chain[11])
        self.raya.decrypt(chain[0])
        self.raya.decrypt(chain[11])
        self.assertEqual(len(self.raya.skipped), 10)
        self.refuse("replay", self.raya.decrypt, chain[11])
        self.raya.decrypt(chain[5])
        self.refuse("replay", self.raya.decrypt, chain[5])

    def test_a_long_gap_keeps_the_last_keys_dr_7(self):
        suite, seed = ratchet.REFERENCE._replace(max_skip=3, max_ahead=8), bytes([9] * 32)
        self.saro = ratchet.Ratchet.initiator(suite, seed, bytes([0x55] * 32), public_key(PREKEY))
        self.raya = ratchet.Ratchet.responder(suite, seed, PREKEY)
        chain = self.send(20)
        self.refuse("too_many_skipped", self.raya.decrypt, chain[9])
        self.raya.decrypt(chain[8])
        self.assertEqual(sorted(number for _, number in self.raya.skipped), [5, 6, 7])

    def test_the_number_of_kept_keys_is_bounded(self):
        for _ in range(ratchet.MAX_STORED_KEYS // 10 + 2):
            self.raya.decrypt(self.send(11)[10])
        self.assertEqual(len(self.raya.skipped), ratchet.MAX_STORED_KEYS)

    def test_a_responder_cannot_speak_first(self):
        self.refuse("invalid_state", self.raya.encrypt, b"x", bytes(12))

    def test_message_numbers_end(self):
        self.saro.sent = ratchet.MAX_COUNTER
        self.refuse("invalid_state", self.saro.encrypt, b"x", bytes(12))

    def test_states(self):
        state = self.raya.state()
        self.refuse("unsupported", ratchet.Ratchet.from_state, ratchet.LIBCHAT, b"\x02" + state[1:])
        for wrong in (b"", state[:-1], state + b"\0", state[:33] + b"\x02" + state[34:]):
            self.refuse("malformed", ratchet.Ratchet.from_state, ratchet.LIBCHAT, wrong)
        self.assertEqual(ratchet.Ratchet.from_state(ratchet.LIBCHAT, state), self.raya)


class Frames(RulesTest):
    """Authentic messages that are not content."""

    def setUp(self):
        self.saro, self.raya = (Participant(bytes([n] * 32), NOW, Seeded(n)) for n in (1, 2))
        self.saros_id = self.saro.initiate(self.raya.create_intro(), b"")
        self.raya.receive(*self.saro.take_outbound()[0])
        self.raya.take_events()

    def send_frame(self, frame: bytes) -> bytes:
        conversation = self.saro.conversations[self.saros_id]
        message = privatev1.message_fields(conversation.ratchet.encrypt(frame, bytes(12)))
        return envelope.wrap(conversation.remote_id, EncryptedPayload.encode(message))

    def test_what_is_no_frame_is_refused_and_changes_nothing(self):
        too_long = messages.PrivateV1Frame.encode({"conversation_id": "x" * 256, "content": b"x"})
        for frame, code in ((b"\xff", "malformed"), (bytes.fromhex("0a01ff"), "malformed"), (too_long, "too_large")):
            payload, before = self.send_frame(frame), self.raya.save()
            self.refuse(code, self.raya.receive, "delivery_address", payload)
            self.assertEqual(self.raya.save(), before)

    def test_placeholders_and_unknown_kinds_are_taken_without_content_pvl_7(self):
        for frame in (messages.PrivateV1Frame.encode({"placeholder": {"counter": 1}}), b"", bytes.fromhex("620161")):
            payload = self.send_frame(frame)
            self.assertTrue(self.raya.receive("delivery_address", payload))
            self.assertEqual(self.raya.take_events(), [])
            self.refuse("replay", self.raya.receive, "delivery_address", payload)

    def test_other_kinds_of_payload_are_refused(self):
        for kind in ({"plaintext": {"payload": b"x"}}, {"inbox_handshake": {}}):
            payload = envelope.wrap(self.saro.conversations[self.saros_id].remote_id, EncryptedPayload.encode(kind))
            self.refuse("unsupported", self.raya.receive, "delivery_address", payload)


class Invites(RulesTest):
    """Specs/inbox-v1.md, "Receiving", step by step."""

    SARO, RAYA, FRESH = bytes([1] * 32), bytes([2] * 32), bytes([0x44] * 32)

    def setUp(self):
        self.raya = Participant(self.RAYA, NOW, Seeded(2))
        self.raya.ephemeral_privates[public_key(PREKEY)] = PREKEY
        self.saro = Participant(self.SARO, NOW, Seeded(1))
        self.saro.initiate(intro.create(self.RAYA, public_key(PREKEY), bytes(64)), b"hello")
        [(_, self.invite)] = self.saro.take_outbound()
        self.handshake = EncryptedPayload.decode(envelope.unwrap(self.invite).payload)["inbox_handshake"]

    def receive(self, payload: dict) -> bool:
        encoded = EncryptedPayload.encode(payload)
        return self.raya.receive("delivery_address", envelope.wrap(self.raya.inbox_id, encoded))

    def refuse_handshake(self, code: str, **changed: Any):
        before = self.raya.save()
        self.refuse(code, self.receive, {"inbox_handshake": self.handshake | changed})
        self.assertEqual(self.raya.save(), before)

    def test_other_payloads(self):
        self.refuse("unsupported", self.receive, {"plaintext": {"payload": b"x"}})
        self.refuse("malformed", self.receive, {"inbox_handshake": {}})

    def test_headers(self):
        header = self.handshake["header"]
        for name in header.keys() - {"responder_static"}:
            for wrong in (b"", header[name][:-1], header[name] + b"\0"):
                self.refuse_handshake("malformed", header=header | {name: wrong})
        self.refuse_handshake("unknown_ephemeral_key", header=header | {"responder_ephemeral": bytes(32)})
        for name in ("initiator_static", "initiator_ephemeral"):
            self.refuse_handshake("weak_key", header=header | {name: bytes(32)})
            self.refuse_handshake("authentication_failed", header=header | {name: public_key(PREKEY)})
        self.assertTrue(self.receive({"inbox_handshake": self.handshake}))

    def test_nobody_looks_at_the_recipient_that_is_named(self):
        for named in (b"", bytes(32), bytes(33)):
            raya = Participant.restore(self.raya.save())
            changed = self.handshake | {"header": self.handshake["header"] | {"responder_static": named}}
            payload = EncryptedPayload.encode({"inbox_handshake": changed})
            raya.receive("delivery_address", envelope.wrap(raya.inbox_id, payload))
            self.assertEqual(raya.take_events()[-1]["content"], b"hello".hex())

    def test_frames(self):
        conversation_type, opening = inbox.read_frame(self.handshake["payload"])
        for frame, code in (
            (b"", "malformed"), (b"\xff", "malformed"), (bytes.fromhex("120161"), "unsupported"),
            (bytes.fromhex("0a00"), "malformed"), (bytes.fromhex("0a023200"), "malformed"),
            (bytes.fromhex("0a0432021a00"), "unsupported"), (bytes.fromhex("0a0432023800"), "unsupported"),
             (bytes.fromhex("0a0432020801"), "malformed"),
            (inbox.write_frame("type/plain", opening), "unsupported"),
            (inbox.write_frame(conversation_type, b"hello"), "malformed"),
            (inbox.write_frame(conversation_type, EncryptedPayload.encode({"inbox_handshake": {}})), "unsupported"),
        ):
            self.refuse_handshake(code, payload=frame)
        for name in ("private-v1-libchat", "", "plain", "x" * 256, "type/", "type/" + "x" * 256):  # IBX-11
            raya = Participant.restore(self.raya.save())
            changed = {"inbox_handshake": self.handshake | {"payload": inbox.write_frame(name, opening)}}
            raya.receive("delivery_address", envelope.wrap(raya.inbox_id, EncryptedPayload.encode(changed)))
            self.assertEqual(raya.take_events()[-1]["content"], b"hello".hex())

    def test_openings_come_out_as_they_went_in_ibx_1(self):
        ratchet_message = bytes.fromhex("12020a00")
        for opening in (b"", b"hello", ratchet_message, ratchet_message * 2, ratchet_message + b"\x78\0", b"\x12\1",
                        EncryptedPayload.encode({"plaintext": {"payload": b"x"}}), b"\x10\0"):
            self.assertEqual(inbox.read_frame(inbox.write_frame("x", opening), "reference"), ("x", opening))

    def test_of_an_opening_that_comes_twice_the_last_counts_ibx_2(self):
        inner = bytes.fromhex("3204 0a020a00 3204 12020a00".replace(" ", ""))
        self.assertEqual(inbox.read_frame(b"\x0a" + bytes([len(inner)]) + inner)[1], bytes.fromhex("12020a00"))

    def test_sealed_invites(self):
        keys = {public_key(PREKEY): PREKEY}
        sealed = inbox.seal_invite(self.SARO, self.FRESH, public_key(self.RAYA), public_key(PREKEY), b"", bytes(12))
        fields = EncryptedPayload.decode(sealed)
        inbox.open_sealed_invite(self.RAYA, keys, fields)
        header = fields["inbox_handshake"]["header"]
        for changed, code in (
            ({"responder_static": bytes(32)}, "malformed"), ({"responder_ephemeral": bytes(3)}, "malformed"),
            ({"initiator_static": bytes(32)}, "malformed"), ({"initiator_ephemeral": bytes(32)}, "weak_key"),
            ({"responder_ephemeral": bytes(4)}, "unknown_ephemeral_key"),
            ({"initiator_static": bytes(48)}, "authentication_failed"),
        ):
            handshake = fields["inbox_handshake"] | {"header": header | changed}
            self.refuse(code, inbox.open_sealed_invite, self.RAYA, keys, {"inbox_handshake": handshake})
        for payload, code in ((bytes(27), "malformed"), (bytes(28), "authentication_failed")):
            handshake = fields["inbox_handshake"] | {"payload": payload}
            self.refuse(code, inbox.open_sealed_invite, self.RAYA, keys, {"inbox_handshake": handshake})


class OpenInvites(RulesTest):
    def test_bundles(self):
        bundle = open_invite.write_bundle(bytes(16), NOW)
        self.assertEqual(open_invite.read_bundle(bundle, NOW - 1), bytes(16))
        self.refuse("expired", open_invite.read_bundle, bundle, NOW)
        self.assertEqual(open_invite.read_bundle(open_invite.write_bundle(bytes(16)), NOW), bytes(16))
        self.refuse("malformed", open_invite.read_bundle, open_invite.write_bundle(bytes(15)), NOW)

    def test_invites(self):
        secret = bytes(32)
        self.assertEqual(open_invite.read_invite(open_invite.write_invite("x", secret, b"")), ("x", secret, b""))
        self.refuse("malformed", open_invite.read_invite, open_invite.write_invite("", secret, b""))
        self.refuse("too_large", open_invite.read_invite, open_invite.write_invite("x" * 256, secret, b""))
        self.refuse("malformed", open_invite.read_invite, open_invite.write_invite("x", secret[1:], b""))


class PlainConversations(RulesTest):
    def test_payloads(self):
        receiver = plain_conversation.Receiver()
        for data in (b"", plain_conversation.write(0, b"")[:9]):
            self.refuse("malformed", receiver.receive, data)
        for data in (b"\0\1", b"\2\1", b"\1\0", b"\1\2"):
            self.refuse("unsupported", receiver.receive, data + bytes(8))
        self.refuse("invalid_header", receiver.receive, plain_conversation.write(2**64 - 1, b""))
        self.assertEqual((receiver.next, receiver.missing), (0, []))

    def test_numbers(self):
        receiver = plain_conversation.Receiver()
        self.refuse("invalid_header", receiver.receive, plain_conversation.write(2**63, b""))
        for number in (1000, 3, 2**40, *range(2000, 10000, 2)):
            self.assertEqual(receiver.receive(plain_conversation.write(number, b"x")), b"x")
        self.assertEqual(len(receiver.missing), plain_conversation.MAX_RANGES)
        for number in (3, 1000, 0, 998):  # received, and given up
            self.refuse("replay", receiver.receive, plain_conversation.write(number, b""))
        receiver.receive(plain_conversation.write(9997, b""))
        self.assertEqual(receiver.next, 2**40 + 1)


class Segments(RulesTest):
    GOOD = {"entire_message_hash": bytes(32), "data_segment_count": 2, "payload": b"x"}

    def test_what_is_permitted_and_nothing_else_seg_07(self):
        for changed, code in (
            ({"entire_message_hash": bytes(31)}, "malformed"), ({"data_segment_count": 0}, "malformed"),
            ({"data_segment_count": 256}, "malformed"), ({"data_segment_index": 2}, "malformed"),
            ({"parity_segment_count": 254}, "malformed"), ({"is_parity": True}, "malformed"),
            ({"parity_segment_index": 1}, "malformed"),
            ({"is_parity": True, "parity_segment_count": 1, "data_segment_index": 1}, "malformed"),
            ({"is_parity": True, "parity_segment_count": 1}, "malformed"),
            ({"is_parity": True, "parity_segment_count": 29, "data_segment_count": 225, "payload": bytes(64)},
             "unsupported"),
            ({"payload": b""}, "malformed"),
        ):
            self.refuse(code, segmentation.read_segment, messages.SegmentMessageProto.encode(self.GOOD | changed))

    def test_segments_that_contradict_each_other(self):
        reassembler = segmentation.Reassembler()
        first = messages.SegmentMessageProto.encode(self.GOOD)
        self.assertEqual([reassembler.receive(first) for _ in range(2)], [None, None])
        for changed in ({"data_segment_count": 3, "data_segment_index": 1}, {"payload": b"y"}):
            self.refuse("malformed", reassembler.receive, messages.SegmentMessageProto.encode(self.GOOD | changed))

    def test_what_waits_is_bounded_seg_12(self):
        reassembler = segmentation.Reassembler()
        for n in range(segmentation.MAX_SETS + 5):
            reassembler.receive(segmentation.split(bytes([n] * 2), 1)[0])
        self.assertEqual(len(reassembler.incomplete), segmentation.MAX_SETS)
        for n in range(segmentation.MAX_COMPLETED + 1):
            reassembler.completed[bytes([n >> 8, n & 255])] = None
        self.assertIsNone(reassembler.receive(segmentation.split(bytes(2), 1)[1]))  # the oldest went
        last = bytes([segmentation.MAX_SETS + 4] * 2)
        self.assertEqual(reassembler.receive(segmentation.split(last, 1)[1]), last)
        self.assertEqual(len(reassembler.completed), segmentation.MAX_COMPLETED)


class Parity(RulesTest):
    def test_counts_and_sizes_par_1_to_par_4(self):
        shard = bytes(64)
        for data_count, parity_count in ((1, 0), (1, 2), (0, 0)):
            self.refuse("malformed", parity.matrix, data_count, parity_count)
        for data_count, parity_count in ((225, 29), (193, 64), (129, 65)):
            self.refuse("unsupported", parity.matrix, data_count, parity_count)
        for data_count, parity_count in ((224, 28), (192, 64), (128, 128), (255, 1)):
            self.assertEqual(len(parity.matrix(data_count, parity_count)), parity_count)
        for size in (0, 63, 65):
            self.refuse("malformed", parity.encode, [bytes(size)], 1)
        self.refuse("malformed", parity.recover, [None, shard], [None])

    def test_any_segments_that_are_enough(self):
        chance = random.Random(3)
        for count in (1, 2, 3, 5, 9):
            payload = chance.randbytes(64 * count - 40) + bytes(9)
            segments = segmentation.split(payload, 64, 1_000_000)
            self.assertEqual(len(segments), 2 * count)
            for _ in range(10):
                reassembler = segmentation.Reassembler()
                arrived = [reassembler.receive(segment) for segment in chance.sample(segments, 2 * count)]
                self.assertEqual([found for found in arrived if found is not None], [payload])

    def test_wrong_parity_is_noticed_by_the_hash(self):
        [_, second, made] = segmentation.split(b"x" * 100, 64, 500_000)
        reassembler = segmentation.Reassembler()
        reassembler.receive(second)
        self.refuse("authentication_failed", reassembler.receive, made[:-5] + bytes([made[-5] ^ 1]) + made[-4:])

    def test_the_later_message_of_nim_segmentation_seg_r6(self):
        for tail in ("10f403180120033a03aabbcc", "10f4032003280130013a021122", "2001"):
            later = bytes.fromhex("0a20") + bytes(range(32)) + bytes.fromhex(tail)
            self.refuse("unsupported", segmentation.read_segment, later)

    def test_sizes_that_contradict_each_other_seg_r3(self):
        def segment(index: int, size: int, **fields: Any) -> bytes:
            common = {"entire_message_hash": bytes(32), "data_segment_count": 3, "parity_segment_count": 1}
            place = {"parity_segment_index" if fields else "data_segment_index": index}
            return messages.SegmentMessageProto.encode(common | place | fields | {"payload": b"x" * size})

        for first, second in (((0, 64), (1, 65)), ((0, 64), (2, 65)), ((2, 65), (0, 64))):
            reassembler = segmentation.Reassembler()
            reassembler.receive(segment(*first))
            self.refuse("malformed", reassembler.receive, segment(*second))
        for size in (0, 63, 65, segmentation.MAX_PARITY + 64):
            self.refuse("malformed", segmentation.read_segment, segment(0, size, is_parity=True))
        reassembler = segmentation.Reassembler()
        reassembler.receive(segment(0, 64))
        self.refuse("malformed", reassembler.receive, segment(0, 128, is_parity=True))


class Datagrams(RulesTest):
    SESSION = bytes(8)

    def test_datagrams(self):
        def datagram(kind: int, body: bytes) -> bytes:
            return bytes([1, kind]) + self.SESSION + body

        hello = udp.write(udp.Hello(self.SESSION, 1))
        for data in (
            b"", hello[:9], hello[:-1], datagram(1, bytes(4) + b"\x41" + bytes(1185)), datagram(2, b"\0"),
            datagram(2, b"\1xx"), datagram(2, b"\2x"), datagram(3, bytes(1190)), datagram(3, bytes(47)),
            datagram(5, bytes(7)),
            datagram(1, bytes(5) + b"\0\1\xff\xff" + bytes(1181)),
        ):
            self.refuse("malformed", udp.read, data)
        for data in (b"\2" + hello[1:], datagram(0, b""), datagram(6, b"")):
            self.refuse("unsupported", udp.read, data)
        self.refuse("too_large", udp.read, hello + b"\0")
        extended = datagram(1, bytes(5) + b"\0\1\0\2ab" + bytes(1179))
        self.assertEqual(udp.read(extended), udp.Hello(self.SESSION, 1 - 1))
        reset = udp.Reset(self.SESSION, 3, bytes([1, 2]))
        self.assertEqual(udp.read(udp.write(reset)), reset)
        for body, reason in ((b"", 0), (b"\1\1", 1), (b"\1\0x", 1), (b"\x63\0", 99)):
            self.assertEqual(udp.read(datagram(4, body)), udp.Reset(self.SESSION, reason, b""))

    def test_frames_udp_7(self):
        head = bytes([1, 5]) + self.SESSION + bytes(8)
        good = udp.Fragment(5, 5, 1121, 1, b"x")
        self.assertEqual(udp.read(head + b"\0\1\0" + udp.write_frame(good)).frames, (udp.Ping(), good))
        for frame in (
            b"\4", b"\2", udp.write_frame(udp.Ack(0, ())), udp.write_frame(udp.Ack(0, ((0, 0),) * 17)),
            udp.write_frame(udp.Ack(0, ((2, 1),))), udp.write_frame(udp.Ack(0, ((5, 6), (3, 4)))),
            udp.write_frame(udp.Ack(0, ((5, 6), (7, 8)))), udp.write_frame(good._replace(distance=6)),
            udp.write_frame(good._replace(index=2)), udp.write_frame(good._replace(size=0, index=0)),
            udp.write_frame(good._replace(size=1122)), udp.write_frame(good) + b"x",
        ):
            self.refuse("malformed", udp.read, head + frame)
        ranges = udp.Ack(9, ((5, 6), (3, 3)))
        self.assertEqual(udp.read(head + udp.write_frame(ranges)).frames, (ranges,))

    def test_fragments_udp_9(self):
        for size in (1, 1120, 1121, 5000):
            message = bytes(n % 251 for n in range(size))
            fragments = udp.cut(1, 0, message)
            self.assertEqual(b"".join(fragment.data for fragment in fragments), message)
            for fragment in fragments:
                self.assertEqual(udp.read(udp.write(udp.Data(self.SESSION, 0, (fragment,)))).frames, (fragment,))

    def test_messages(self):
        for request in (
            udp_messages.Publish(bytes(16), "a", "b", b""), udp_messages.Subscribe(1, 2, 3, 4, "ä"),
            udp_messages.Unsubscribe(7),
        ):
            self.assertEqual(udp_messages.read_request(udp_messages.write_request(request)), request)
        results = udp_messages.Results((udp_messages.Result(1, 2, 3, 4),) * 44)
        for answer in (results, udp_messages.Deliver(1, 2, bytes(16), "", b"x"), udp_messages.Gone(1, 2)):
            self.assertEqual(udp_messages.read_answer(udp_messages.write_answer(answer)), answer)
        for data in ("", "03", "030000000000", "02" + "00" * 21, "0200000000" + "03" + "00" * 17,
                     "01" + "00" * 16 + "01ff00", "01" + "00" * 17):
            self.refuse("malformed", udp_messages.read_request, bytes.fromhex(data))
        for data in ("", "81", "81" + "00" * 24, "81" + "00" * 25 * 45, "82", "83" + "00" * 13):
            self.refuse("malformed", udp_messages.read_answer, bytes.fromhex(data))
        self.refuse("unsupported", udp_messages.read_request, b"\x81")
        self.refuse("unsupported", udp_messages.read_answer, b"\x01")


class Contents(RulesTest):
    def test_everyday_types(self):
        frame = {"domain_id": content.EVERYDAY, "tag": content.CONTACT}
        fields = {"name": "Raya", "introduction": "x" * 4096}
        self.assertEqual(content.read_known(frame | {"payload": messages.Contact.encode(fields)}), fields)
        longer = messages.Contact.encode(fields | {"introduction": "x" * 4097})
        self.refuse("too_large", content.read_known, frame | {"payload": longer})
        self.refuse("malformed", content.read_known, frame | {"payload": b"\xff"})
        self.refuse("unsupported", content.read_known, frame | {"tag": 4})
        self.refuse("unsupported", content.read_known, {"domain_id": 1, "tag": 1})


class Sds(RulesTest):
    def message(self, message_id: str, lamport: int | None, *history: str, **fields: Any) -> bytes:
        causal = [{"message_id": known} for known in history]
        stamp = {} if lamport is None else {"lamport_timestamp": lamport}
        return messages.SdsMessage.encode({
            "sender_id": "saro", "channel_id": "c", "message_id": message_id, "content": b"x", "causal_history": causal,
            **stamp, **fields,
        })

    def receive(self, raya: sds.Channel, data: bytes) -> list[str]:
        return [message["message_id"] for message in raya.receive(data)]

    def test_what_is_longer_than_it_may_be_is_too_large_sds_r3(self):
        raya = member.Member("c", "raya", 0)
        entries = [{"message_id": f"a{n}"} for n in range(201)]
        for name in ("causal_history", "repair_request"):
            raya.receive(0, self.message(f"{name}-200", 1, **{name: entries[:200]}))
            self.refuse("too_large", raya.receive, 0, self.message(f"{name}-201", 1, **{name: entries}))
        for fields in (
            {"message_id": "x" * 256}, {"sender_id": "x" * 256}, {"channel_id": "x" * 256},
            {"causal_history": [{"message_id": "a", "sender_id": "x" * 256}]},
            {"repair_request": [{"message_id": "a", "retrieval_hint": bytes(129)}]},
        ):
            self.refuse("too_large", raya.receive, 0, self.message(fields.pop("message_id", "b"), 1, **fields))

    def test_order_and_clock_sds_08(self):
        raya = sds.Channel("c", "raya")
        for message_id, lamport in (("b", 5), ("d", 3), ("a", 5), ("c", 4)):
            self.receive(raya, self.message(message_id, lamport))
        self.assertEqual(raya.log, [(3, "d"), (4, "c"), (5, "a"), (5, "b")])
        self.assertEqual(raya.lamport, 5)
        raya.send(4, "own", b"x")
        self.assertEqual(raya.lamport, 6)

    def test_what_is_not_delivered(self):
        raya = sds.Channel("c", "raya")
        raya.send(1, "own", b"x")
        for data in (
            self.message("m", 1, sender_id="raya"), self.message("m", 1, channel_id="d"),
            self.message("m", 1, "unknown"), self.message("m", 1, "unknown"),
            self.message("sync", 1, "own", content=b""), self.message("own", 1),
        ):
            self.assertEqual(self.receive(raya, data), [])
        self.assertEqual(list(raya.waiting), ["m"])
        self.assertEqual(raya.outgoing, {"own": "acknowledged"})  # by the sync message (SDS-12)

    def test_ephemeral_messages_do_not_enter_the_log_sds_14(self):
        raya = sds.Channel("c", "raya")
        self.assertEqual(self.receive(raya, self.message("e", None)), ["e"])
        self.assertEqual(raya.log, [])

    def test_bounds(self):
        raya = sds.Channel("c", "raya")
        self.refuse("too_large", raya.receive, self.message("m", 1, *map(str, range(201))))
        for n in range(sds.MAX_WAITING + 1):
            raya.receive(self.message(str(n), 1, "unknown"))
        self.assertEqual(len(raya.waiting), sds.MAX_WAITING)
        self.refuse("too_large", raya.send, 2**64, "m", b"x")


class Directories(RulesTest):
    SEED = bytes([1] * 32)

    def entry(self, **fields: Any) -> directory.Entry:
        return directory.Entry("raya", directory.publisher_key(self.SEED), NOW, NOW + 10)._replace(**fields)

    def test_names_and_texts_dir_1_dir_2(self):
        for name in ("", "-a", "a-", ".", "ä", "a b", "a\n", "a/b"):
            self.refuse("malformed", directory.read_name, name)
        self.refuse("too_large", directory.read_name, "a" * 65)
        for name in ("a", "a-b", "a_b.c", "0", "a" * 64):
            self.assertEqual(directory.read_name(name.upper()), name)
        for text in ("@", "raya@", "raya@AA", "raya@" + "A" * 42 + "B", "raya@" + "A" * 43 + "@"):
            self.refuse("malformed", directory.read_text, text)
        self.assertEqual(directory.read_text("Raya@" + "A" * 43), ("raya", bytes(32)))

    def test_what_is_not_used_dir_6(self):
        good = directory.write(self.entry(), self.SEED)
        self.assertEqual(directory.read(good, "raya", NOW, directory.publisher_key(self.SEED)), self.entry())
        self.refuse("unsupported", directory.read, good, "saro", NOW)
        self.refuse("unsupported", directory.read, good, "raya", NOW, bytes(32))
        self.refuse("expired", directory.read, good, "raya", NOW + 10)
        self.refuse("unsupported", directory.read, good.replace(b"\x08\x01", b"\x08\x02", 1), "raya", NOW)
        self.refuse("authentication_failed", directory.read, good[:-1] + bytes([good[-1] ^ 1]), "raya", NOW)
        self.refuse("malformed", directory.read, good[:-1], "raya", NOW)
        self.refuse("malformed", directory.write, self.entry(bundles=(directory.Bundle("", b""),)), self.SEED)
        self.refuse("too_large", directory.write, self.entry(bundles=(directory.Bundle("x", b""),) * 33), self.SEED)
        self.refuse("too_large", directory.write, self.entry(bundles=(directory.Bundle("x", bytes(32768)),)), self.SEED)

    def test_the_latest_counts_dir_5(self):
        first, second = self.entry(sequence=2, expiry=3), self.entry(sequence=1)
        other = self.entry(publisher=bytes(32))
        self.assertEqual(list(directory.latest([second, other, first, second]).values()), [first, other])
        self.assertEqual([directory.next_sequence(5, last) for last in (None, 3, 5)], [5, 5, 6])


if __name__ == "__main__":
    unittest.main()
