/// Why a scenario failed: what was wrong, and what the participant said of it.
struct Failure: Error, CustomStringConvertible {
    /// What was wrong, and whose fault it is where that is clear.
    let reason: String
    /// The code and the message that the participant gave.
    var code, message: String?
    /// The payload that it was about.
    var payload: [UInt8]?

    init(_ reason: String, code: String? = nil, message: String? = nil, payload: [UInt8]? = nil) {
        (self.reason, self.code, self.message, self.payload) = (reason, code, message, payload)
    }

    /// All but the payload.
    var description: String {
        let said = [code, message].compactMap(\.self).joined(separator: ", ")
        return said.isEmpty ? reason : "\(reason) (\(said))"
    }
}

/// What the driver asked of the two participants of a scenario so far, counted from 1.
final class Steps {
    private(set) var count = 0
    private(set) var last = ""

    /// The next operation is asked.
    func ask(_ operation: String, of participant: String) {
        count += 1
        last = "\(operation) of \(participant)"
    }

    var description: String { "step \(count), \(last)" }
}
