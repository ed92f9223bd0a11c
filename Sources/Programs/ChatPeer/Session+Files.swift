import ChatClient
import ChatCodec
import ChatContent
import ChatModel
import ChatPlatform
import ChatReliability
import ChatStorage
import ChatTool

// Files: sent as one content each, and put into the downloads directory when they arrive.
extension Session {
    /// The most bytes of a file that is read: the most that a reliable conversation carries in one content, 255
    /// segments of 102,400 bytes. Less where the service takes smaller payloads, and in other types.
    private static let maximumFile = 255 * 102_400

    /// Sends a file as one content.
    func sendFile(_ path: String, to text: String?, tag: JSON?) async throws(ClientError) {
        let file: FileContent
        do throws(StorageError) { file = try Self.read(path) } catch {
            return await output.show(.error(error.fileCode, error.fileAdvice(path), tag: tag))
        }
        let shown = "\(file.name.forTerminal), \(file.bytes.count.bytesText)"
        let content = ContentRegistry.encode(file)
        do throws(ClientError) {
            try await send(content, to: text, as: .file(file.name, shown: shown, size: file.bytes.count), tag: tag)
        } catch {
            // Too large for this conversation type or service: the numbers are the refusal's.
            guard case .refused(let refusal) = error, refusal.outcome == .unable else { throw error }
            let advice = "\(refusal.cause.description); cut it (split -b 5M \(path)) and send the pieces"
            await output.show(.error("file_too_large", "\(path): \(advice)", tag: tag))
        }
    }

    private static func read(_ path: String) throws(StorageError) -> FileContent {
        let bytes = try NamedFile.read(path.expandingHome, limit: maximumFile)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return FileContent(name: name, bytes: Bytes(bytes))
    }

    /// Puts the files of a batch into the downloads directory and returns their paths by the places of the events.
    ///
    /// What cannot be written now is tried again until it can: whoever sent it was told that it is here. Nil if it
    /// could not before the end.
    func keepFiles(_ batch: EventBatch) async -> [Int: String]? {
        guard let directory = settings.downloads else { return [:] }
        var paths: [Int: String] = [:]
        for (index, event) in batch.events.enumerated() {
            guard case .conversation(_, .content(let received)) = event,
                case .file(let file) = ShownContent(received.content)
            else {
                continue
            }
            paths[index] = await keep(file, in: Downloads(directory))
            guard paths[index] != nil else { return nil }
        }
        return paths
    }

    private func keep(_ file: FileContent, in downloads: Downloads) async -> String? {
        var isFirst = true
        while true {
            do throws(StorageError) { return try downloads.keep(file) } catch {
                if isFirst { await output.show(.error("downloads", "\(error); still trying")) }
                guard !isEnding else { return nil }
                isFirst = false
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// A file that arrived.
    func line(_ file: FileContent, _ received: ReceivedContent, at path: String?, in id: ConversationID) -> Output.Line
    {
        let place = path.map { "in \($0)" } ?? "not kept: give --downloads DIR or --data DIR"
        var json = JSON.Object()
        json["event"] = "file"
        json["conversation"] = .string(id.text)
        (json["name"], json["size"]) = (.string(file.name), JSON(file.bytes.count))
        if !file.mediaType.isEmpty { json["media"] = .string(file.mediaType) }
        json["path"] = path.map { .string($0) } ?? .null
        if let sender = received.sender { json["sender"] = .string(sender.description) }
        if let reference = received.reference { json["reference"] = .string(reference) }
        return .speech(
            "\(speaker(received, in: id)): [\(file.name.forTerminal), \(file.bytes.count.bytesText), \(place.forTerminal)]",
            .object(json))
    }

    /// How far a content of several segments is.
    func line(_ target: Target, _ done: Int, of: Int, in id: ConversationID) -> Output.Line {
        let count = "\(done) of \(of)"
        switch target {
        case .received(let hash):
            return .remark(
                "   from \(name(id)): \(count)",
                .event(
                    "progress",
                    [
                        "conversation": .string(id.text), "hash": .string(hash),
                        "received": JSON(done), "of": JSON(of),
                    ]))
        case .own(let content):
            return .remark(
                "   #\(content)\(label(content)): \(count) delivered",
                .event(
                    "progress",
                    [
                        "conversation": .string(id.text), "content": JSON(content.number),
                        "delivered": JSON(done), "of": JSON(of),
                    ]))
        }
    }

    /// The name of a file that is being sent, for people.
    func label(_ content: ContentID) -> String { fileNames[content].map { " (\($0.forTerminal))" } ?? "" }
}

/// What is being sent, as people see it.
enum Outgoing {
    case text
    case file(String, shown: String, size: Int)
}

/// What content is to whoever looks at it.
enum ShownContent {
    case text(String)
    case file(FileContent)
    case bytes

    /// Text is UTF-8 without a frame; no frame of the everyday types is valid UTF-8, because of its domain's number.
    init(_ content: Content) {
        if let text = String(validating: content.array, as: UTF8.self) {
            self = .text(text)
        } else if case .known(let value) = try? ContentRegistry.everyday.decode(content) {
            self = (value as? FileContent).map { .file($0) } ?? (value as? TextContent).map { .text($0.text) } ?? .bytes
        } else {
            self = .bytes
        }
    }
}

extension StorageError {
    /// A stable word for programs.
    fileprivate var fileCode: String { if case .tooLarge = self { "file_too_large" } else { "file" } }

    /// What is wrong with a file, and what to do.
    fileprivate func fileAdvice(_ path: String) -> String {
        switch self {
        case .tooLarge(_, let count, let limit):
            "\(path) has \(count) bytes or more; a content takes \(limit); cut it (split -b 5M \(path)) and send the pieces"
        case .system(_, _, ErrorNumber.noEntry.rawValue), .system(_, _, ErrorNumber.notDirectory.rawValue):
            "there is no file \(path)"
        case .system(_, _, ErrorNumber.accessDenied.rawValue): "you may not read \(path)"
        default: description
        }
    }
}

extension String {
    /// The path with `~` in front as the home directory, as shells have it.
    var expandingHome: String {
        guard self == "~" || hasPrefix("~/"), let home = ThisProcess.environment("HOME") else { return self }
        return home + dropFirst()
    }
}

extension Int {
    /// A number of bytes as people say it.
    var bytesText: String {
        guard self >= 10_000 else { return "\(self) bytes" }
        let (size, unit) = self >= 10_000_000 ? (self / 1_000_000, "MB") : (self / 1_000, "kB")
        return "\(size) \(unit)"
    }
}
