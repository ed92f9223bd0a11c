import ChatCodec

/// One kind of vector file: what is done with a case, and the files of that kind that this package makes.
///
/// Making and checking are the same operation. It takes the inputs of a case and gives its outputs; a
/// draft, which has the inputs alone, becomes a case by adding them, and a case is checked by
/// comparing them. What cannot be decided that way, that an operation must fail and how, is written
/// down in the draft, and making a file fails if the operation does something else.
struct Kind: Sendable {
    /// What a file calls it.
    let name: String
    /// From inputs to outputs; throws what is refused. Steps are merged with the steps of the case one by one.
    let run: @Sendable (Case) async throws -> JSON
    /// The files that this package makes, with drafts in place of cases.
    var files: @Sendable (DeterministicValues) async throws -> [VectorFile] = { _ in [] }
    /// Outputs that a file may leave out.
    var optional: Set<String> = []
    /// Puts an output into the one form in which it is compared.
    var normal: [String: @Sendable (JSON) -> JSON] = [:]
}

extension Kind {
    /// All kinds.
    static let all: [Kind] = [
        kdf, ids, xeddsa, introBundle, handshake, sealedInvite, openInvite, ratchet, plainConversation, privateV1,
        suite, messages,
        envelope, plainFraming, rpi, content, segmentation, sds, sdsChannel, directory, udp, sealedHop, parityField,
        parityMatrix,
        parityCode,
        parityInvalid, paritySegments,
    ]

    /// An operation by the name that a case has under `operation`.
    static func operations(
        _ table: [String: @Sendable (Case) async throws -> JSON]
    ) -> @Sendable (Case) async throws -> JSON {
        { one in
            let name = try one.text("operation")
            guard let operation = table[name] else { throw Problem.notApplicable("operation \(name)") }
            return try await operation(one)
        }
    }

    /// What a step gives: its outputs, or what was refused. `unchanged` says whether a refusal left no trace.
    static func outcome(
        unchanged: () throws -> Bool = { true }, _ step: () async throws -> JSON
    ) async throws -> JSON {
        do {
            let fields = try await step()
            return fields["result"] == nil ? (["result": "valid"] as JSON).adding(fields) : fields
        } catch {
            guard let refused = Refused(error) else { throw error }
            guard try unchanged() else { throw Problem.differs("a refusal (\(refused.reason)) changed the state") }
            return Self.refusal(refused)
        }
    }

    static func refusal(_ refused: Refused) -> JSON {
        ["result": refused.code == "unsupported" ? "unsupported" : "invalid", "error": .string(refused.code)]
    }
}
