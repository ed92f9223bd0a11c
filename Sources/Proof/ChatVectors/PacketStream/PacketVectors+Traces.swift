import ChatCodec
import ChatModel
import PacketStream

// The machines of delivery and of a session's start.
extension PacketVectors {
    @Sendable static func trace(_ one: PacketCase) throws {
        switch try one.text("what") {
        case "dedupe": try dedupe(one)
        case "dedupe-key": try dedupeKey(one)
        case "chunks": try chunks(one)
        case "handshake": try handshake(one)
        case "order": try order(one)
        case "backoff": try backoff(one)
        case "pause": try pause(one)
        case "receipt": try receipt(one)
        case "ack": try ack(one)
        case let what: throw Problem.notApplicable("what \(what)")
        }
    }

    private static func dedupe(_ one: PacketCase) throws {
        var lists = Deduplication(limit: try one.int("limit"))
        let out = try one.list("events").map { event -> JSON in
            let key = try event["key"]?.text.map(key)
            switch (event["do"]?.text, key) {
            case ("arrive", _): return .string(word(lists.arrive(key)))
            case ("done", let key?): return lists.complete(key) && key.hasReceipt ? "receipt" : "receipt-none"
            case ("release", let key?):
                lists.release(key)
                return "released"
            case ("reconnect", _):
                lists.reconnect()
                return "clear-pending"
            case (let event, _): throw Problem.notApplicable("event \(event ?? "without a name")")
            }
        }
        try PacketCase.expect("the trace", .array(out), one.value("out"))
    }

    private static func word(_ arrival: Deduplication.Arrival) -> String {
        switch arrival {
        case .deliver: "deliver"
        case .dropPending: "drop-pending"
        case .dropCompleted(let sendsReceipt): sendsReceipt ? "drop-completed+receipt" : "drop-completed"
        case .overflow: "overflow"
        }
    }

    /// `env|stream|partition|sequence` or `msg|id`.
    private static func key(_ text: String) throws -> PacketKey {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        if parts[0] == "msg" { return .message(String(text.dropFirst(4))) }
        guard parts.count == 4, parts[0] == "env", let sequence = UInt64(parts[3]) else {
            throw Problem.unreadable("key \(text)")
        }
        return .sequence(stream: parts[1], partition: parts[2], sequence)
    }

    private static func dedupeKey(_ one: PacketCase) throws {
        let stream = one.json["stream"].flatMap { $0 == .null ? nil : PacketView.stream($0) }
        let found = PacketKey(stream: stream, messageID: one.json["messageId"]?.text)
        let text: JSON =
            switch found {
            case .sequence(let stream, let partition, let number): .string("env|\(stream)|\(partition)|\(number)")
            case .message(let id): .string("msg|\(id)")
            case nil: .null
            }
        try PacketCase.expect("the key", text, one.value("key"))
    }

    static func chunks(_ one: PacketCase) throws {
        var limits = Reassembly.Limits()
        if let number = one.json["limits"]?["assemblies"]?.int { limits.assemblies = number }
        if let number = one.json["limits"]?["in_flight"]?.int { limits.inFlight = number }
        if let number = one.json["limits"]?["chunk"]?.int { limits.chunk = number }
        var reassembly = Reassembly(limits)
        let outcomes = try one.list("out")
        for (number, step) in try one.list("steps").enumerated() {
            guard outcomes.indices.contains(number) else { throw Problem.unreadable("out has no \(number)") }
            let before = reassembly
            var outcome: JSON?
            let violation = try PacketCase.violation { outcome = try arrive(step, at: &reassembly) }
            if let rule = outcomes[number]["rule"] {
                let rules: JSON = rule.list == nil ? .array([rule]) : rule
                try PacketCase.expect(rules, "chunk \(number)", violation)
                guard reassembly == before else { throw Problem.differs("a refused chunk changed what is held") }
                return
            }
            if let violation { throw violation }
            try PacketCase.expect("chunk \(number)", outcome ?? .null, outcomes[number])
        }
    }

    private static func arrive(_ step: JSON, at reassembly: inout Reassembly) throws -> JSON {
        let frame = BinaryFrame(
            payload: try PacketView.bytes(step, "bytes"), mimeType: step["mime"]?.text ?? "")
        let packet = WirePacket(
            metadata: PacketView.metadata(step["metadata"]), frame: .binary(frame),
            stream: step["stream"].map(PacketView.stream))
        guard case .chunk(let chunk) = try PacketV1().decode(packet) else {
            throw Problem.unreadable("a step is no chunk")
        }
        let now = Timestamp(milliseconds: step["at_ms"]?.uint64 ?? 0)
        switch try reassembly.receive(chunk, now: now) {
        case .collecting: return ["state": "collecting"]
        case .duplicate: return ["state": "duplicate"]
        case .assembled(let packet):
            var object = JSON.Object()
            object["state"] = "assembled"
            if case .binary(let frame)? = packet.frame { object["bytes"] = .string(Hex.encode(frame.payload.array)) }
            object["stream"] = packet.stream.map(WirePart.json)
            return .object(object)
        }
    }

    private static func order(_ one: PacketCase) throws {
        var order = SequenceOrder()
        let out = try one.list("seqs").map { item -> JSON in
            guard let parts = item.list?.map({ $0.text ?? "" }), parts.count == 3, let number = UInt64(parts[2])
            else { throw Problem.unreadable("a number without stream and partition") }
            switch order.take(StreamEnvelope(stream: parts[0], sequence: number, partition: parts[1])) {
            case .next: return "next"
            case .duplicate: return "duplicate"
            case .gap: return "gap"
            case .unsequenced: return "unsequenced"
            }
        }
        try PacketCase.expect("the trace", .array(out), one.value("out"))
    }

    private static func pause(_ one: PacketCase) throws {
        var gauge = BufferGauge(capacity: try one.int("capacity"))
        var out: [JSON] = []
        for (step, character) in try one.text("steps").enumerated() {
            guard let signal = character == "+" ? gauge.enqueue() : gauge.dequeue() else { continue }
            out.append([JSON(step), signal == .pause ? "pause" : "resume"])
        }
        try PacketCase.expect("the trace", .array(out), one.value("out"))
    }

    private static func receipt(_ one: PacketCase) throws {
        let stream = one.json["stream"].flatMap { $0 == .null ? nil : PacketView.stream($0) }
        let message = Receipt(for: stream, size: try one.int("size"))?.message
        let expected = try one.value("out")
        guard let message, expected != .null else {
            return try PacketCase.expect("the receipt", message == nil ? .null : true, expected)
        }
        try PacketCase.expect("the metadata", message.metadata.json, expected["metadata"] ?? .null)
        try PacketCase.expect(
            "the receipt", .string(Hex.encode(message.encoded(as: .request).array)), expected["hex"] ?? .null)
    }

    private static func ack(_ one: PacketCase) throws {
        let bytes = try Case.bytes(one.text("request_hex"), "request_hex")
        let answer = try ControlMessage(decoding: Bytes(bytes), as: .response).ack(handled: true)
        try PacketCase.expect(
            "the type", answer?.metadata["type"].map { .string($0) } ?? .null, one.value("answer_type"))
    }
}

// The start of a session, and its ends.
extension PacketVectors {
    private static func handshake(_ one: PacketCase) throws {
        var handshake = PacketHandshake()
        var (out, at): (String?, Int) = (nil, 0)
        for (number, event) in try one.list("trace").enumerated() where out == nil {
            at = number
            let violation = try PacketCase.violation { out = try happen(event, to: &handshake) }
            if let violation { out = violation.rule.rawValue }
        }
        try PacketCase.expect(
            "the outcome", .string(out ?? (handshake.isRunning ? "running" : "waiting")), one.value("out"))
        try PacketCase.expect("its place", JSON(at), one.value("at"))
    }

    /// Nil unless the session is over.
    private static func happen(_ event: JSON, to handshake: inout PacketHandshake) throws -> String? {
        switch event["event"]?.text {
        case "protocol": try handshake.check(protocol: event["version"]?.text)
        case "data": try handshake.packet()
        case "timeout": return handshake.isRunning ? nil : "timeout"
        case "ready", "capabilities":
            let bytes = try Case.bytes(event["hex"]?.text ?? "", "hex")
            try handshake.receive(try ControlMessage(decoding: Bytes(bytes), as: .response))
        case let name: throw Problem.notApplicable("event \(name ?? "without a name")")
        }
        return nil
    }

    private static func backoff(_ one: PacketCase) throws {
        var backoff = Backoff(Backoff.Policy(cap: try one.int("cap_ms")))
        let out = try one.list("events").map { event -> JSON in
            guard let text = event.text else { throw Problem.unreadable("an event is no text") }
            guard text != "delivered" else {
                backoff.delivered()
                return "reset"
            }
            guard let failure = failures[String(text.dropFirst(5))] else { throw Problem.notApplicable(text) }
            return backoff.fail(failure).map { JSON($0) } ?? "stop"
        }
        try PacketCase.expect("the trace", .array(out), one.value("out"))
    }

    private static let failures: [String: StreamFailure] = {
        var table: [String: StreamFailure] = [
            "HandshakeTimeout": .handshakeTimeout, "ProtocolMismatch": .protocolMismatch,
            "MissingBinding": .missingBinding,
        ]
        for code in StreamFailure.Code.allCases {
            let name = "\(code)"
            table[name.prefix(1).uppercased() + name.dropFirst()] = .code(code)
        }
        return table
    }()
}
