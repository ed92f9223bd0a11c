"""The examples in the modules and in the documents, and known answers of whole messages."""

import doctest
import hashlib
import hmac
import importlib
import pkgutil
import re
import unittest

import chatspec
from chatspec import (
    content, directory, envelope, inbox, intro, messages, open_invite, parity, plain_conversation, plain_framing, rpi,
    privatev1, ratchet, sds, sealed_hop, segmentation, udp, udp_messages, xeddsa,
)
from chatspec.checks.common import Scripted
from chatspec.participant import Participant
from chatspec.primitives import agree, blake2b, keccak256, public_key
from chatspec.refusal import Refused

from . import SPECS

# RFC 7748, section 6.1, and round numbers.
SARO = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
RAYA = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
PREKEY, FRESH, FIRST, REPLY = (bytes([byte] * 32) for byte in (0x33, 0x44, 0x55, 0x66))
SECRET = bytes.fromhex("5ba426a048966c72f33b45b21f6c0f5d224860ea7bc59f094eb1066c3dfd2916")  # from these keys
NOW = 1_700_000_000_000


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str) -> unittest.TestSuite:
    """Adds the examples in all modules."""
    for module in pkgutil.iter_modules(chatspec.__path__):
        tests.addTests(doctest.DocTestSuite(importlib.import_module(f"chatspec.{module.name}")))
    return tests


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Documents(unittest.TestCase):
    """Worked examples as they stand in Specs/."""

    def read(self, name: str) -> str:
        if not (SPECS / name).exists():
            self.skipTest(f"there is no {name} yet")
        return (SPECS / name).read_text()

    def blocks(self, name: str) -> list[str]:
        """The contents of all fenced blocks."""
        return re.findall(r"```\w*\n(.*?)```", self.read(name), re.DOTALL)

    def hex_block(self, name: str, start: str) -> bytes:
        """The bytes of the block that starts with these digits: pairs of digits up to a comment after two spaces."""
        block = next(block for block in self.blocks(name) if block.startswith(start))
        pairs = re.compile(r"\s*((?:[0-9a-f]{2})+(?:\s{1,2}(?:[0-9a-f]{2})+(?![\w,]))*)")
        return bytes.fromhex("".join(match[1] for line in block.splitlines() if (match := pairs.match(line))))

    def test_sealed_hop(self):
        block = next(block for block in self.blocks("udp-sealed.md") if "\nrelay name " in block)
        example, name = {}, ""
        for line in block.splitlines():
            if label := line[:16].strip():
                name = f"{name.partition('/')[0]}/{label}" if line.startswith(" ") else label
            example[name] = example.get(name, "") + line[16:]
        relay, first, second = (bytes([byte] * 32) for byte in (0x11, 0x22, 0x33))
        key, connection = public_key(relay), bytes(range(0x11, 0x19))
        self.assertEqual(sealed_hop.read_name(example["relay name"]), ("relay.example:9220", key))
        client = sealed_hop.Client(bytes(range(1, 9)), key, first)
        asked = sealed_hop.client_parameters(b"\2", 1 << 21, 1452)
        hello, again = client.hello(asked), client.hello(asked, bytes([0x44] * 16))
        self.assertEqual(hello[:42].hex(), example["HELLO"])
        self.assertEqual(blake2b(32, hello).hex(), example["HELLO/digest"])
        retry = sealed_hop.retry(hello, key, bytes([0x44] * 16), bytes([0x55] * 24))
        self.assertEqual(retry.hex(), example["RETRY"])
        self.assertEqual(sealed_hop.read_retry(retry, hello, key), bytes([0x44] * 16))
        self.assertEqual(again[-16:].hex(), example["HELLO again"])
        limits = b"".join(value.to_bytes(size) for value, size in zip(
            (7, 1 << 20, 1 << 21, 30_000, 0, 0, 4_096, 1 << 24, 604_800_000), udp.WELCOME_SIZES))
        said = b"".join(sealed_hop.parameter(*one) for one in (
            (sealed_hop.VERSIONS, b"\2"), (sealed_hop.LARGEST, (1452).to_bytes(2)), (sealed_hop.ID, connection),
            (sealed_hop.TOKEN, bytes([0x66] * 16)), (sealed_hop.LIMITS, limits)))
        welcome, keys = sealed_hop.welcome(relay, again, second, said)
        self.assertEqual(blake2b(32, welcome).hex(), example["WELCOME/digest"])
        self.assertEqual(sealed_hop.read_parameters(client.read_welcome(welcome)[0])[sealed_hop.ID], connection)
        self.assertEqual((keys.hash.hex(), keys.root.hex()), (example["hash"], example["root"]))
        masking, next_key = sealed_hop.mask_key(keys.root, "to relay"), sealed_hop.next_key(keys.to_relay, bytes([0x77] * 32))
        self.assertEqual((masking.hex(), next_key.hex()), (example["mask to relay"], example["key 1"]))
        known = {0: keys.to_relay, 1: next_key}
        for number, frames in ((0, b"\1"), (1, b"\1\0")):
            packet = sealed_hop.packet(known[number], masking, connection, number, number, frames)
            self.assertEqual(packet.hex(), example[f"PACKET {number}"])
            self.assertEqual(sealed_hop.read_packet(known, masking, packet), (number, frames))
            for index in range(len(packet)):
                changed = packet[:index] + bytes([packet[index] ^ 1]) + packet[index + 1:]
                with self.assertRaises(Refused):
                    sealed_hop.read_packet(known, masking, changed)

    def test_intro_link(self):
        printed = "".join(self.blocks("intro-links.md")[0].split())
        self.assertEqual(intro.create(RAYA, public_key(PREKEY), bytes(range(64))), printed)
        self.assertEqual(intro.find(f" \t{printed}\r\n").installation_key, public_key(RAYA))

    def test_envelopes(self):
        self.assertEqual(self.hex_block("envelope-v1.md", "0a 40"), envelope.wrap_salted("convo-1", 1, b"hello"))
        self.assertEqual(self.hex_block("envelope-v1.md", "0a 07"), envelope.wrap("convo-1", b"hello"))

    def test_plain_framing(self):
        self.assertEqual(self.hex_block("plain-framing.md", "01"), plain_framing.wrap("convo-1", b"hello"))

    def test_private_identifiers(self):
        secret, salt = b"\x11" * 32, bytes(range(8))
        key, *wrapped = [bytes.fromhex("".join(block.split("identifier")[0].split())) for block in self.blocks("rpi-v1.md")]
        self.assertEqual(key, rpi.identifier_key(secret, "a", "convo-1"))
        self.assertEqual(wrapped, [
            rpi.wrap("a", "convo-1", secret, 1, b"hello", is_first_contact=False),
            rpi.wrap("a", "convo-1", secret, 0, b"hello", is_first_contact=False, salt=salt),
            rpi.wrap("a", "convo-1", None, 0, b"hello", is_first_contact=True, salt=salt),
        ])

    def test_the_ten_lines_of_plain_framing_agree_with_the_module(self):
        printed: dict = {}
        exec(next(block for block in self.blocks("plain-framing.md") if block.startswith("def ")), printed)
        sample = plain_framing.wrap("ä-1", b"hello")
        self.assertEqual(printed["wrap"]("ä-1", b"hello"), sample)
        hostile = [sample[:n] for n in range(len(sample) + 1)]
        hostile += [sample + b"x", b"\x02", b"\x01\x00\0\0\0\0", b"\x01\x01"]
        hostile += [sample[:i] + bytes([sample[i] ^ 1 << bit]) + sample[i + 1 :] for i in range(9) for bit in range(8)]
        for data in hostile:
            with self.subTest(data=data.hex()):
                try:
                    expected = plain_framing.unwrap(data)
                except Refused:
                    self.assertRaises(ValueError, printed["unwrap"], data)
                else:
                    self.assertEqual(printed["unwrap"](data), expected)

    def test_directory(self):
        seed = bytes([0x11] * 32)
        bundle = directory.Bundle("openinvite_1", bytes([1, 2, 3]), NOW + 86_400_000, True)
        entry = directory.Entry("raya", directory.publisher_key(seed), NOW, NOW + 604_800_000, (bundle,))
        printed = self.hex_block("directory.md", "08 01")
        self.assertEqual(directory.write(entry, seed), printed)
        self.assertEqual(directory.read(printed, "raya", NOW), entry)
        self.assertIn(directory.address("raya"), self.read("directory.md"))

    def test_double_ratchet(self):
        text = self.read("double-ratchet.md")
        for suite in (ratchet.LIBCHAT, ratchet.REFERENCE):
            saro = ratchet.Ratchet.initiator(suite, SECRET, FIRST, public_key(PREKEY))
            _, message_key = ratchet.kdf_chain(saro.sending_chain)
            aead_key = ratchet.kdf_message(message_key, suite.message_key_info)
            for printed in (saro.root_key, saro.sending_chain, message_key, aead_key):
                self.assertIn(printed.hex(), text)
            message = saro.encrypt(b"hello", bytes(range(12)))
            self.assertIn(message.ciphertext[12:].hex(), text)
            if suite is ratchet.LIBCHAT:
                payload = messages.EncryptedPayload.encode(privatev1.message_fields(message))
                self.assertEqual(self.hex_block("double-ratchet.md", "12 45"), payload)

    def test_private_v1(self):
        ids = inbox.conversation_ids(SECRET)
        for printed in (ids.base.hex(), ids.initiator, ids.responder):
            self.assertIn(printed, self.read("private-v1.md"))
        frame = privatev1.write_frame(ids.initiator, NOW, b"hello")
        self.assertEqual(self.hex_block("private-v1.md", "0a 24"), frame)
        saro = ratchet.Ratchet.initiator(ratchet.LIBCHAT, SECRET, FIRST, public_key(PREKEY))
        payload = privatev1.message_fields(saro.encrypt(frame, bytes(range(12))))
        self.assertEqual(self.hex_block("private-v1.md", "12 7c"), messages.EncryptedPayload.encode(payload))

    def test_plain_conversation(self):
        printed = self.hex_block("plain-conversation.md", "01 01 0000000000000000")
        self.assertEqual(printed, plain_conversation.write(0, b"hello"))
        printed = self.hex_block("plain-conversation.md", "01 01 0000000000000001")
        self.assertEqual(printed, plain_conversation.write(1, b""))
        ids = plain_conversation.ids(SECRET)
        for printed in (ids.base.hex(), ids.initiator, ids.responder, plain_conversation.address(SECRET)):
            self.assertIn(printed, self.read("plain-conversation.md"))

    def test_crypto(self):
        text = "".join(self.read("crypto.md").split())
        signature = xeddsa.sign(RAYA, intro.signed_message(public_key(PREKEY)), bytes(range(64)))
        secret = inbox.initiator_secret(SARO, FRESH, public_key(RAYA), public_key(PREKEY))
        extracted = hmac.digest(bytes([0x11] * 32), bytes([0x22] * 32), "blake2b")
        for printed in (public_key(RAYA), public_key(PREKEY), signature, secret, SECRET, extracted, keccak256(b"")):
            self.assertIn(printed.hex(), text)
        self.assertIn(envelope.hint("convo-1", 1), text)

    def test_inbox_v1(self):
        text = "".join(self.read("inbox-v1.md").split())
        names = {"EK_R": PREKEY, "EK_S": FRESH, "IK_R": RAYA, "IK_S": SARO}
        for private in names.values():
            self.assertIn(public_key(private).hex(), text)
        dh3, dh2 = agree(FRESH, public_key(PREKEY)), agree(FRESH, public_key(RAYA))
        secret = inbox.initiator_secret(SARO, FRESH, public_key(RAYA), public_key(PREKEY))
        for printed in (secret, SECRET, inbox.header_key(dh3, dh2), inbox.payload_key(secret)):
            self.assertIn(printed.hex(), text)
        self.assertIn(inbox.inbox_id(public_key(RAYA), "reference"), text)
        self.assertIn(inbox.delivery_address(public_key(RAYA)), text)

        def printed_invite(start: str) -> bytes:
            block = next(block for block in self.blocks("inbox-v1.md") if start in block)
            lines = block[block.index(start) :].split("\n\n")[0].splitlines()
            digits = "".join(re.split(r"\s{3,}", line.strip())[0] for line in lines)
            for name, private in names.items():
                digits = digits.replace(name, public_key(private).hex())
            return bytes.fromhex(digits)

        frame = inbox.write_frame("private-v1", b"hello")
        self.assertIn(frame.hex(), text)
        keys = SARO, FRESH, public_key(RAYA), public_key(PREKEY)
        self.assertEqual(printed_invite("1a 9301"), inbox.seal_invite(*keys, frame, bytes(range(12))))
        self.assertEqual(printed_invite("1a a301"), inbox.write_invite(*keys, inbox.write_frame("default", b"hello")))

    def test_open_invite(self):
        text = "".join(self.read("open-invite.md").split())
        box, secret = bytes([0x44] * 16), bytes([0x55] * 32)
        first_key = public_key(open_invite.first_private_key(secret))
        bundle = open_invite.write_bundle(box, 1_700_000_060_000)
        for printed in (bundle.hex(), open_invite.route(box), open_invite.address(box), first_key.hex()):
            self.assertIn(printed, text)
        block = re.search(r"^invite(.*?)^route", self.read("open-invite.md"), re.DOTALL | re.MULTILINE)[1]
        printed = "".join(re.split(r"\s{3,}", line.strip())[0] for line in block.splitlines())
        self.assertEqual(bytes.fromhex(printed), open_invite.write_invite("plain", secret, b"hello"))

    def test_segmentation(self):
        text = "".join(self.read("segmentation.md").split())
        self.assertEqual(self.hex_block("segmentation.md", "0a 20"), segmentation.split(b"hello", 64)[0])
        for segment in segmentation.split(b"hello", 3):
            self.assertIn(segment.hex(), text)

    def test_parity(self):
        text = "".join(self.read("parity.md").split())
        data = [bytes((16 * i + t) % 256 for t in range(64)) for i in range(5)]
        self.assertIn("".join(bytes(row).hex() for row in parity.matrix(5, 3)), text)
        for shard in parity.encode(data, 3):
            self.assertIn(shard[:8].hex(), text)

    def test_content_frames(self):
        frame = content.write(content.EVERYDAY, content.TEXT, messages.Text.encode({"text": "hello"}))
        self.assertEqual(self.hex_block("content-frames.md", "08 f4"), frame)
        self.assertEqual(content.read_known(content.read(frame)), {"text": "hello"})

    def test_udp(self):
        [example] = [block for block in self.blocks("udp.md") if "HELLO" in block]
        printed = [b""]
        for line in example.splitlines():
            if line.startswith(("client", "relay")):
                printed.append(b"")
            digits = re.split(r"\s{3,}", line.removeprefix("client").removeprefix("relay").strip())[0]
            printed[-1] += bytes.fromhex(digits.removesuffix("…"))
            printed[-1] = printed[-1].ljust(udp.MAX_DATAGRAM if "…" in digits else 0, b"\0")
        session, cookie = bytes.fromhex("1e61397408ab415e"), bytes.fromhex("00000001e682c9391aa8cd5d896106d464aec065")
        window, mebi = 2 * 2**20, 2**20
        welcome = udp.Welcome(session, 0x3542257146E2D6FA, mebi, window, 30_000, 0, 0, 4096, 16 * mebi, 604_800_000)
        payload_id = udp.u(8, 1) + udp.u(8, 2)
        publish = udp_messages.write_request(udp_messages.Publish(payload_id, "hall", "", bytes.fromhex("cafe")))
        results = udp_messages.write_answer(udp_messages.Results((udp_messages.Result(0, 0, 1),)))
        datagrams = [
            udp.Hello(session, window), udp.Challenge(session, cookie), udp.Hello(session, window, cookie), welcome,
            udp.Data(session, 0, tuple(udp.cut(0, 0, publish))),
            udp.Data(session, 0, (udp.Ack(0, ((0, 0),)), *udp.cut(0, 0, results))),
        ]
        self.assertEqual(printed[1:], [udp.write(datagram) for datagram in datagrams])
        self.assertEqual([udp.read(data) for data in printed[1:]], datagrams)

    def test_wire(self):
        message = ratchet.Message(bytes([0x11] * 32), 300, 2, bytes([0x22] * 28))
        encoded = messages.EncryptedPayload.encode(privatev1.message_fields(message))
        self.assertEqual(len(encoded), 71)
        block = next(block for block in self.blocks("wire.md") if block.startswith("12 45"))
        lines = [re.split(r"\s{3,}", line.strip())[0] for line in block.splitlines()]
        lines = [line.replace("11 … 11", "11" * 32).replace("22 … 22", "22" * 28) for line in lines]
        self.assertEqual(bytes.fromhex("".join(lines)), encoded)


class WholeMessages(unittest.TestCase):
    """The same conversation in both profiles; digests were made by other implementations."""

    def setUp(self):
        self.link = intro.create(RAYA, public_key(PREKEY), bytes(range(64)))
        secret = inbox.initiator_secret(SARO, FRESH, public_key(RAYA), public_key(PREKEY))
        self.seed = inbox.seed_key(secret)
        self.assertEqual(self.seed, SECRET)

    def test_libchat(self):
        draws = [("handshake_ephemeral_private", FRESH), ("ratchet_private", FIRST), ("nonce", bytes(range(12)))]
        saro = Participant(SARO, NOW, Scripted(draws))
        raya = Participant(RAYA, NOW + 1000, Scripted([("ratchet_private", REPLY), ("nonce", bytes(range(12, 24)))]))
        raya.ephemeral_privates[public_key(PREKEY)] = PREKEY
        saros_id = saro.initiate(self.link, b"hello")
        [(address, invite)] = saro.take_outbound()
        self.assertEqual(saros_id, "9a82c808987683928976f63b2b1403036e82")
        self.assertEqual(len(invite), 419)
        self.assertEqual(sha256(invite), "d5c60257208fdbe87dfe4a65d5e267a6a542f6864882552695d3539be5aea1bc")
        self.assertTrue(raya.receive(address, invite))
        [rayas_id] = raya.conversations
        raya.send(rayas_id, b"hi")
        [(address, reply)] = raya.take_outbound()
        self.assertEqual(sha256(reply), "67cf5f78ba41f07eb201902ed3d64cb6f38c2aaa16440abcd6bf406522f5c5a8")
        self.assertTrue(saro.receive(address, reply))
        self.assertEqual(saro.take_events()[0]["content"], b"hi".hex())

    def test_reference(self):
        ids = inbox.conversation_ids(self.seed, size=16)
        self.assertEqual(inbox.inbox_id(public_key(RAYA), "reference"), "60749122be857ec1aeefb0c39acd5302")
        self.assertEqual(ids.base.hex(), "ee2670a300efb186c3fdec1f4d28d3c0")
        self.assertEqual(ids.initiator, "36d232c82a91d36375cfef8436934266")
        self.assertEqual(ids.responder, "f74352fb42cf3dd5b4cfe2b335b30e2f")
        channel = sds.Channel(ids.base.hex(), ids.initiator)
        [plaintext] = privatev1.reference_plaintexts(channel, NOW, b"hello", 1000)
        self.assertEqual(sha256(plaintext), "41796a2b1fe3d0d9efbf135f4bc82e74e4f30d115b267559f098f97f04a9971f")
        saro = ratchet.Ratchet.initiator(ratchet.REFERENCE, self.seed, FIRST, public_key(PREKEY))
        message = saro.encrypt(plaintext, bytes(range(12)))
        payload = messages.EncryptedPayload.encode(privatev1.message_fields(message))
        self.assertEqual(sha256(payload), "4d7659c73b822f1c51b191f2de88fde4acc328bdf889e1a6d8670158e42e8187")
        wrapped = envelope.wrap_salted(ids.responder, 1, payload)
        self.assertEqual(len(wrapped), 303)
        self.assertEqual(sha256(wrapped), "e1e3a015310d99c899eb976931ae473d14ca0859e3b7e8dd4c35c9d272739729")
        self.assertEqual(envelope.find_route(envelope.unwrap(wrapped), ["x", ids.responder]), ids.responder)

    def test_sealed_invite(self):
        keys = {public_key(PREKEY): PREKEY}
        sealed = inbox.seal_invite(SARO, FRESH, public_key(RAYA), public_key(PREKEY), b"frame", bytes(12))
        self.assertNotIn(public_key(SARO), sealed)
        opened = inbox.open_sealed_invite(RAYA, keys, messages.EncryptedPayload.decode(sealed))
        self.assertEqual(opened, (public_key(SARO), self.seed, b"frame"))
        for at in range(len(sealed)):
            changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
            try:
                opened = inbox.open_sealed_invite(RAYA, keys, messages.EncryptedPayload.decode(changed))
            except Refused:
                continue
            self.fail(f"a bit of byte {at} was changed, and {opened} came out")


if __name__ == "__main__":
    unittest.main()
