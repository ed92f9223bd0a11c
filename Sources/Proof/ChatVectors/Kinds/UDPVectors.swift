import ChatCodec
import ChatDeliveryService
import ChatModel

// Kind `udp`: datagrams with their frames, requests and answers; not their timing.
extension Kind {
    static let udp = Kind(
        name: "udp",
        run: operations([
            "write_datagram": writeDatagram, "read_datagram": readDatagram, "write_message": writeMessage,
            "read_message": readMessage,
        ]), files: udpFiles)

    private static func writeDatagram(_ one: Case) async throws -> JSON {
        let (session, fields) = (try one.bytes("session"), try one.at("fields"))
        guard session.count == 8 else { throw Problem.unreadable("a session has 8 bytes") }
        let number = session.bigEndian
        let bytes =
            switch try one.text("kind") {
            case "hello":
                UDPBytes.hello(
                    Hello(window: try fields.number("window"), cookie: try fields.bytes("cookie")), session: number)
            case "challenge": UDPBytes.challenge(try fields.bytes("cookie"), session: number)
            case "welcome": UDPBytes.welcome(try welcome(fields), session: number)
            case "reset":
                try reset(fields, session: number)
            case "data":
                UDPBytes.data(
                    try fields.uint64("packet"), frames: try fields.list("frames").map(frame), session: number)
            case let other: throw Problem.notApplicable("kind \(other)")
            }
        return ["bytes": .hex(bytes)]
    }

    private static func readDatagram(_ one: Case) async throws -> JSON {
        let bytes = try one.bytes("bytes")
        let datagram = try Datagram(bytes.span)
        let session = bytes.count >= 10 ? Array(bytes[2..<10]) : []
        let head: JSON = ["session": .hex(session)]
        switch datagram {
        case .hello(let hello):
            return head.adding([
                "kind": "hello", "fields": ["window": JSON(UInt64(hello.window)), "cookie": .hex(hello.cookie)],
            ])
        case .challenge(let cookie): return head.adding(["kind": "challenge", "fields": ["cookie": .hex(cookie)]])
        case .welcome(let welcome): return head.adding(["kind": "welcome", "fields": json(welcome)])
        case .reset(let reason, let versions):
            return head.adding([
                "kind": "reset", "fields": ["reason": JSON(Int(reason.rawValue)), "versions": .hex(versions)],
            ])
        case .data(let number, let offset):
            let frames = try UDPBytes.frames(of: bytes, at: offset).compactMap { json($0, bytes) }
            return head.adding(["kind": "data", "fields": ["packet": JSON(number), "frames": .array(frames)]])
        }
    }

    /// The versions in it are those that are spoken, whatever a case asks for.
    private static func reset(_ fields: Case, session: UInt64) throws -> [UInt8] {
        let bytes = UDPBytes.reset(try reason(fields), session: session)
        guard case .reset(_, let versions) = try Datagram(bytes.span) else { return bytes }
        try expect("versions", .hex(versions), .string(fields.text("versions")))
        return bytes
    }

    private static func reason(_ fields: Case) throws -> UDPFormat.ResetReason {
        UDPFormat.ResetReason(rawValue: try fields.number("reason"))
    }

    private static func welcome(_ fields: Case) throws -> Welcome {
        Welcome(
            epoch: try fields.uint64("epoch"), maximumPayload: try fields.number("largest_payload"),
            window: try fields.number("window"), idleMilliseconds: try fields.number("idle"),
            ratePayloads: try fields.number("quota"), rateMilliseconds: try fields.number("quota_time"),
            retainedPayloads: try fields.number("kept_payloads"), retainedBytes: try fields.uint64("kept_bytes"),
            retainedMilliseconds: try fields.uint64("kept_time"))
    }

    private static func json(_ welcome: Welcome) -> JSON {
        [
            "epoch": JSON(welcome.epoch), "largest_payload": JSON(UInt64(welcome.maximumPayload)),
            "window": JSON(UInt64(welcome.window)), "idle": JSON(UInt64(welcome.idleMilliseconds)),
            "quota": JSON(UInt64(welcome.ratePayloads)), "quota_time": JSON(UInt64(welcome.rateMilliseconds)),
            "kept_payloads": JSON(UInt64(welcome.retainedPayloads)), "kept_bytes": JSON(welcome.retainedBytes),
            "kept_time": JSON(welcome.retainedMilliseconds),
        ]
    }

    private static func frame(_ one: Case) throws -> UDPBytes.Frame {
        switch try one.text("frame") {
        case "ping": return .ping
        case "ack":
            let ranges = try one.list("ranges").map { range -> ClosedRange<UInt64> in
                let (first, last) = (try range.uint64("first"), try range.uint64("last"))
                guard first <= last else { throw Problem.unreadable("a range that goes down") }
                return first...last
            }
            return .acknowledgement(delay: try one.number("delay"), ranges)
        case "message":
            return .message(
                number: try one.uint64("number"), distance: try one.number("distance"), total: try one.int("size"),
                index: try one.int("index"), try one.bytes("bytes"))
        case let other: throw Problem.notApplicable("frame \(other)")
        }
    }

    private static func json(_ frame: Frame, _ bytes: [UInt8]) -> JSON? {
        switch frame {
        case .padding, .challenge, .response, .key, .close: nil  // the last four only on sealed hops
        case .ping: ["frame": "ping"]
        case .acknowledgement(let ack):
            [
                "frame": "ack", "delay": JSON(UInt64(ack.delay)),
                "ranges": .array(ack.ranges.map { ["first": JSON($0.lowerBound), "last": JSON($0.upperBound)] }),
            ]
        case .message(let fragment, let range):
            [
                "frame": "message", "number": JSON(fragment.message), "distance": JSON(UInt64(fragment.distance)),
                "size": JSON(fragment.total), "index": JSON(fragment.index), "bytes": .hex(Array(bytes[range])),
            ]
        }
    }
}
