import ChatCodec

// Making them.
extension Kind {
    @Sendable static func udpFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        let session = maker.hex(8, "udp/session")
        let cookie = maker.hex(20, "udp/cookie")
        let message: JSON = [
            "frame": "message", "number": 7, "distance": 2, "size": 1_130, "index": 1,
            "bytes": maker.hex(10, "udp/fragment"),
        ]
        let ack: JSON = [
            "frame": "ack", "delay": 250, "ranges": [["first": 9, "last": 12], ["first": 0, "last": 7]],
        ]
        let datagrams: [(String, String, String, JSON)] = [
            ("hello", "a first HELLO has no cookie", "hello", ["window": 1_048_576, "cookie": ""]),
            ("hello-cookie", "and then that of the challenge", "hello", ["window": 4_294_967_295, "cookie": cookie]),
            ("challenge", "a CHALLENGE", "challenge", ["cookie": cookie]),
            (
                "welcome", "a WELCOME", "welcome",
                [
                    "epoch": 18_446_744_073, "largest_payload": 153_600, "window": 1_048_576, "idle": 30_000,
                    "quota": 100, "quota_time": 600_000, "kept_payloads": 1_000, "kept_bytes": 1_073_741_824,
                    "kept_time": 86_400_000,
                ]
            ),
            ("reset", "a RESET of a session that is not known", "reset", ["reason": 1, "versions": ""]),
            ("reset-version", "a RESET names the versions that are spoken", "reset", ["reason": 3, "versions": "01"]),
            (
                "data", "PING, ACK and the second fragment of a message (UDP-9)", "data",
                ["packet": 3, "frames": [["frame": "ping"], ack, message]]
            ),
            ("data-empty", "a packet without frames", "data", ["packet": 0, "frames": []]),
        ]
        for (id, comment, kind, fields) in datagrams {
            let write: JSON = [
                "operation": "write_datagram", "session": session, "kind": .string(kind), "fields": fields,
            ]
            let bytes = try await run(write, udp)["bytes"] ?? .null
            cases += [
                draft("write-\(id)", comment, write),
                draft("read-\(id)", "the same, read", ["operation": "read_datagram", "bytes": bytes]),
            ]
        }
        let head = session.text ?? ""
        func bad(_ id: String, _ comment: String, _ bytes: String, _ error: String) {
            cases.append(
                draft("bad-\(id)", comment, ["operation": "read_datagram", "bytes": .string(bytes)], error: error))
        }
        let zeros = { (count: Int) in String(repeating: "00", count: count) }
        bad("nothing", "no bytes at all", "", "malformed")
        bad("version", "another version (UDP-2)", "0205" + head + zeros(8), "unsupported")
        bad("kind", "a kind that does not exist", "0106" + head, "unsupported")
        bad("short-hello", "a HELLO of 1,199 bytes (UDP-1)", "0101" + head + zeros(1_189), "malformed")
        bad("long", "a datagram of 1,201 bytes", "0105" + head + zeros(1_191), "too_large")
        bad("no-cookie", "a CHALLENGE without cookie", "0102" + head + "00", "malformed")
        bad("welcome", "a largest payload of 0", "0103" + head + zeros(1_190), "malformed")
        bad("cut", "it ends in the packet number", "0105" + head + zeros(7), "malformed")
        bad("frame", "a frame that does not exist (UDP-7)", "0105" + head + zeros(8) + "04", "malformed")
        bad("ack-none", "an ACK of nothing", "0105" + head + zeros(8) + "020000000000", "malformed")
        bad(
            "ack-touching", "ranges that touch",
            "0105" + head + zeros(8) + "020000000002"
                + "0000000000000005000000000000000500000000000000040000000000000004", "malformed")
        bad(
            "ack-backwards", "a range that goes down",
            "0105" + head + zeros(8) + "020000000001" + "00000000000000050000000000000004", "malformed")
        bad(
            "distance", "a distance larger than the number (UDP-9)",
            "0105" + head + zeros(8) + "03" + zeros(8) + "00000001" + "00000001" + "0000" + "61", "malformed")
        bad(
            "fragment", "a fragment beyond its message",
            "0105" + head + zeros(8) + "03" + zeros(8) + "00000000" + "00000001" + "0001" + "61", "malformed")
        bad(
            "fragment-cut", "a fragment shorter than it must be",
            "0105" + head + zeros(8) + "03" + zeros(8) + "00000000" + "00000002" + "0000" + "61", "malformed")
        bad(
            "empty-message", "a message of no bytes",
            "0105" + head + zeros(8) + "03" + zeros(8) + "00000000" + "00000000" + "0000", "malformed")
        return [VectorFile("udp.json", kind: "udp", profile: "all", cases: try await cases + messageCases(maker))]
    }

    private static func run(_ inputs: JSON, _ kind: Kind) async throws -> JSON {
        try await kind.run(Case(json: inputs))
    }

    private static func messageCases(_ maker: DeterministicValues) async throws -> [JSON] {
        var cases: [JSON] = []
        let id = maker.hex(16, "udp/payload_id")
        let messages: [(String, String, String, JSON)] = [
            (
                "publish", "a request to publish", "publish",
                ["payload_id": id, "address": "hall", "reply_address": "", "payload": "cafe"]
            ),
            (
                "publish-reply", "and where an answer is expected", "publish",
                ["payload_id": id, "address": "hall", "reply_address": "back", "payload": ""]
            ),
            (
                "subscribe", "from now", "subscribe",
                ["subscription": 1, "address": "hall", "since": 0, "epoch": 0, "sequence": 0]
            ),
            (
                "subscribe-earliest", "from the earliest", "subscribe",
                ["subscription": 2, "address": "hall", "since": 1, "epoch": 0, "sequence": 0]
            ),
            (
                "subscribe-after", "after a cursor", "subscribe",
                ["subscription": 3, "address": "hall", "since": 2, "epoch": 18_446_744_073, "sequence": 41]
            ),
            ("unsubscribe", "the end of it", "unsubscribe", ["subscription": 4_294_967_295]),
            (
                "results", "two answers", "results",
                [
                    "results": [
                        ["request": 0, "code": 0, "first": 7, "second": 0],
                        ["request": 1, "code": 1, "first": 200_000, "second": 153_600],
                    ]
                ]
            ),
            (
                "deliver", "a payload", "deliver",
                ["subscription": 1, "sequence": 7, "payload_id": id, "reply_address": "", "payload": "cafe"]
            ),
            ("gone", "payloads that are not kept any more", "gone", ["subscription": 1, "sequence": 6]),
        ]
        for (name, comment, message, fields) in messages {
            let write: JSON = ["operation": "write_message", "message": .string(message), "fields": fields]
            let bytes = try await run(write, udp)["bytes"] ?? .null
            let reader: JSON = ["publish", "subscribe", "unsubscribe"].contains(message) ? "relay" : "client"
            cases += [
                draft("write-\(name)", comment, write),
                draft("read-\(name)", "the same, read", ["operation": "read_message", "by": reader, "bytes": bytes]),
            ]
        }
        let bad: [(String, String, JSON, String, String)] = [
            ("request-empty", "no bytes at all", "relay", "", "malformed"),
            ("request-unknown", "a request that does not exist (UDP-15)", "relay", "04", "unsupported"),
            ("publish-cut", "it ends in the id", "relay", "0100", "malformed"),
            (
                "publish-not-utf8", "an address that is not UTF-8", "relay",
                "01" + String(repeating: "00", count: 16) + "02c32800", "malformed"
            ),
            (
                "subscribe-since", "a since that does not exist", "relay",
                "020000000103" + String(repeating: "00", count: 16) + "0161", "malformed"
            ),
            (
                "subscribe-trailing", "a byte behind the address", "relay",
                "020000000100" + String(repeating: "00", count: 16) + "016162", "malformed"
            ),
            ("answer-unknown", "an answer that does not exist", "client", "84", "unsupported"),
            ("results-cut", "24 bytes of a result", "client", "81" + String(repeating: "00", count: 24), "malformed"),
            ("deliver-cut", "it ends in the sequence", "client", "8200000001000000", "malformed"),
            ("gone-trailing", "a byte behind the sequence", "client", "8300000001000000000000000600", "malformed"),
        ]
        for (name, comment, reader, bytes, error) in bad {
            cases.append(
                draft(
                    "bad-\(name)", comment, ["operation": "read_message", "by": reader, "bytes": .string(bytes)],
                    error: error))
        }
        return cases
    }
}
