import ChatModel
import PacketStream

// Streaming packets: what both modes make of them, by the code that packet-inspect uses.
extension Inspector {
    /// A message with a packet, in whichever layout it reads furthest.
    func packet(_ run: Run) -> DissectionNode {
        let inspection = PacketInspection(run.bytes)
        var piece = DissectionNode(.packet, run)
        piece.value = .word(inspection.message.name)
        for (mode, verdict) in [("canonical", inspection.canonical), ("interop", inspection.interop)] {
            var part = DissectionNode(mode)
            part.value = .word(verdict.text)
            piece.parts.append(part)
        }
        for change in inspection.changes {
            var part = DissectionNode("change")
            part.value = .word("\(change.repository.rawValue): \(change.what)")
            piece.parts.append(part)
        }
        if let violation = inspection.canonical.violation {
            let section = Section("packet-stream.md", "5.5 Rules")
            piece.fault = run.fault(0, violation.description, violation.code, section)
        }
        return piece
    }
}
