"""proto3: what WIRE-1 to WIRE-9 say, and the generated protobuf of Google as a third opinion."""

import random
import unittest

from chatspec import messages
from chatspec.proto3 import INTEGERS, Field, Message, write_varint
from chatspec.refusal import Refused

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError:
    descriptor_pb2 = None

INNER = Message("Inner", Field(1, "number", "int64"), Field(2, "text", "string"))
OUTER = Message(
    "Outer",
    Field(1, "inner", INNER), Field(2, "list", INNER, repeated=True), Field(3, "narrow", "uint32"),
    Field(4, "data", "bytes", optional=True), Field(5, "flag", "bool"), Field(6, "signed", "int32"),
)
CHOICE = Message("Choice", Field(1, "left", INNER, oneof="side"), Field(2, "right", "bytes", oneof="side"))


class Rules(unittest.TestCase):
    def refuse(self, layout: Message, encoded: str, code: str = "malformed"):
        with self.subTest(encoded=encoded):
            with self.assertRaises(Refused) as refusal:
                layout.decode(bytes.fromhex(encoded))
            self.assertEqual(refusal.exception.code, code)

    def accept(self, layout: Message, encoded: str, value: dict):
        with self.subTest(encoded=encoded):
            self.assertEqual(layout.decode(bytes.fromhex(encoded)), value)

    def test_malformed_bytes_are_refused_wire_2(self):
        for encoded in (
            "18", "1880", "18" + "80" * 9 + "02", "18" + "80" * 10 + "01",  # varints
            "0001", "80808080100" + "1", "0b0c", "1b", "1c", "1e", "1f",  # numbers and wire types
            "7b", "7c", "7b8401", "7b830184017b", "7b830184", "7b067c", "7b007c", "7b12057c",  # groups
            "2205", "22ffffffffffffffffff01", "0a0208", "3900", "3d000000",  # lengths
        ):
            self.refuse(OUTER, encoded)

    def test_unknown_fields_are_skipped_wire_3(self):
        self.accept(OUTER, "7a0161" + "78ff01" + "79" + "00" * 8 + "7d" + "00" * 4 + "1805", {"narrow": 5})

    def test_groups_are_skipped_wire_9(self):
        self.accept(OUTER, "7b" + "0896017a0161" + "0b837c847c0c" + "7c" + "1805", {"narrow": 5})
        self.accept(OUTER, "7b" + "0b" * 14 + "0c" * 14 + "7c", {})
        self.refuse(OUTER, "7b" + "0b" * 15 + "0c" * 15 + "7c")
        self.accept(OUTER, "0a1e" + "7b" + "0b" * 13 + "0c" * 13 + "7c" + "0801", {"inner": {"number": 1}})
        self.refuse(OUTER, "0a1e" + "7b" + "0b" * 14 + "0c" * 14 + "7c")
        self.refuse(OUTER, "1b1c")

    def test_a_oneof_without_known_arm_wire_7(self):
        self.refuse(CHOICE, "")
        for skipped in ("1a00", "1b1c", "1801"):
            self.refuse(CHOICE, skipped, "unsupported")
        nested = Message("Nested", Field(1, "choice", CHOICE))
        self.refuse(nested, "0a021a00", "unsupported")
        self.refuse(nested, "0a00" + "1a00", "malformed")  # what was skipped is no field of the message with the oneof

    def test_a_known_field_of_another_wire_type_is_refused_wire_4(self):
        for encoded in ("1a0101", "0801", "1d00000000", "2001"):
            self.refuse(OUTER, encoded)

    def test_strings_are_utf8_wire_5(self):
        for text in ("ff", "c080", "eda080", "f4908080", "e282"):
            self.refuse(INNER, f"12{len(text) // 2:02x}{text}")

    def test_depth_is_bounded_wire_6(self):
        nested = Message("Nested")
        nested.fields = [Field(1, "nested", nested)]
        nested.by_number, nested.by_name = {1: nested.fields[0]}, {"nested": nested.fields[0]}
        encoded = b""
        for _ in range(15):
            encoded = b"\x0a" + bytes([len(encoded)]) + encoded
        nested.decode(encoded)
        self.refuse(nested, (b"\x0a" + bytes([len(encoded)]) + encoded).hex())

    def test_a_oneof_has_an_arm_wire_7(self):
        self.refuse(CHOICE, "")
        self.refuse(CHOICE, "1a0161", "unsupported")
        self.accept(CHOICE, "1200", {"right": b""})

    def test_the_last_one_counts_and_messages_are_merged_wire_8(self):
        self.accept(OUTER, "18051800", {})
        self.accept(OUTER, "0a0208050a03120161", {"inner": {"number": 5, "text": "a"}})
        self.accept(OUTER, "12021801120208051200", {"list": [{}, {"number": 5}, {}]})
        self.accept(CHOICE, "0a0208051201610a03120162", {"left": {"text": "b"}})

    def test_integers_have_their_width_wire_1(self):
        self.accept(OUTER, "18ffffffffffffffffff01", {"narrow": 2**32 - 1})
        self.accept(OUTER, "30ffffffffffffffffff01", {"signed": -1})
        self.accept(OUTER, "3080808080f8ffffffff01", {"signed": -(2**31)})
        self.accept(OUTER, "28ff7f", {"flag": True})
        self.accept(OUTER, "1885808080808000", {"narrow": 5})

    def test_the_encoder_writes_nothing_that_is_no_message(self):
        self.assertRaises(ValueError, OUTER.encode, {"narrow": 2**32})
        self.assertRaises(ValueError, OUTER.encode, {"other": 1})
        self.assertRaises(ValueError, CHOICE.encode, {"left": {}, "right": b""})


# The layouts once more, for Google's protobuf: number, label (* repeated, ? optional, | oneof), type, name.
PROTO = """
EnvelopeV1: 1 string conversation_hint, 2 uint64 salt, 5 bytes payload
Plaintext: 1 bytes payload
Doubleratchet: 1 bytes dh, 2 uint32 msgNum, 3 uint32 prevChainLen, 4 bytes ciphertext, 5 string aux
InboxHeaderV1: 1 bytes initiator_static, 2 bytes initiator_ephemeral, 3 bytes responder_static,
    4 bytes responder_ephemeral
InboxHandshakeV1: 1 InboxHeaderV1 header, 2 bytes payload
EncryptedPayload: 1 |Plaintext plaintext, 2 |Doubleratchet doubleratchet, 3 |InboxHandshakeV1 inbox_handshake
InvitePrivateV1: 5 string discriminator, 6 EncryptedPayload initial_message
InboxV1Frame: 1 |InvitePrivateV1 invite_private_v1
IntroBundle: 1 bytes installation_pubkey, 2 bytes ephemeral_pubkey, 3 bytes signature
Placeholder: 1 uint32 counter
PrivateV1Frame: 1 string conversation_id, 2 bytes sender, 3 int64 timestamp, 10 |bytes content,
    11 |Placeholder placeholder
PrivateV1FrameDocument: 1 uint64 timestamp, 10 |bytes content, 11 |Placeholder placeholder
SegmentMessageProto: 1 bytes entire_message_hash, 2 uint32 data_segment_index, 3 uint32 data_segment_count,
    4 bytes payload, 5 uint32 parity_segment_index, 6 uint32 parity_segment_count, 7 bool is_parity
SdsHistoryEntry: 1 string message_id, 2 ?bytes retrieval_hint, 3 ?string sender_id
SdsMessage: 1 string sender_id, 2 string message_id, 3 string channel_id, 10 ?uint64 lamport_timestamp,
    11 *SdsHistoryEntry causal_history, 12 ?bytes bloom_filter, 13 *SdsHistoryEntry repair_request, 14 *SdsHistoryEntry gone,
    20 ?bytes content
HistoryEntry: 1 string message_id, 2 bytes retrieval_hint, 3 string sender_id
ReliablePayload: 2 string message_id, 3 string channel_id, 7 string sender_id, 10 int32 lamport_timestamp,
    11 *HistoryEntry causal_history, 12 bytes bloom_filter, 20 bytes content
ContentFrame: 1 uint32 domain_id, 2 uint32 tag, 3 bytes payload
DirectoryBundle: 1 string scheme, 2 bytes bytes, 3 uint64 expiry, 4 bool single_use
DirectoryEntry: 1 string name, 2 bytes publisher, 3 uint64 sequence, 4 uint64 expiry,
    5 *DirectoryBundle bundles
SignedDirectoryEntry: 1 uint32 version, 2 bytes entry, 3 bytes signature
Text: 1 string text
File: 1 string name, 2 string media_type, 3 bytes bytes
Contact: 1 string name, 2 string introduction
OpenBundle: 1 bytes inbox, 2 uint64 expiry
OpenInvite: 1 string type, 2 bytes secret, 3 bytes opening
"""


def google_messages() -> dict:
    """Classes that protobuf generates from the table above."""
    kind = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="chat.proto", package="chat", syntax="proto3")
    for line in PROTO.replace("\n    ", " ").strip().splitlines():
        name, fields = line.split(": ")
        message = file.message_type.add(name=name)
        for number, type_name, field_name in (field.split() for field in fields.split(", ")):
            mark = type_name[0] if type_name[0] in "*?|" else ""
            type_name = type_name.lstrip("*?|")
            field = message.field.add(name=field_name, number=int(number))
            field.label = kind.LABEL_REPEATED if mark == "*" else kind.LABEL_OPTIONAL
            if mark == "|":
                if not message.oneof_decl:
                    message.oneof_decl.add(name="arms")
                field.oneof_index = 0
            if type_name[0].isupper():
                field.type, field.type_name = kind.TYPE_MESSAGE, f".chat.{type_name}"
            else:
                field.type = getattr(kind, f"TYPE_{type_name.upper()}")
        for field, declared in zip(message.field, fields.split(", ")):
            if "?" in declared:  # a oneof of its own behind all others is how protoc writes `optional`
                field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field.name}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    names = [message.name for message in file.message_type]
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"chat.{name}")) for name in names}


def from_google(message) -> dict:
    """A protobuf message as our dictionary."""
    def convert(value):
        if hasattr(value, "ListFields"):
            return from_google(value)
        return [convert(item) for item in value] if hasattr(value, "append") else value

    return {field.name: convert(value) for field, value in message.ListFields()}


def random_value(layout: Message, chance: random.Random) -> dict:
    """A message with some of its fields."""
    def scalar(kind):
        if isinstance(kind, Message):
            return random_value(kind, chance)
        if kind == "string":
            return "".join(chance.choices("aß𝄞_ ", k=chance.randrange(4)))
        if kind == "bytes":
            return chance.randbytes(chance.randrange(4))
        bits, signed = INTEGERS[kind]
        number = chance.getrandbits(chance.randrange(1, bits + 1))
        return number != 0 if kind == "bool" else number - (1 << bits - 1) if signed else number

    value = {
        field.name: [scalar(field.kind) for _ in range(chance.randrange(3))] if field.repeated else scalar(field.kind)
        for field in layout.fields if not field.oneof and chance.random() < 0.7
    }
    if layout.oneofs:
        field = chance.choice([field for field in layout.fields if field.oneof])
        value[field.name] = scalar(field.kind)
    return value


@unittest.skipIf(descriptor_pb2 is None, "protobuf is not installed: no third opinion on proto3")
class ThirdOpinion(unittest.TestCase):
    def setUp(self):
        self.chance, self.google = random.Random(4), google_messages()

    def test_every_layout_is_in_the_table(self):
        self.assertEqual(
            {name for name in messages.ALL} - set(self.google), {"EnvelopeV1Document", "InboxV1FrameDocument"}
        )

    def test_encodings_are_the_same(self):
        for name, google in self.google.items():
            layout = messages.ALL[name]
            for _ in range(100):
                value = random_value(layout, self.chance)
                encoded = layout.encode(value)
                with self.subTest(name=name, encoded=encoded.hex()):
                    parsed = google.FromString(encoded)
                    self.assertEqual(parsed.SerializeToString(deterministic=True), encoded)
                    self.assertEqual(from_google(parsed), layout.decode(encoded))

    def test_groups_are_skipped_as_protobuf_skips_them(self):
        def fields(depth: int) -> bytes:
            output = b""
            for _ in range(self.chance.randrange(3)):
                number = self.chance.randrange(100, 2**29)
                tag = lambda wire_type: write_varint(number << 3 | wire_type)
                if depth < 10 and self.chance.random() < 0.6:
                    output += tag(3) + fields(depth + 1) + tag(4)
                else:
                    output += tag(2) + b"\x03" + self.chance.randbytes(3)
            return output

        for name, google in self.google.items():
            for _ in range(50):
                value = random_value(messages.ALL[name], self.chance)
                encoded = fields(0) + messages.ALL[name].encode(value) + fields(0)
                with self.subTest(name=name, encoded=encoded.hex()):
                    self.assertEqual(from_google(google.FromString(encoded)), messages.ALL[name].decode(encoded))

    def test_what_we_read_from_broken_bytes_protobuf_reads_too(self):
        """The reverse does not hold: protobuf skips known fields of another wire type."""
        agreed = 0
        for name, google in self.google.items():
            layout = messages.ALL[name]
            for _ in range(300):
                encoded = bytearray(layout.encode(random_value(layout, self.chance)))
                for _ in range(self.chance.randrange(1, 3)):
                    if encoded:
                        encoded[self.chance.randrange(len(encoded))] = self.chance.randrange(256)
                try:
                    value = layout.decode(bytes(encoded))
                except Refused:
                    continue
                with self.subTest(name=name, encoded=encoded.hex()):
                    self.assertEqual(from_google(google.FromString(bytes(encoded))), value)
                    agreed += 1
        self.assertGreater(agreed, 1000)


if __name__ == "__main__":
    unittest.main()
