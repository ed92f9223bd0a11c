/// A run as a sequence diagram: who sent what to whom, what got lost, and what happened to peers.
public struct SequenceDiagram: Sendable {
    /// One line of the diagram.
    public enum Step: Sendable, Hashable {
        /// A payload that arrived: from where, to where, when it left and came, and its label.
        case arrow(from: Int, to: Int, sent: VirtualTime, came: VirtualTime, String)
        /// A payload that did not arrive.
        case loss(from: Int, to: Int, at: VirtualTime, String)
        /// Something that happened to a peer.
        case note(Int, at: VirtualTime, String)

        /// When it begins.
        var time: VirtualTime {
            switch self {
            case .arrow(_, _, let sent, _, _): sent
            case .loss(_, _, let time, _), .note(_, let time, _): time
            }
        }
    }

    /// The peers, in the order of their columns.
    public let peers: [Int]
    /// What happened, in order.
    public let steps: [Step]
    /// What is said above the diagram.
    public let title: String

    /// Draws entries of a trace.
    ///
    /// - Parameters:
    ///   - entries: the entries of a trace.
    ///   - title: the heading.
    ///   - atMost: steps; what comes after them is left out, so that a diagram fits on a page.
    ///   - peersAtMost: columns; others are left out.
    public init(_ entries: [Trace.Entry], title: String, atMost: Int = 60, peersAtMost: Int = 8) {
        let peers = Array(Set(entries.map(\.peer)).sorted().prefix(peersAtMost))
        var steps: [Step] = []
        var sent: [UInt32: (time: VirtualTime, label: String)] = [:]
        for entry in entries where peers.contains(entry.peer) {
            switch entry.kind {
            case .published(let serial, let bytes):
                let about = entry.content.map { " content \($0)" } ?? ""
                sent[serial] = (entry.time, "#\(serial)\(about), \(bytes) B")
            case .received(let serial, let from):
                guard peers.contains(from), let (time, label) = sent[serial] else { continue }
                steps.append(.arrow(from: from, to: entry.peer, sent: time, came: entry.time, label))
            case .lost(let serial, let to, let why):
                guard peers.contains(to), let (_, label) = sent[serial] else { continue }
                steps.append(.loss(from: entry.peer, to: to, at: entry.time, "\(label): \(why)"))
            case .rejected(let serial, _): steps.append(.note(entry.peer, at: entry.time, "#\(serial) refused"))
            case .said, .heard, .crashed, .restarted, .changed:
                steps.append(.note(entry.peer, at: entry.time, entry.words))
            case .told, .alarm: continue
            }
        }
        steps.sort { $0.time < $1.time }
        (self.peers, self.steps, self.title) = (peers, Array(steps.prefix(atMost)), title)
    }

    /// The diagram for Mermaid, which issue trackers and papers render.
    public var mermaid: String {
        var lines = ["sequenceDiagram", "    title \(title)"]
        lines += peers.map { "    participant \(ParticipantNames.name($0))" }
        for step in steps {
            switch step {
            case .arrow(let from, let to, let sent, let came, let label):
                let time = came.since(sent)
                lines.append(
                    "    \(ParticipantNames.name(from))->>\(ParticipantNames.name(to)): \(sent) \(label), after \(time) s"
                )
            case .loss(let from, let to, let time, let label):
                lines.append("    \(ParticipantNames.name(from))-x\(ParticipantNames.name(to)): \(time) \(label)")
            case .note(let peer, let time, let text):
                lines.append("    Note over \(ParticipantNames.name(peer)): \(time) \(text)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
