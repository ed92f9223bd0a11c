import ChatDeliveryService
import ChatModel

// What travels between clients and a relay. The verdict is that of the decoders that both use.
extension Inspector {
    func datagram(_ run: Run, depth: Int) -> DissectionNode {
        guard !Self.isSealed(run.bytes) else { return sealedDatagram(run, depth: depth) }
        var walk = FieldWalk(DissectionNode(.datagram, run), run, requirement: "UDP-7")
        if let version = walk.number("version", 1), version != UInt64(UDPFormat.version) {
            walk.fail(at: 0, "version \(version); answered with RESET 3", "UDP-2")
        }
        let kind = walk.number("kind", 1).flatMap { UDPFormat.Kind(rawValue: UInt8(truncatingIfNeeded: $0)) }
        if let kind { walk.explain(kind.name) }
        walk.bytes("session", 8, "drawn by the client")
        switch kind {
        case .hello:
            walk.number("window", 4, "bytes of deliveries taken ahead")
            walk.short("cookie", limit: UDPFormat.maximumCookie, "from the relay's CHALLENGE; empty at first")
            padding(&walk)
        case .challenge: walk.short("cookie", limit: UDPFormat.maximumCookie, "to be sent back")
        case .welcome: welcome(&walk)
        case .reset:
            if let reason = walk.number("reason", 1) {
                walk.explain(
                    ["", "unknown session", "no room", "this version is not spoken", "the other side ends it"][
                        min(Int(reason), 4)])
            }
            walk.short("versions", limit: UDPFormat.maximumCookie, "those that are spoken")
        case .data:
            walk.number("packet", 8, "never used twice")
            frames(&walk, depth: depth)
        case nil: walk.fail(at: 1, "no kind of datagram")
        }
        var piece = walk.piece
        if piece.faults.isEmpty, let error = refusal(of: run.bytes) {
            piece.fault = run.fault(error.offset ?? run.bytes.count, "\(error)", "UDP-1", Kind.datagram.section)
        }
        return piece
    }

    private func refusal(of bytes: Bytes) -> UDPError? {
        do throws(UDPError) {
            _ = try Datagram(bytes.span)
            return nil
        } catch { return error }
    }

    private func welcome(_ walk: inout FieldWalk) {
        walk.number("epoch", 8, "drawn when the relay started")
        walk.number("largest payload", 4, "bytes")
        walk.number("window", 4, "bytes of messages taken ahead")
        walk.number("idle time", 4, "ms, after which the session is forgotten")
        walk.number("quota", 4, "payloads in an epoch; 0 for none")
        walk.number("quota epoch", 4, "ms")
        walk.number("kept payloads", 4, "for each address")
        walk.number("kept bytes", 8, "for each address")
        walk.number("kept time", 8, "ms")
        padding(&walk)
    }

    /// Zeros up to the largest datagram; extensions, which there are none of yet, come first.
    private func padding(_ walk: inout FieldWalk) {
        guard !walk.isBroken, walk.rest > 0 else { return }
        walk.bytes("extensions and zeros", walk.rest, "up to 1,200 bytes")
    }

    func frames(_ walk: inout FieldWalk, depth: Int, isSealed: Bool = false) {
        while !walk.isBroken, walk.rest > 0 {
            let start = walk.offset
            switch walk.run.bytes[start] {
            case 0:
                let end = walk.run.bytes.span.extracting(start..<walk.run.bytes.count).count(leading: 0) + start
                walk.add(DissectionNode("PADDING", walk.run.part(start..<end)), bytes: end - start)
            case 1: walk.add(DissectionNode("PING", walk.run.part(start..<start + 1)), bytes: 1)
            case 2: inner(&walk, "ACK", acknowledgement)
            case 3: inner(&walk, "MESSAGE") { fragment(&$0, depth: depth + 1) }
            case let code where isSealed && sealedFrame(code, &walk): continue
            case let code: walk.fail(at: start, "frame \(code) does not exist")
            }
        }
    }

    /// A frame of several fields.
    func inner(_ walk: inout FieldWalk, _ name: String, _ read: (inout FieldWalk) -> Void) {
        let rest = walk.run.part(walk.offset..<walk.run.bytes.count)
        var piece = DissectionNode(name, rest)
        piece.section = Section("udp.md", "DATA: packets and frames")
        var frame = FieldWalk(piece, rest, requirement: "UDP-7")
        frame.number("frame", 1)
        read(&frame)
        piece = frame.piece
        piece.count = frame.offset
        if let fault = frame.piece.fault {
            walk.fail(at: fault.offset - walk.run.start, fault.reason, fault.requirement)
        }
        piece.fault = nil
        walk.add(piece, bytes: frame.offset)
    }

    private func acknowledgement(_ walk: inout FieldWalk) {
        walk.number("delay", 4, "µs since the newest packet came")
        guard let count = walk.number("ranges", 1) else { return }
        guard 1...UInt64(UDPFormat.maximumRanges) ~= count else {
            return walk.fail(at: walk.offset - 1, "\(count) ranges; 1 to \(UDPFormat.maximumRanges) allowed")
        }
        var lowest: UInt64?
        for _ in 0..<count {
            let start = walk.offset
            guard let first = walk.number("first", 8), let last = walk.number("last", 8) else { return }
            let isBelow = lowest.map { last < $0 && $0 - last > 1 } ?? (last < .max)
            guard first <= last, isBelow else { return walk.fail(at: start, "a range that touches the one before") }
            lowest = first
        }
    }

    private func fragment(_ walk: inout FieldWalk, depth: Int) {
        guard let number = walk.number("message", 8, "counts the messages of one direction"),
            let distance = walk.number("distance", 4, "how many before it the one is that comes first"),
            let total = walk.number("bytes", 4, "of the whole message"), let index = walk.number("fragment", 2)
        else { return }
        guard distance <= number else { return walk.fail(at: 9, "distance \(distance) of message \(number)", "UDP-9") }
        guard total > 0, index < UDPFormat.fragments(of: Int(total)) else {
            return walk.fail(at: 13, "fragment \(index) of a message of \(total) bytes", "UDP-9")
        }
        let count = UDPFormat.range(ofFragment: Int(index), of: Int(total)).count
        guard count <= walk.rest else {
            return walk.fail(at: walk.run.bytes.count, "\(count - walk.rest) more bytes expected for the fragment")
        }
        let bytes = walk.run.part(walk.offset..<walk.offset + count)
        var part = DissectionNode("piece", bytes)
        part.value = .bytes(bytes.bytes)
        if count == total, let (_, message) = guess(bytes, among: [.message], depth: depth) { part.adopt(message) }
        walk.add(part, bytes: count)
    }
}

// Messages, which are whole where they fit into one fragment.
extension Inspector {
    func message(_ run: Run, depth: Int) -> DissectionNode {
        var walk = FieldWalk(DissectionNode(.message, run), run, requirement: "UDP-15")
        switch walk.number("code", 1) {
        case 1:
            walk.explain("PUBLISH")
            walk.bytes("payload id", 16, "stays the same when it is published again")
            walk.text("address")
            walk.text("reply address", "empty for none")
            payload(&walk, depth: depth)
        case 2:
            walk.explain("SUBSCRIBE")
            walk.number("subscription", 4, "chosen by the client")
            if let since = walk.number("since", 1, "0 now, 1 earliest kept, 2 after the cursor"), since > 2 {
                walk.fail(at: walk.offset - 1, "since \(since); 0, 1 or 2")
            }
            walk.number("epoch", 8)
            walk.number("sequence", 8)
            walk.text("address")
            walk.end()
        case 3:
            walk.explain("UNSUBSCRIBE")
            walk.number("subscription", 4)
            walk.end()
        case 0x81:
            walk.explain("RESULTS")
            results(&walk)
        case 0x82:
            walk.explain("DELIVER")
            walk.number("subscription", 4)
            walk.number("sequence", 8)
            walk.bytes("payload id", 16)
            walk.text("reply address", "empty for none")
            payload(&walk, depth: depth)
        case 0x83:
            walk.explain("GONE")
            walk.number("subscription", 4)
            walk.number("sequence", 8, "up to which payloads are gone")
            walk.end()
        case let code?: walk.fail(at: 0, "no message has code \(code)")
        case nil: break
        }
        return walk.piece
    }

    private func results(_ walk: inout FieldWalk) {
        let meanings = ["done", "too large", "rate limited", "bad address", "overloaded", "rejected"]
        var count = 0
        while !walk.isBroken, walk.rest > 0 {
            count += 1
            guard count <= Answer.Entry.most else {
                return walk.fail(at: walk.offset, "more than \(Answer.Entry.most) results")
            }
            walk.number("message", 8, "that carried the request")
            guard let code = walk.number("result", 1) else { return }
            guard code < meanings.count else { return walk.fail(at: walk.offset - 1, "result \(code) does not exist") }
            walk.explain(meanings[Int(code)])
            walk.number("first", 8)
            walk.number("second", 8)
        }
    }

    private func payload(_ walk: inout FieldWalk, depth: Int) {
        guard !walk.isBroken else { return }
        let run = walk.run.part(walk.offset..<walk.run.bytes.count)
        var part = DissectionNode("payload", run)
        part.value = .bytes(run.bytes)
        if let (_, found) = guess(run, among: [.envelope, .plain, .directory], depth: depth + 1) { part.adopt(found) }
        walk.add(part, bytes: run.bytes.count)
    }
}

extension UDPFormat.Kind {
    fileprivate var name: String {
        switch self {
        case .hello: "HELLO: let me in"
        case .challenge: "CHALLENGE: show that you receive"
        case .welcome: "WELCOME: you are in"
        case .reset: "RESET: there is no such session"
        case .data: "DATA: frames"
        }
    }
}

extension UDPError {
    fileprivate var offset: Int? {
        switch self {
        case .truncated(_, let at), .malformed(_, let at): at
        default: nil
        }
    }
}

extension Span<UInt8> {
    /// How many bytes of a value it begins with.
    fileprivate func count(leading value: UInt8) -> Int {
        var count = 0
        while count < self.count, self[count] == value { count += 1 }
        return count
    }
}
