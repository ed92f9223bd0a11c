import ChatCodec
import ChatCrypto
import ChatDeliveryService
import ChatModel

// Kind `sealed_hop`: whole handshakes with cookies, and packets under several keys; not their timing.
extension Kind {
    static let sealedHop = Kind(
        name: "sealed_hop",
        run: operations([
            "handshake": handshake, "read_hello": readHello, "read_retry": readRetry, "read_welcome": readWelcome,
            "seal_packet": sealPacket, "open_packet": openPacket, "reset_token": resetToken,
        ]), files: sealedHopFiles)

    /// Both sides: every datagram of a handshake with a RETRY, and the keys that it gives.
    private static func handshake(_ one: Case) async throws -> JSON {
        let (own, relay) = (try one.keyPair("client_ephemeral"), try one.keyPair("relay_private"))
        let (id, cookie) = (try one.id("client_id"), try one.secret("cookie"))
        var noise = NoiseClient(
            prologue: SealedHandshake.prologue(id: id), relay: relay.publicKey, ephemeral: own)
        let asked = padded(try one.bytes("client_parameters"), SealedHandshake.messageSize - Noise.overhead)
        let message = try noise.first(asked.span)
        let hello = try SealedHandshake.hello(id: id, message: message, relay: relay.publicKey, cookie: nil)
        let again = try SealedHandshake.hello(id: id, message: message, relay: relay.publicKey, cookie: cookie)
        let read = try SealedHandshake.readHello(hello.span, relay: relay.publicKey)
        let retry = try SealedHandshake.retry(
            read, cookie: cookie, nonce: try one.bytes("nonce"), relay: relay.publicKey)
        let answering = try NoiseRelay(
            prologue: SealedHandshake.prologue(id: read.id), own: relay, first: again.span.extracting(read.message))
        let said = padded(try one.bytes("relay_parameters"), SealedHandshake.answerSize - Noise.overhead)
        let (second, outcome) = try answering.second(said.span, ephemeral: try one.keyPair("relay_ephemeral"))
        let welcome = try SealedHandshake.welcome(id: id, message: second)
        let theirs = try noise.second(second.span)
        guard theirs.1 == outcome, theirs.payload == said else {
            throw Problem.differs("the two sides have other keys")
        }
        return [
            "hello": .hex(hello), "retry": .hex(retry), "hello_again": .hex(again), "welcome": .hex(welcome),
            "hash": .hex(outcome.hash), "to_relay": .hex(outcome.toRelay), "to_client": .hex(outcome.toClient),
            "root": .hex(outcome.root),
        ]
    }

    private static func padded(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: max(0, size - bytes.count))
    }

    private static func readHello(_ one: Case) async throws -> JSON {
        let (relay, bytes) = (try one.keyPair("relay_private"), try one.bytes("bytes"))
        let read = try SealedHandshake.readHello(bytes.span, relay: relay.publicKey)
        let handshake: NoiseRelay
        do throws(CryptoError) {
            handshake = try NoiseRelay(
                prologue: SealedHandshake.prologue(id: read.id), own: relay, first: bytes.span.extracting(read.message))
        } catch { throw Refused("authentication_failed", "\(error)") }
        let asked = try ClientParameters(handshake.payload.span)
        return [
            "client_id": .hex(Array(bytes[2..<10])), "versions": .hex(asked.versions),
            "window": JSON(UInt64(asked.window)), "largest_datagram": JSON(UInt64(asked.largestDatagram)),
        ]
    }

    private static func readRetry(_ one: Case) async throws -> JSON {
        let (hello, retry) = (try one.bytes("hello"), try one.bytes("bytes"))
        let cookie = try SealedHandshake.cookie(
            in: retry.span, hello: hello.span, relay: PublicKey(try one.bytes("relay_key")))
        return ["cookie": .hex(cookie)]
    }

    private static func readWelcome(_ one: Case) async throws -> JSON {
        let own = try one.keyPair("client_ephemeral")
        let (bytes, id) = (try one.bytes("bytes"), try one.id("client_id"))
        var noise = NoiseClient(
            prologue: SealedHandshake.prologue(id: id), relay: PublicKey(try one.bytes("relay_key")), ephemeral: own)
        let asked = padded(try one.bytes("client_parameters"), SealedHandshake.messageSize - Noise.overhead)
        _ = try noise.first(asked.span)
        guard try SealedHandshake.header(of: bytes.span) == (.welcome, id), bytes.count == SealedHandshake.size else {
            throw Refused("malformed", "no WELCOME of this handshake")
        }
        let said: RelayParameters
        do throws(CryptoError) {
            let payload = try noise.second(bytes.span.extracting(SealedFormat.headerSize..<bytes.count)).payload
            said = try parameters(payload)
        } catch { throw Refused("authentication_failed", "\(error)") }
        switch said {
        case .refused(let limit, let milliseconds):
            return ["refused": JSON(UInt64(limit)), "milliseconds": JSON(UInt64(milliseconds))]
        case .welcome(let welcome):
            var id: [UInt8] = []
            id.append(big: welcome.id)
            return ["relay_id": .hex(id), "token": .hex(welcome.resetToken), "epoch": JSON(welcome.limits.epoch)]
        }
    }

    private static func parameters(_ payload: [UInt8]) throws(CryptoError) -> RelayParameters {
        do throws(UDPError) { return try RelayParameters(payload.span) } catch {
            throw .authenticationFailed("parameters: \(error)")
        }
    }

    /// The key of a direction after the exchanges that a case lists.
    private static func key(_ one: Case) throws -> (all: [PacketKey], last: PacketKey) {
        var last = try PacketKey(
            sealing: try one.secret("key"), root: try one.secret("root"), label: try one.text("direction"))
        var all = [last]
        for shared in try one.byteLists("exchanges") {
            last = try last.next(mixing: Secret(copying: shared.span))
            all.append(last)
        }
        return (all, last)
    }

    private static func sealPacket(_ one: Case) async throws -> JSON {
        let frames = try one.bytes("frames")
        return [
            "bytes": .hex(
                try key(one).last.packet(frames, number: try one.uint64("number"), id: try one.id("connection_id")))
        ]
    }

    private static func openPacket(_ one: Case) async throws -> JSON {
        let bytes = try one.bytes("bytes")
        guard try SealedHandshake.header(of: bytes.span).kind == .packet else {
            throw Refused("malformed", "no PACKET")
        }
        var refusal = SealedError.phase
        for key in try key(one).all {
            do throws(SealedError) {
                let (flags, number) = try key.unmask(bytes.span)
                guard flags & ~1 == 0 else { throw .flags(flags) }
                let frames = try key.open(bytes.span, flags: flags, number: number)
                return ["number": JSON(number), "generation": JSON(key.generation), "frames": .hex(frames)]
            } catch { refusal = error }
        }
        if case .forged = refusal { throw Refused("authentication_failed", refusal.description) }
        throw Refused("malformed", refusal.description)
    }

    private static func resetToken(_ one: Case) async throws -> JSON {
        [
            "token": .hex(
                SealedHandshake.resetToken(of: try one.id("connection_id"), relay: try one.keyPair("relay_private")))
        ]
    }
}

extension Case {
    /// A connection id: 8 bytes.
    fileprivate func id(_ key: String) throws -> UInt64 {
        let bytes = try bytes(key)
        guard bytes.count == 8 else { throw Problem.unreadable("\(key) has \(bytes.count) bytes, not 8") }
        return bytes.bigEndian
    }
}
