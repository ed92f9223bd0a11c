import ChatClient
import ChatCodec
import ChatModel
import ChatPlatform

// What was said before.
extension Session {
    /// The lines that `/history` shows unless it is told how many, and those that a start shows.
    private static let (usualLines, linesAtStart) = (20, 5)
    /// How often new lines are stored.
    private static let saving = Duration.seconds(5)

    /// Notes what of a batch was shown.
    func note(_ batch: EventBatch, _ lines: [Output.Line]) {
        for (index, event) in batch.events.enumerated() {
            guard case .conversation(let id, .content) = event else { continue }
            let key = batch.number > 0 ? "\(batch.number)/\(index)" : "\(LocalTime.now)/\(index)/\(lines[index].text)"
            history.add(lines[index].text, key: key, to: id, at: LocalTime.now)
        }
    }

    /// Stores new lines every few seconds: what a crash takes of them was said all the same.
    func saveHistoryRegularly() async {
        while (try? await Task.sleep(for: Self.saving)) != nil { saveHistory() }
    }

    /// Stores new lines; they are a convenience, so that a full disk costs nothing but them.
    func saveHistory() {
        guard settings.data != nil else { return }
        for (id, text) in history.takeChanges() { try? stored.keep(history: text, of: id) }
    }

    /// Shows a person at the start what was said last where they talk.
    func showLastLines() async {
        guard let current, !settings.isJSON, history.entries[current]?.isEmpty == false else { return }
        await showHistory(of: current, Self.linesAtStart, tag: nil)
    }

    /// Shows what was said in a conversation.
    func showHistory(of id: ConversationID, _ count: Int?, tag: JSON?) async {
        let entries = history.entries[id, default: []].suffix(count ?? Self.usualLines)
        let lines = entries.map { "   \(LocalTime.text($0.time, withDate: true)) \($0.text)" }
        let list = entries.map { entry -> JSON in ["time": .integer(entry.time), "text": .string(entry.text)] }
        await output.show(
            .remark(
                lines.isEmpty ? "-- nothing was said yet" : lines.joined(separator: "\n"),
                .event("history", ["conversation": .string(id.text), "lines": .array(list)], tag: tag)))
    }
}
