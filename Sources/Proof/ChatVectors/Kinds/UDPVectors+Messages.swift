import ChatCodec
import ChatDeliveryService
import ChatModel

// Requests and answers.
extension Kind {
    @Sendable static func writeMessage(_ one: Case) async throws -> JSON {
        let fields = try one.at("fields")
        let bytes =
            switch try one.text("message") {
            case "publish":
                Request.publish(
                    Addressed(
                        DeliveryAddress(try fields.text("address")), payload: Bytes(try fields.bytes("payload")),
                        id: try payloadID(fields), replyAddress: try reply(fields))
                ).encoded
            case "subscribe":
                Request.subscribe(
                    number: try fields.number("subscription"), DeliveryAddress(try fields.text("address")),
                    try since(fields)
                ).encoded
            case "unsubscribe": Request.unsubscribe(number: try fields.number("subscription")).encoded
            case "results": Answer.results(try fields.list("results").map(entry)).encoded
            case "deliver":
                Answer.deliver(
                    number: try fields.number("subscription"), sequence: try fields.uint64("sequence"),
                    try payloadID(fields), reply: try reply(fields), Bytes(try fields.bytes("payload"))
                ).encoded
            case "gone":
                Answer.gone(number: try fields.number("subscription"), through: try fields.uint64("sequence")).encoded
            case let other: throw Problem.notApplicable("message \(other)")
            }
        return ["bytes": .hex(bytes)]
    }

    @Sendable static func readMessage(_ one: Case) async throws -> JSON {
        let bytes = Bytes(try one.bytes("bytes"))
        return try one.text("by") == "relay" ? json(Request(bytes)) : json(Answer(bytes))
    }

    private static func json(_ request: Request) -> JSON {
        switch request {
        case .publish(let addressed):
            [
                "message": "publish",
                "fields": [
                    "payload_id": .hex(bytes(addressed.id)), "address": .string(addressed.address.text),
                    "reply_address": .string(addressed.replyAddress?.text ?? ""), "payload": .hex(addressed.payload),
                ],
            ]
        case .subscribe(let number, let address, let since):
            [
                "message": "subscribe",
                "fields": (["subscription": JSON(UInt64(number)), "address": .string(address.text)] as JSON)
                    .adding(json(since)),
            ]
        case .unsubscribe(let number): ["message": "unsubscribe", "fields": ["subscription": JSON(UInt64(number))]]
        }
    }

    private static func json(_ answer: Answer) -> JSON {
        switch answer {
        case .results(let entries):
            [
                "message": "results",
                "fields": [
                    "results": .array(
                        entries.map { entry in
                            [
                                "request": JSON(entry.message), "code": JSON(Int(entry.code.rawValue)),
                                "first": JSON(entry.first), "second": JSON(entry.second),
                            ]
                        })
                ],
            ]
        case .deliver(let number, let sequence, let id, let reply, let payload):
            [
                "message": "deliver",
                "fields": [
                    "subscription": JSON(UInt64(number)), "sequence": JSON(sequence), "payload_id": .hex(bytes(id)),
                    "reply_address": .string(reply?.text ?? ""), "payload": .hex(payload),
                ],
            ]
        case .gone(let number, let sequence):
            ["message": "gone", "fields": ["subscription": JSON(UInt64(number)), "sequence": JSON(sequence)]]
        }
    }

    private static func json(_ since: Request.WireSince) -> JSON {
        switch since {
        case .now: ["since": 0, "epoch": 0, "sequence": 0]
        case .earliest: ["since": 1, "epoch": 0, "sequence": 0]
        case .after(let epoch, let sequence): ["since": 2, "epoch": JSON(epoch), "sequence": JSON(sequence)]
        }
    }

    private static func since(_ fields: Case) throws -> Request.WireSince {
        let (epoch, sequence) = (try fields.uint64("epoch"), try fields.uint64("sequence"))
        return switch try fields.int("since") {
        case 0 where epoch == 0 && sequence == 0: .now
        case 1 where epoch == 0 && sequence == 0: .earliest
        case 2: .after(epoch: epoch, sequence: sequence)
        default: throw Problem.notApplicable("a since that nobody writes")
        }
    }

    private static func entry(_ one: Case) throws -> Answer.Entry {
        guard let code = Answer.ResultCode(rawValue: try one.number("code")) else {
            throw Problem.notApplicable("a code that nobody writes")
        }
        return Answer.Entry(
            message: try one.uint64("request"), code: code, first: try one.uint64("first"),
            second: try one.uint64("second"))
    }

    private static func reply(_ fields: Case) throws -> DeliveryAddress? {
        let text = try fields.text("reply_address")
        return text.isEmpty ? nil : DeliveryAddress(text)
    }

    private static func payloadID(_ fields: Case) throws -> PayloadID {
        let bytes = try fields.bytes("payload_id")
        guard bytes.count == 16 else { throw Problem.unreadable("a payload_id has 16 bytes") }
        return PayloadID(high: bytes[..<8].bigEndian, low: bytes[8...].bigEndian)
    }

    private static func bytes(_ id: PayloadID) -> [UInt8] {
        id.high.bigEndianBytes + id.low.bigEndianBytes
    }
}
