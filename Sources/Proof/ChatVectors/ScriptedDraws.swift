import ChatCodec
import ChatModel

/// The random values of a case: those that the file names, in their order.
///
/// Draws that no file names (ids of payloads) come from elsewhere. A value that the file does not have
/// is drawn from elsewhere too and remembered, so that the check fails in the end and not in the middle.
final class ScriptedDraws: RandomSource {
    private struct State {
        var script: [(label: String, bytes: [UInt8])]
        var problem: String?
        var other = RepeatableRandom(seed: 1)
    }

    private static let unnamed: Set<String> = ["payload_id"]
    private let state: Lock<State>

    /// The values in the order in which they are drawn.
    init(_ script: [(String, [UInt8])] = []) {
        state = Lock(State(script: script.map { ($0.0, $0.1) }))
    }

    /// The values that a step has under `randomness`.
    convenience init(_ step: Case) throws {
        self.init(
            step.has("randomness")
                ? try step.list("randomness").map { (try $0.text("label"), try $0.bytes("bytes")) } : [])
    }

    func add(_ more: ScriptedDraws) {
        let script = more.state.withLock { $0.script }
        state.withLock { $0.script += script }
    }

    func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel) {
        let count = bytes.count
        let value = state.withLock { state -> [UInt8] in
            if Self.unnamed.contains(label.rawValue) { return state.other.bytes(count, for: label) }
            guard let next = state.script.first, next.label == label.rawValue, next.bytes.count == count else {
                let found = state.script.first.map { "\($0.bytes.count) bytes of \($0.label)" } ?? "no further value"
                state.problem = state.problem ?? "draws \(count) bytes of \(label.rawValue), the file has \(found)"
                return state.other.bytes(count, for: label)
            }
            state.script.removeFirst()
            return next.bytes
        }
        for index in value.indices { bytes[index] = value[index] }
    }

    /// Throws unless exactly the script was drawn.
    func finish() throws {
        try state.withLock { state in
            if let problem = state.problem { throw Problem.differs(problem) }
            if let left = state.script.first { throw Problem.differs("\(left.label) is never drawn") }
        }
    }
}
