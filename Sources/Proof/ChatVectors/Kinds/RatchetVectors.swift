import ChatCodec
import ChatConversation
import ChatCrypto
import ChatModel
import LogosFormats

// Kind `ratchet`: transcripts of the double ratchet.
extension Kind {
    static let ratchet = Kind(
        name: "ratchet", run: transcribe, files: ratchetFiles, optional: ["state", "initial_state"],
        normal: ["state": withoutPrevious, "initial_state": withoutPreviousOfBoth])

    private static func transcribe(_ one: Case) async throws -> JSON {
        var sides = try Sides(one)
        let start: JSON = [
            "initiator": .hex(sides.initiator.transcriptState), "responder": .hex(sides.responder.transcriptState),
        ]
        var outputs: [JSON] = []
        for step in try one.list("steps") {
            let isInitiator = try step.text("by") == "initiator"
            var side = isInitiator ? sides.initiator : sides.responder
            var output = try await perform(step, &side)
            output = output.adding(["state": .hex(side.transcriptState)])
            if isInitiator { sides.initiator = side } else { sides.responder = side }
            outputs.append(output)
        }
        return [
            "responder_dh_public": .hex(sides.prekey.bytes), "initial_state": start, "steps": .array(outputs),
        ]
    }

    /// The two sides of a transcript.
    struct Sides {
        var initiator, responder: DoubleRatchet
        let prekey: PublicKey

        init(_ one: Case) throws {
            let base = try parameters(one)
            let info = one.has("message_key_info") ? try one.text("message_key_info") : nil
            guard info == base.messageKeyInfo?.description else {
                throw Problem.notApplicable("message_key_info \(info ?? "null") with this root info")
            }
            let parameters = DoubleRatchet.Parameters(
                rootInfo: base.rootInfo, messageKeyInfo: base.messageKeyInfo, maximumSkip: try one.int("max_skip"),
                maximumAhead: one.has("max_ahead") ? try one.int("max_ahead") : nil)
            let (secret, pair) = (try one.secret("shared_secret"), try one.keyPair("responder_dh_private"))
            var random: any RandomSource = ScriptedDraws([("ratchet_private", try one.bytes("initiator_dh_private"))])
            initiator = try DoubleRatchet(initiatorWith: secret, remote: pair.publicKey, random: &random, parameters)
            responder = try DoubleRatchet(responderWith: secret, own: pair, parameters)
            prekey = pair.publicKey
        }
    }

    private static func perform(_ step: Case, _ side: inout DoubleRatchet) async throws -> JSON {
        var trial = side
        let before = side
        let output: JSON
        switch try step.text("op") {
        case "send":
            output = try await outcome {
                let fresh = try step.optionalBytes("fresh_dh_private").map { [("ratchet_private", $0)] } ?? []
                let draws = ScriptedDraws(fresh + [("nonce", try step.bytes("nonce"))])
                var random: any RandomSource = draws
                let plaintext = try step.bytes("plaintext")
                let payload = try trial.seal(plaintext.count, random: &random) { output in
                    output.append(bytes: plaintext.span)
                }
                try draws.finish()
                guard case .doubleRatchet(let message) = try EncryptedPayload(decoding: payload) else {
                    throw Problem.differs("sealed as another kind of payload")
                }
                return ["message": json(message)]
            }.without("result")
        case "receive":
            output = try await outcome(unchanged: { trial == before }) {
                let plaintext = try trial.open(message(try step.at("message"))) { $0 }.value
                return ["plaintext": .hex(plaintext)]
            }
        case let other: throw Problem.notApplicable("step \(other)")
        }
        side = trial
        return output
    }

    private static func json(_ message: DoubleRatchetMessage) -> JSON {
        [
            "dh": .hex(message.dh), "msg_num": JSON(UInt64(message.number)),
            "prev_chain_len": JSON(UInt64(message.previousChainLength)), "ciphertext": .hex(message.ciphertext),
        ]
    }

    private static func message(_ one: Case) throws -> DoubleRatchetMessage {
        DoubleRatchetMessage(
            dh: Bytes(try one.bytes("dh")), number: try one.number("msg_num"),
            previousChainLength: try one.number("prev_chain_len"), ciphertext: Bytes(try one.bytes("ciphertext")))
    }

    /// A state without the length of the previous chain, which the existing implementation writes when it receives too.
    @Sendable private static func withoutPrevious(_ state: JSON) -> JSON {
        guard let text = state.text, var bytes = try? Hex.decode(text) else { return state }
        var offset = 33
        for size in [33, 33, nil, 33] {
            guard bytes.indices.contains(offset) else { return state }
            offset += size == nil ? 32 : bytes[offset] == 0 ? 1 : 33
        }
        guard bytes.count >= offset + 12 else { return state }
        bytes.removeSubrange(offset + 8..<offset + 12)
        return .hex(bytes)
    }

    @Sendable private static func withoutPreviousOfBoth(_ states: JSON) -> JSON {
        .array(["initiator", "responder"].map { withoutPrevious(states[$0] ?? .null) })
    }
}

// Making transcripts: a script of who sends and what arrives, played once to learn the messages.
extension Kind {
    /// A step of a script; `flip` changes a message on its way.
    private enum Move {
        case send(String)
        case receive(String, Int, flip: Flip? = nil, error: String? = nil)
    }

    private enum Flip { case ciphertext, tag, dh, number, previous, short, weak }

    private static func ratchetFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        let (i, r) = ("initiator", "responder")
        let scripts: [(String, String, [Move])] = [
            (
                "in-order", "three messages in one direction",
                [.send(i), .receive(r, 0), .send(i), .receive(r, 1), .send(i), .receive(r, 2)]
            ),
            (
                "ping-pong", "the direction turns after every message",
                [
                    .send(i), .receive(r, 0), .send(r), .receive(i, 1), .send(i), .receive(r, 2), .send(r),
                    .receive(i, 3),
                ]
            ),
            (
                "skipped", "the first two of three arrive last",
                [.send(i), .send(i), .send(i), .receive(r, 2), .receive(r, 0), .receive(r, 1)]
            ),
            (
                "reordered-over-a-turn", "a message of the old chain arrives after the new one has begun",
                [
                    .send(i), .receive(r, 0), .send(i), .send(r), .receive(i, 2), .send(i), .receive(r, 3),
                    .receive(r, 1),
                ]
            ),
            (
                "replayed", "the same message again, at once, later, and after a turn",
                [
                    .send(i), .receive(r, 0), .receive(r, 0, error: "replay"), .send(i), .send(i), .receive(r, 2),
                    .receive(r, 1), .receive(r, 1, error: "replay"), .send(r), .receive(i, 3), .send(i), .receive(r, 4),
                    .receive(r, 0, error: "replay"),
                ]
            ),
            (
                "tampered", "every part of a message changed, then the message itself",
                [
                    .send(i), .send(i), .receive(r, 0),
                    .receive(r, 1, flip: .ciphertext, error: "authentication_failed"),
                    .receive(r, 1, flip: .tag, error: "authentication_failed"),
                    .receive(r, 1, flip: .dh, error: "authentication_failed"),
                    .receive(r, 1, flip: .number, error: "authentication_failed"),
                    .receive(r, 1, flip: .previous, error: "authentication_failed"), .receive(r, 1),
                ]
            ),
            (
                "malformed", "messages that no ratchet sends",
                [
                    .send(i), .receive(r, 0, flip: .short, error: "malformed"),
                    .receive(r, 0, flip: .weak, error: "weak_key"),
                    .receive(r, 0, flip: .previous, error: "invalid_header"), .receive(r, 0),
                ]
            ),
        ]
        var cases: [JSON] = []
        for (profile, info, keyInfo, skip) in [
            ("libchat", "DoubleRatchetRootKey", JSON.null, 10),
            ("reference", "PrivateV1RootKey", "PrivateV1MessageKey", 1_000),
        ] {
            let all =
                scripts + [
                    (
                        "too-far-ahead", "one message more is missing than may be (max_skip), then as many as may be",
                        Array(repeating: Move.send(i), count: 12) + [
                            .receive(r, 11, error: "too_many_skipped"), .receive(r, 10),
                        ]
                    )
                ]
            for (id, comment, moves) in all {
                let limit = id == "too-far-ahead" ? 10 : skip
                let name = "ratchet/\(profile)/\(id)"
                let inputs: JSON = [
                    "info": .string(info), "message_key_info": keyInfo,
                    "shared_secret": maker.hex(32, "\(name)/secret"),
                    "initiator_dh_private": maker.hex(32, "\(name)/initiator"),
                    "responder_dh_private": maker.hex(32, "\(name)/responder"), "max_skip": JSON(limit),
                ]
                let steps = try play(moves, inputs, maker, name)
                cases.append(draft("\(id)-\(profile)", comment, inputs.adding(["steps": .array(steps)])))
            }
        }
        for (id, comment, moves) in longGaps {
            let name = "ratchet/reference/\(id)"
            let inputs: JSON = [
                "info": "PrivateV1RootKey", "message_key_info": "PrivateV1MessageKey",
                "shared_secret": maker.hex(32, "\(name)/secret"),
                "initiator_dh_private": maker.hex(32, "\(name)/initiator"),
                "responder_dh_private": maker.hex(32, "\(name)/responder"), "max_skip": 3, "max_ahead": 8,
            ]
            let steps = try play(moves, inputs, maker, name)
            cases.append(draft("\(id)-reference", comment, inputs.adding(["steps": .array(steps)])))
        }
        return [VectorFile("ratchet.json", kind: "ratchet", profile: "libchat and reference", cases: cases)]
    }

    /// Gaps longer than the keys that are kept, which only `max_ahead` bounds (DR-7).
    private static let longGaps: [(String, String, [Move])] = {
        let (i, r) = ("initiator", "responder")
        return [
            (
                "long-gap", "of a gap of 8 the last 3 keys are kept; one of 9 is too long",
                Array(repeating: Move.send(i), count: 19) + [
                    .receive(r, 8), .receive(r, 5), .receive(r, 4, error: "replay"),
                    .receive(r, 18, error: "too_many_skipped"), .receive(r, 17), .receive(r, 7),
                ]
            ),
            (
                "long-gap-before-a-turn",
                "a chain that has ended may end in a gap of any length: of 6 the last 3 keys are kept",
                [.send(i), .receive(r, 0), .send(r)] + Array(repeating: Move.send(i), count: 6) + [
                    .receive(i, 1), .send(i), .receive(r, 8), .receive(r, 5), .receive(r, 4, error: "replay"),
                ]
            ),
            (
                "longer-gap-before-a-turn", "of one longer than max_ahead no key is kept",
                [.send(i), .receive(r, 0), .send(r)] + Array(repeating: Move.send(i), count: 9) + [
                    .receive(i, 1), .send(i), .receive(r, 11), .receive(r, 10, error: "replay"),
                ]
            ),
        ]
    }()

    private static func play(_ moves: [Move], _ inputs: JSON, _ maker: DeterministicValues, _ name: String) throws
        -> [JSON]
    {
        var sides = try Sides(Case(json: inputs))
        var (sent, steps, mayTurn): ([JSON], [JSON], Set<String>) = ([], [], ["responder"])
        for (number, move) in moves.enumerated() {
            switch move {
            case .send(let by):
                let isTurn = mayTurn.remove(by) != nil
                let step: JSON = [
                    "op": "send", "by": .string(by), "plaintext": maker.hex(7 * number, "\(name)/\(number)/plaintext"),
                    "nonce": maker.hex(12, "\(name)/\(number)/nonce"),
                    "fresh_dh_private": isTurn ? maker.hex(32, "\(name)/\(number)/fresh") : .null,
                ]
                var side = by == "initiator" ? sides.initiator : sides.responder
                sent.append(try sealed(Case(json: step), &side))
                if by == "initiator" { sides.initiator = side } else { sides.responder = side }
                steps.append(step)
            case .receive(let by, let index, let flip, let error):
                let message = try changed(sent[index], flip)
                let step: JSON = ["op": "receive", "by": .string(by), "message": message]
                if error == nil {
                    var side = by == "initiator" ? sides.initiator : sides.responder
                    let before = side.transcriptState
                    _ = try side.open(Self.message(Case(json: message))) { $0 }
                    // The sending chain goes when the other side's key is new.
                    if before[33] == 1, side.transcriptState[33] == 0 { mayTurn.insert(by) }
                    if by == "initiator" { sides.initiator = side } else { sides.responder = side }
                }
                steps.append(error.map { refusedStep(step, error: $0) } ?? step)
            }
        }
        return steps
    }

    private static func sealed(_ step: Case, _ side: inout DoubleRatchet) throws -> JSON {
        let fresh = try step.optionalBytes("fresh_dh_private").map { [("ratchet_private", $0)] } ?? []
        var random: any RandomSource = ScriptedDraws(fresh + [("nonce", try step.bytes("nonce"))])
        let plaintext = try step.bytes("plaintext")
        let payload = try side.seal(plaintext.count, random: &random) { $0.append(bytes: plaintext.span) }
        guard case .doubleRatchet(let message) = try EncryptedPayload(decoding: payload) else { return .null }
        return json(message)
    }

    private static func changed(_ message: JSON, _ flip: Flip?) throws -> JSON {
        let one = Case(json: message)
        switch flip {
        case .ciphertext: return message.adding(["ciphertext": .hex(flipped(try one.bytes("ciphertext"), at: 12))])
        case .tag: return message.adding(["ciphertext": .hex(flipped(try one.bytes("ciphertext"), at: -1, bit: 7))])
        case .dh: return message.adding(["dh": .hex(flipped(try one.bytes("dh"), at: 3))])
        case .number: return message.adding(["msg_num": JSON(try one.uint64("msg_num") + 1)])
        case .previous: return message.adding(["prev_chain_len": JSON(try one.uint64("prev_chain_len") + 1)])
        case .short: return message.adding(["ciphertext": .hex(Array(try one.bytes("ciphertext").prefix(27)))])
        case .weak: return message.adding(["dh": .hex([UInt8](repeating: 0, count: 32))])
        case nil: return message
        }
    }
}
