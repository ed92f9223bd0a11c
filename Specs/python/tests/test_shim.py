"""The shim: its rules line by line, and two processes that talk while the network misbehaves."""

import json
import random
import unittest

from chatspec.messages import EncryptedPayload, EnvelopeV1
from chatspec.shim import MAX_LINE

from .peer import Peer

NOW = 1_700_000_000_000


class PeerTest(unittest.TestCase):
    """Starts participants and ends them."""

    def peer(self, seed: int) -> Peer:
        peer = Peer(seed)
        self.addCleanup(peer.close)
        return peer

    def participant(self, seed: int) -> Peer:
        peer = self.peer(seed)
        peer.do("create_identity", now_ms=NOW)
        return peer


class Lines(PeerTest):
    """Transport and operations, called rightly and wrongly."""

    def test_hello_works_before_everything(self):
        answer = self.peer(1).do("hello")
        self.assertEqual(answer["protocol"], "logos-interop-shim/1")
        self.assertEqual((answer["profiles"], answer["max_skip"]), (["libchat"], 10))

    def test_lines_that_are_no_request_are_answered(self):
        peer = self.peer(1)
        for line in (
            b"", b"{", b"[]", b"7", b'"x"', b"null", b"\xff\xfe", b"{}", b'{"op":"hello"}', b'{"id":"1","op":"hello"}',
            b'{"id":1.5,"op":"hello"}', b'{"id":true,"op":"hello"}', b'{"id":1,"id":2,"op":"hello"}',
            b'{"id":1,"op":"hello","x":NaN}', b"[" * 100_000, b'{"id":1' + b"0" * 5000 + b',"op":"hello"}', b"\x00",
        ):
            with self.subTest(line=line[:40]):
                answer = peer.exchange(line)
                self.assertEqual((answer["id"], answer["ok"], answer["error"]["code"]), (None, False, "bad_request"))
        for line, code in (
            (b'{"id":5}', "bad_request"), (b'{"id":5,"op":7}', "bad_request"), (b'{"id":5,"op":"dance"}', "unknown_op"),
            (b'{"id":5,"op":"create_intro"}', "invalid_state"), (b'{"id":5,"op":"save"}', "invalid_state"),
            (b'{"id":5,"op":"\\ud800"}', "unknown_op"),
        ):
            with self.subTest(line=line):
                answer = peer.exchange(line)
                self.assertEqual((answer["id"], answer["error"]["code"]), (5, code))
        self.assertEqual(peer.exchange(b' {"op":"hello", "id":-3, "extra":[1]}\r')["id"], -3)

    def test_a_line_that_is_too_long_is_refused_and_the_next_one_is_read(self):
        peer = self.peer(1)
        fits = b'{"id":1,"op":"hello","x":"' + b"x" * (MAX_LINE - 28) + b'"}'
        self.assertEqual(len(fits), MAX_LINE)
        self.assertTrue(peer.exchange(fits)["ok"])
        for surplus in (1, 2, MAX_LINE + 2):
            answer = peer.exchange(fits[:-2] + b"x" * surplus + b'"}')
            self.assertEqual((answer["id"], answer["error"]["code"]), (None, "bad_request"))
        self.assertTrue(peer.do("hello"))

    def test_wrong_fields_are_refused_and_change_nothing(self):
        saro, raya = self.participant(1), self.participant(2)
        link = raya.do("create_intro")["intro"]
        conversation_id = saro.do("initiate", intro=link, content="00FF")["conversation_id"]
        before = saro.do("save")
        for op, fields, code in (
            ("create_identity", {"profile": "reference"}, "unsupported"),
            ("create_identity", {"profile": 7}, "bad_request"),
            ("create_identity", {"identity_private": "00"}, "malformed"),
            ("create_identity", {"identity_private": "zz"}, "bad_request"),
            ("create_identity", {"now_ms": "1"}, "bad_request"),
            ("set_time", {"now_ms": -1}, "bad_request"),
            ("set_time", {"now_ms": 2**63}, "bad_request"),
            ("set_time", {}, "bad_request"),
            ("initiate", {"intro": link}, "bad_request"),
            ("initiate", {"intro": link, "content": "0"}, "bad_request"),
            ("initiate", {"intro": 7, "content": ""}, "bad_request"),
            ("initiate", {"intro": "hello", "content": ""}, "malformed"),
            ("initiate", {"intro": "\ud800_chatintro_1_", "content": ""}, "malformed"),
            ("initiate", {"intro": link.replace("_1_", "_2_", 1), "content": ""}, "unsupported"),
            ("initiate", {"intro": link[:-9] + "AAAAAAAAA", "content": ""}, "authentication_failed"),
            ("send_content", {"conversation_id": "00", "content": ""}, "unknown_conversation"),
            ("send_content", {"conversation_id": conversation_id, "content": None}, "bad_request"),
            ("receive_payload", {"payload": ""}, "bad_request"),
            ("receive_payload", {"address": "delivery_address", "payload": "0 0"}, "bad_request"),
            ("restore", {"state": "00"}, "malformed"),
            ("restore", {"state": b'{"format":"other/1"}'.hex()}, "unsupported"),
            ("restore", {"state": b"[]".hex()}, "malformed"),
        ):
            with self.subTest(op=op, fields=fields):
                answer = saro.ask(op, **fields)
                self.assertEqual((answer["ok"], answer.get("error", {}).get("code")), (False, code))
        self.assertEqual(before["state"], saro.do("save")["state"])

    def test_a_seed_makes_everything_reproducible(self):
        def run() -> list[str]:
            peer = self.peer(7)
            lines = [peer.do("create_identity"), peer.do("create_intro")]
            lines.append(peer.do("initiate", intro=lines[1]["intro"], content="aa"))
            return [json.dumps(line) for line in (*lines, peer.do("take_outbound"), peer.do("save"))]

        self.assertEqual(run(), run())

    def test_shutdown_ends_the_process(self):
        peer = self.peer(1)
        peer.do("shutdown")
        self.assertEqual(peer.process.wait(20), 0)

    def test_identity_is_what_was_given(self):
        peer = self.peer(1)
        private = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
        answer = peer.do("create_identity", profile="libchat", identity_private=private.upper(), now_ms=NOW)
        self.assertEqual(answer["installation_key"][:16], "de9edb7d7b7dc1b4")
        self.assertEqual(answer["inbox_id"][:16], "95af4ae10bdbced0")
        self.assertEqual(answer["delivery_addresses"], ["delivery_address"])


class Conversations(PeerTest):
    """Saro and Raya, each in a process of their own; the test is the network."""

    def setUp(self):
        self.saro, self.raya = self.participant(1), self.participant(2)

    def meet(self, content: bytes = b"hello") -> tuple[str, str]:
        """First contact; the local ids of both."""
        intro = self.raya.do("create_intro")["intro"]
        saros_id = self.saro.do("initiate", intro=intro, content=content.hex())["conversation_id"]
        self.assertEqual(self.raya.receive(self.saro.take_payload()), "accepted")
        started, received = self.raya.do("take_events")["events"]
        self.assertEqual((started["type"], received["type"]), ("conversation_started", "content"))
        self.assertEqual(bytes.fromhex(received["content"]), content)
        return saros_id, started["conversation_id"]

    def test_both_ways(self):
        saros_id, rayas_id = self.meet()
        for turn in range(3):
            for sender, own_id, receiver in ((self.raya, rayas_id, self.saro), (self.saro, saros_id, self.raya)):
                for content in (b"", b"x" * turn, bytes(range(256))):
                    self.assertEqual(receiver.receive(sender.send(own_id, content)), "accepted")
                    self.assertEqual(receiver.take_contents(), [content])
        self.assertEqual(self.raya.do("list_conversations")["conversations"], [rayas_id])

    def test_loss_and_reordering_up_to_max_skip(self):
        saros_id, _ = self.meet()
        payloads = [self.saro.send(saros_id, bytes([n])) for n in range(12)]
        self.assertEqual(self.raya.receive(payloads[11]), "rejected")  # eleven are missing
        self.assertEqual(self.raya.receive(payloads[10]), "accepted")
        for n in (3, 9, 0, 11):
            self.assertEqual(self.raya.receive(payloads[n]), "accepted")
        self.assertEqual(self.raya.take_contents(), [bytes([n]) for n in (10, 3, 9, 0, 11)])

    def test_messages_of_an_old_chain_arrive_late(self):
        saros_id, rayas_id = self.meet()
        late = [self.saro.send(saros_id, bytes([n])) for n in range(3)]
        self.assertEqual(self.raya.receive(late[0]), "accepted")
        self.assertEqual(self.saro.receive(self.raya.send(rayas_id, b"turn")), "accepted")
        self.assertEqual(self.raya.receive(self.saro.send(saros_id, b"new chain")), "accepted")
        self.assertEqual([self.raya.receive(payload) for payload in (late[2], late[1])], ["accepted"] * 2)
        self.assertEqual(self.raya.take_contents(), [b"\0", b"new chain", b"\2", b"\1"])

    def test_duplicates_are_rejected(self):
        saros_id, rayas_id = self.meet()
        for sender, own_id, receiver in ((self.saro, saros_id, self.raya), (self.raya, rayas_id, self.saro)) * 2:
            payload = sender.send(own_id, b"once")
            self.assertEqual([receiver.receive(payload) for _ in range(3)], ["accepted", "rejected", "rejected"])
            self.assertEqual(receiver.take_contents(), [b"once"])

    def test_tampered_payloads_are_rejected_and_change_nothing(self):
        saros_id, _ = self.meet()
        payload = self.saro.send(saros_id, b"genuine")
        data = bytes.fromhex(payload["payload"])
        ratchet = data.index(bytes.fromhex("12"), 38) + 2  # behind envelope and tag: everything here is authenticated
        before = self.raya.do("save")["state"]
        for at in range(ratchet, len(data)):
            changed = data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
            self.assertEqual(self.raya.receive(payload | {"payload": changed.hex()}), "rejected", at)
        for cut in range(40, len(data)):
            self.assertEqual(self.raya.receive(payload | {"payload": data[:cut].hex()}), "rejected", cut)
        self.assertEqual(self.raya.do("save")["state"], before)
        self.assertEqual(self.raya.receive(payload), "accepted")
        self.assertEqual(self.raya.take_contents(), [b"genuine"])

    def test_restart_in_the_middle(self):
        """Everything is in the state: bundles, skipped keys, payloads and events that nobody took."""
        intros = [self.raya.do("create_intro")["intro"] for _ in range(2)]
        saros_id, rayas_id = self.meet()
        payloads = [self.saro.send(saros_id, bytes([n])) for n in range(3)]
        self.raya.receive(payloads[2])
        self.raya.do("send_content", conversation_id=rayas_id, content="aa")
        self.saro.restart()
        self.raya.restart()
        self.assertEqual(self.raya.take_contents(), [b"\2"])
        self.assertEqual(self.saro.receive(self.raya.take_payload()), "accepted")
        self.assertEqual([self.raya.receive(payload) for payload in payloads], ["accepted", "accepted", "rejected"])
        self.saro.restart()
        self.assertEqual(self.saro.take_contents(), [b"\xaa"])
        self.assertEqual(self.raya.receive(self.saro.send(saros_id, b"after")), "accepted")
        self.saro.do("initiate", intro=intros[1], content="")
        self.assertEqual(self.raya.receive(self.saro.take_payload()), "accepted")
        self.assertEqual(len(self.raya.do("list_conversations")["conversations"]), 2)

    def test_an_ephemeral_key_is_good_for_one_invite(self):
        intro = self.raya.do("create_intro")["intro"]
        invites = []
        for _ in range(2):
            self.saro.do("initiate", intro=intro, content="aa")
            invites.append(self.saro.take_payload())
        self.assertEqual([self.raya.receive(invite) for invite in invites], ["accepted", "rejected"])
        self.raya.restart()
        self.assertEqual([self.raya.receive(invite) for invite in invites], ["rejected"] * 2)
        answer = self.raya.do("receive_payload", **invites[1])
        self.assertEqual(answer["code"], "unknown_ephemeral_key")

    def test_an_unknown_conversation_type_costs_no_key(self):
        intro = self.raya.do("create_intro")["intro"]
        self.saro.do("initiate", intro=intro, content="aa")
        invite = self.saro.take_payload()
        outside = EnvelopeV1.decode(bytes.fromhex(invite["payload"]))
        handshake = EncryptedPayload.decode(outside["payload"])["inbox_handshake"]
        unknown = EncryptedPayload.encode({"inbox_handshake": handshake | {"payload": bytes.fromhex("7a0161")}})
        changed = invite | {"payload": EnvelopeV1.encode(outside | {"payload": unknown}).hex()}
        answer = self.raya.do("receive_payload", **changed)
        self.assertEqual((answer["outcome"], answer["code"]), ("rejected", "unsupported"))
        self.assertEqual(self.raya.receive(invite), "accepted")

    def test_what_is_for_others_is_ignored(self):
        saros_id, _ = self.meet()
        payload = self.saro.send(saros_id, b"for Raya")
        pax = self.participant(3)
        self.assertEqual([peer.receive(payload) for peer in (self.saro, pax)], ["ignored"] * 2)
        self.assertEqual(self.raya.receive(payload | {"address": "elsewhere"}), "ignored")
        self.assertEqual(self.raya.receive({"address": "delivery_address", "payload": ""}), "ignored")
        self.assertEqual(self.raya.receive(payload), "accepted")

    def test_large_content(self):
        saros_id, _ = self.meet()
        content = random.Random(1).randbytes(2**20)
        self.assertEqual(self.raya.receive(self.saro.send(saros_id, content)), "accepted")
        self.assertEqual(self.raya.take_contents(), [content])

    def test_many_conversations(self):
        pairs = [self.meet(bytes([n])) for n in range(20)]
        self.saro.restart()
        self.raya.restart()
        for n, (saros_id, rayas_id) in enumerate(reversed(pairs)):
            self.assertEqual(self.saro.receive(self.raya.send(rayas_id, bytes([n]))), "accepted")
            self.assertEqual(self.raya.receive(self.saro.send(saros_id, b"x")), "accepted")
        self.assertEqual(self.saro.take_contents(), [bytes([n]) for n in range(20)])

    def test_a_network_of_all_mischief(self):
        """Losses, repeats, reordering and bit flips at random: what is delivered is genuine, and comes once."""
        chance = random.Random(5)
        ids = dict(zip((self.saro, self.raya), self.meet()))
        sent: dict[Peer, list[bytes]] = {self.saro: [], self.raya: []}
        got: dict[Peer, list[bytes]] = {self.saro: [], self.raya: []}
        under_way: list[tuple[Peer, dict]] = []
        for step in range(200):
            sender, receiver = chance.sample((self.saro, self.raya), 2)
            content = f"{step}".encode()
            sent[sender].append(content)
            under_way += [(receiver, sender.send(ids[sender], content))] * chance.choice((0, 1, 1, 1, 2))
            while len(under_way) > 4:
                peer, payload = under_way.pop(chance.randrange(len(under_way)))
                if chance.random() < 0.2:
                    data = bytearray.fromhex(payload["payload"])
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                    peer.receive(payload | {"payload": data.hex()})
                peer.receive(payload)
                got[peer] += peer.take_contents()
            if chance.random() < 0.01:
                chance.choice((self.saro, self.raya)).restart()
        for sender, receiver in ((self.saro, self.raya), (self.raya, self.saro)):
            self.assertLessEqual(set(got[receiver]), set(sent[sender]))
            self.assertEqual(len(got[receiver]), len(set(got[receiver])))
            self.assertGreater(len(got[receiver]), len(sent[sender]) / 2)


if __name__ == "__main__":
    unittest.main()
