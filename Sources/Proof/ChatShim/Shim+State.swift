internal import ChatClient
internal import ChatCodec
internal import ChatCrypto
internal import ChatModel

// Everything a new process needs, as bytes that only this shim reads. They hold private keys.
extension Shim {
    private static let version = 1

    func state() throws(ShimError) -> String {
        guard let participant else { throw .noIdentity }
        var records = JSON.Object()
        for (key, bytes) in participant.records.sorted(by: { $0.key < $1.key }) {
            records[key] = .string(Hex.encode(bytes.array))
        }
        let state: JSON = [
            "version": JSON(Self.version), "suite": .string(suite.description),
            "identity": .string(participant.identity.secret.lend { Hex.encode(Bytes(copying: $0).array) }),
            "now_ms": JSON(participant.core.now.milliseconds), "run": JSON(participant.run),
            "records": .object(records),
        ]
        return state.description
    }

    mutating func restore(_ fields: Fields) async throws(ShimError) -> JSON {
        let bytes = try fields.bytes("state")
        let state: JSON
        do throws(WireError) { state = try JSON(parsing: bytes, maximumBytes: Self.maximumLine) } catch {
            throw ShimError("malformed", "state: \(error)")
        }
        guard let version = state["version"]?.int, let name = state["suite"]?.text else {
            throw ShimError("malformed", "state has no version or no suite")
        }
        guard version == Self.version, name == suite.description else {
            throw ShimError("unsupported", "state is of version \(version) and suite \(name)")
        }
        guard let hex = state["identity"]?.text, let key = try? Hex.decode(hex), key.count == 32,
            let now = state["now_ms"]?.uint64, let last = state["run"]?.uint64, last < .max,
            let members = state["records"]?.members
        else { throw ShimError("malformed", "state lacks identity, time, run or records") }
        var records: [String: Bytes] = [:]
        for member in members {
            guard let text = member.value.text, let bytes = try? Hex.decode(text) else {
                throw ShimError("malformed", "record \(member.key) of the state is no hex")
            }
            records[member.key] = Bytes(bytes)
        }
        let secret = Secret(copying: key.span)
        let identity = try Self.identity(secret)
        let suite = try await makeSuite(identity)
        let list = records.map { Record($0.key, $0.value) }.sorted { $0.key < $1.key }
        let core = try Self.makeCore(suite, random(last + 1), list, Timestamp(milliseconds: now))
        var restored = Participant(suite: suite, identity: identity, core: core, run: last + 1, records: records)
        restored.store()
        participant = restored
        return restored.about
    }
}
