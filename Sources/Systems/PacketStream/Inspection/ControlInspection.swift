import ChatModel

// What directives of control streams, and flow control, say (sections 7 and 8 of `Specs/packet-stream.md`).
extension ControlMessage {
    /// Whether the bytes can be nothing but a directive: messages with a packet have no number in field 1, and no word
    /// in field 4.
    var isCertain: Bool {
        ControlAction(rawValue: actionNumber) != nil || !customAction.isEmpty && customAction.utf8.allSatisfy(isWord)
    }

    private func isWord(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }

    /// Checks what can be checked of a directive alone: bounds (SA-04), and what `connector.ready` states (SA-60).
    func checkAlone() throws(PacketViolation) {
        try check()
        guard ControlAction(name: name) == .ready else { return }
        var handshake = PacketHandshake()
        try handshake.receive(self)
    }

    /// One line, of printable characters alone.
    var text: String { meaning + (flow.map { "; \($0.text)" } ?? "") }

    private var meaning: String {
        if name == Receipt.action { return receiptText }
        switch ControlAction(name: name) {
        case .ready: return "\(name): capabilities \(value(PacketHandshake.capabilitiesKey) ?? "are not stated")"
        case .capabilities: return "\(name): \(pairs)"
        case .ack:
            let isHandled = metadata["handled"] == "true"
            let reason = value("reason").flatMap { $0.isEmpty ? nil : ", because \($0)" } ?? ""
            return "ack of \(value("type") ?? "nothing"): \(isHandled ? "handled" : "not handled")\(reason)"
        case .error: return "error \(failure?.code ?? 0): \(failure?.message.printable ?? "")"
        case nil where name.isEmpty: return "no action that is known, number \(actionNumber)"
        case nil: return "custom action \(name.printable)" + (metadata.isEmpty ? "" : ": \(pairs)")
        default: return name + (metadata.isEmpty ? "" : ": \(pairs)")
        }
    }

    private var receiptText: String {
        guard let receipt = Receipt(self) else { return "\(name): a receipt that names no packet that is counted" }
        let partition = receipt.partition.isEmpty ? "" : "/\(receipt.partition.printable)"
        return "\(name): number \(receipt.sequence) of \(receipt.stream.printable)\(partition), \(receipt.size) bytes"
    }

    private func value(_ key: String) -> String? { metadata[key]?.printable }

    private var pairs: String {
        let shown = metadata.entries.prefix(8).map { "\($0.key.printable) \($0.value.printable)" }
        let rest = metadata.count - shown.count
        return metadata.isEmpty ? "none" : shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}

extension FlowControl {
    /// One line, of printable characters alone.
    var text: String {
        var parts: [String] = []
        if creditsMessages > 0 || creditsBytes > 0 {
            parts.append("credit for \(creditsMessages) messages and \(creditsBytes) bytes")
        }
        if ack > 0 { parts.append("received up to \(ack)") }
        if !partitionAcks.isEmpty { parts.append("\(partitionAcks.count) partitions acknowledged") }
        switch signal {
        case .pause: parts.append("pause")
        case .resume: parts.append("resume")
        case nil where signalNumber != 0: parts.append("signal \(signalNumber), which nobody knows")
        case nil: break
        }
        return parts.isEmpty ? "no credit and no signal" : parts.joined(separator: ", ")
    }
}
