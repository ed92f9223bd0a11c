import ChatCodec
import ChatEngine
import ChatModel
import Foundation
import Logging
import NIOCore
import Synchronization

/// What of an answer was streamed before it is stored: a file for each answer, with its lines as the client gets them.
///
/// A line is in the file before the client gets it, so that a process that is killed leaves what it has streamed; the
/// next one stores that as incomplete. The file goes when the answer is in the database.
final class Journal: Sendable {
    /// The first line of a file: where the answer belongs.
    struct Head: Codable {
        let session: String
        let parent: String
        let purpose: String
    }

    private let path: String
    private let head: Head
    private let file = Mutex<FileHandle?>(nil)

    init(folder: String, reply: MessageID, _ head: Head) {
        (path, self.head) = ("\(folder)/\(reply.uuid?.description ?? "")", head)
    }

    /// Adds lines, or throws and leaves the lines before them: what the file does not have, the client must not get.
    func append(_ lines: ByteBuffer) throws {
        try file.withLock { file in
            let open = try file ?? begin()
            file = open
            let end = try open.offset()
            do { try open.write(contentsOf: lines.readableBytesView) } catch {
                try? open.truncate(atOffset: end)
                throw error
            }
        }
    }

    private func begin() throws -> FileHandle {
        let first = try JSONEncoder().encode(head) + [UInt8(ascii: "\n")]
        guard
            FileManager.default.createFile(atPath: path, contents: first, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: path)
        else {
            try? FileManager.default.removeItem(atPath: path)
            throw CocoaError(.fileWriteUnknown)
        }
        guard try file.seekToEnd() == UInt64(first.count) else { throw CocoaError(.fileWriteOutOfSpace) }
        return file
    }

    /// Removes the file: the answer is stored.
    func remove() {
        file.withLock { file in
            guard let open = file else { return }
            try? open.close()
            file = nil
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}

// After a process that was killed.
extension Journal {
    /// Stores what other processes had streamed, as incomplete, and removes the files.
    static func recover(_ folder: String, into store: Store, _ logger: Logger) async throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            let path = "\(folder)/\(name)"
            do { try await recover(path, name, into: store, logger) } catch {
                // One session that cannot be read does not keep the others from being served.
                logger.error("a cut answer cannot be stored; its file stays", metadata: ["file": "\(name)"])
                continue
            }
            try FileManager.default.removeItem(atPath: path)
        }
    }

    private static func recover(_ path: String, _ name: String, into store: Store, _ logger: Logger) async throws {
        if let uuid = UUIDText(name), let data = FileManager.default.contents(atPath: path),
            let (head, content) = read(Array(data)), let session = SessionID(head.session),
            let parent = MessageID(head.parent), let purpose = Generation.Purpose(rawValue: head.purpose)
        {
            let isStored = try await store.write(.session(session)) { engine throws(ErrorBody) in
                guard var stored = engine.stored(session), stored.tree.resume(MessageID(uuid), to: parent, purpose)
                else { return false }
                stored.tree.finish(MessageID(uuid), content: content, isComplete: false, at: DateTime(now()))
                stored.session.updatedAt = DateTime(now())
                engine.adopt(stored)
                return true
            }
            if isStored { logger.info("an answer that was cut is stored as incomplete") }
        }
    }

    /// The head, and what the whole lines behind it say.
    private static func read(_ bytes: [UInt8]) -> (Head, [ContentPart])? {
        var (lines, builder) = (LineSplitter(), ContentBuilder())
        lines.append(bytes.span)
        guard let line = try? lines.next(), let head = try? JSONDecoder().decode(Head.self, from: Data(line)) else {
            return nil
        }
        while let line = try? lines.next(),
            let event = try? EngineJSON().decode(ReplyEvent.self, from: line.span, maximumBytes: .max)
        {
            if case .chunk(_, let chunk) = event { try? builder.append(chunk) }
        }
        return (head, builder.parts)
    }
}
