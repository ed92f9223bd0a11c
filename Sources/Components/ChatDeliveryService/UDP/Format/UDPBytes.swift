package import ChatModel

/// Datagrams and messages as bytes, without a session: for vectors and tools.
package enum UDPBytes {
    /// A frame to be written, with its own bytes.
    package enum Frame {
        case ping
        case acknowledgement(delay: UInt32, [ClosedRange<UInt64>])
        case message(number: UInt64, distance: UInt32, total: Int, index: Int, [UInt8])
    }

    private static let nobody = NetworkAddress(v4: 0, port: 0)

    private static func one(_ write: (inout DatagramBatch) -> Void) -> [UInt8] {
        var batch = DatagramBatch()
        write(&batch)
        return batch.datagram(0)
    }

    package static func hello(_ hello: Hello, session: UInt64) -> [UInt8] {
        one { hello.write(to: &$0, session: session, peer: nobody) }
    }

    package static func challenge(_ cookie: [UInt8], session: UInt64) -> [UInt8] {
        one { $0.challenge(cookie, session: session, peer: nobody) }
    }

    package static func welcome(_ welcome: Welcome, session: UInt64) -> [UInt8] {
        one { welcome.write(to: &$0, session: session, peer: nobody) }
    }

    package static func reset(_ reason: UDPFormat.ResetReason, session: UInt64) -> [UInt8] {
        one { $0.reset(reason, session: session, peer: nobody) }
    }

    package static func data(_ number: UInt64, frames: [Frame], session: UInt64) -> [UInt8] {
        one { batch in
            batch.begin(.data, session: session)
            batch.append { bytes in
                bytes.append(big: number)
                for frame in frames { bytes.append(frame) }
            }
            batch.end(to: nobody)
        }
    }

    /// The frames of a `DATA` datagram; one that does not decode refuses all of them (UDP-7).
    package static func frames(
        of datagram: [UInt8], at offset: Int
    ) throws(UDPError) -> [ChatDeliveryService.Frame] {
        var frames: [ChatDeliveryService.Frame] = []
        var reader = try FrameReader(datagram.span, at: offset)
        while let frame = try reader.next() { frames.append(frame) }
        return frames
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ frame: UDPBytes.Frame) {
        switch frame {
        case .ping: append(Frame.Code.ping)
        case .acknowledgement(let delay, let ranges): append(Acknowledgement(delay: delay, ranges: ranges))
        case .message(let number, let distance, let total, let index, let bytes):
            append(Fragment(message: number, distance: distance, total: total, index: index))
            append(contentsOf: bytes)
        }
    }
}

extension Request {
    /// The whole message.
    package var encoded: Bytes { Bytes(head + body.array) }
}

extension Answer {
    /// The whole message.
    package var encoded: Bytes {
        switch self {
        case .results(let entries): return Bytes(Answer.head(results: entries))
        case .gone(let number, let sequence): return Bytes(Answer.head(gone: number, through: sequence))
        case .deliver(let number, let sequence, let id, let reply, let payload):
            let addressed = Addressed("", payload: payload, id: id, replyAddress: reply)
            return Bytes(Answer.head(deliver: addressed, sequence: sequence, number: number) + payload.array)
        }
    }
}
