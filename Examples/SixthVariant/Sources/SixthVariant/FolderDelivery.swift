internal import ChatCodec
internal import ChatCrypto
public import ChatModel
internal import Foundation
internal import Synchronization

/// Delivery through a folder that all clients can reach: a folder for each address, a file for each payload.
///
/// A file is named by its number, and is made whole or not at all: it is written under another name and
/// then linked to the next free number, which only one writer can have. So the numbers are the order for
/// all readers, and a reader's cursor is the number it read last. What was published survives the process,
/// and the machine as far as its file system does.
public final class FolderDelivery: DeliveryService {
    /// Files kept for each address; whoever publishes one removes the one that is too many.
    public static let maximumFiles = 500
    /// The largest payload in bytes.
    public static let maximumPayload = 64 << 10
    private static let headerSize = 2

    private let root: String
    private let interval: Duration
    private let state = Mutex(State())

    private struct State {
        var readers: [Reader] = []
        var task: Task<Void, Never>?
    }

    /// A mailbox that wants an address, and the number of the file that it read last.
    private struct Reader {
        let address: DeliveryAddress
        let mailbox: Mailbox
        var last: Int
    }

    /// Uses a folder, which is made if it is not there.
    ///
    /// - Parameter interval: how often it is looked into.
    public init(folder root: String, every interval: Duration = .milliseconds(10)) throws(DeliveryError) {
        (self.root, self.interval) = (root, interval)
        do {
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        } catch { throw .startup("cannot make \(root)", reason: error.localizedDescription) }
    }

    deinit { state.withLock { $0.task?.cancel() } }

    /// Name `folder`.
    public var facts: Facts {
        Facts(
            name: "folder", summary: "A file for each payload, in a folder that everybody can reach.",
            claims: [Claim(.recipientPrivacy, "FOLDER-1", holds: false, "who reads the folder sees every address")])
    }

    /// Payloads of 64 KiB, 500 of them for each address for a year.
    public let limits = DeliveryLimits(
        maximumPayload: maximumPayload,
        retention: .init(payloads: maximumFiles, bytes: maximumFiles * maximumPayload, age: .seconds(365 * 86_400)),
        offers: [.ordering, .acknowledgement])

    /// Writes a file for each payload; one that succeeds is in the folder.
    public func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        payloads.map { payload in
            do throws(DeliveryError) { return .success(Receipt(cursor: Self.cursor(try write(payload)))) } catch {
                return .failure(error)
            }
        }
    }

    private func write(_ addressed: Addressed) throws(DeliveryError) -> Int {
        let reply = Array((addressed.replyAddress?.text ?? "").utf8)
        guard addressed.payload.count <= Self.maximumPayload else {
            throw .tooLarge(bytes: addressed.payload.count, limit: Self.maximumPayload)
        }
        guard reply.count <= Route.maximumID else {
            throw .badAddress("reply address", reason: "it has \(reply.count) bytes of \(Route.maximumID)")
        }
        let bytes = [UInt8(reply.count >> 8), UInt8(reply.count & 255)] + reply + addressed.payload.array
        let (folder, draft) = (folder(addressed.address), "\(root)/draft-\(UUID().uuidString)")
        let files = FileManager.default
        do {
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: draft))
        } catch { throw .overloaded("cannot write to \(root): \(error.localizedDescription)", retryAfter: .seconds(1)) }
        defer { try? files.removeItem(atPath: draft) }
        var number = (numbers(in: folder).last ?? 0) + 1
        for _ in 0..<1_000 {
            // Linking fails where the number is taken by now, and then the next one is tried.
            if (try? files.linkItem(atPath: draft, toPath: file(number, folder))) != nil {
                try? files.removeItem(atPath: file(number - Self.maximumFiles, folder))
                return number
            }
            number += 1
        }
        throw .overloaded("too many writers on \(addressed.address)", retryAfter: .seconds(1))
    }

    /// Reads from now on, from the oldest file, or from after a cursor; a cursor of another folder is the oldest.
    public func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        for (address, since) in addresses {
            let present = numbers(in: folder(address))
            let (oldest, newest) = (present.first ?? 1, present.last ?? 0)
            let last =
                switch since {
                case .now: newest
                case .earliest: oldest - 1
                case .after(let cursor): Self.number(cursor).flatMap { $0 <= newest ? $0 : nil } ?? oldest - 1
                }
            state.withLock { state in
                guard !state.readers.contains(where: { $0.address == address && $0.mailbox === mailbox }) else {
                    return
                }
                state.readers.append(Reader(address: address, mailbox: mailbox, last: last))
                state.task =
                    state.task
                    ?? Task { [weak self, interval] in
                        while !Task.isCancelled, self?.look() != nil { try? await Task.sleep(for: interval) }
                    }
            }
        }
    }

    /// Ends at once.
    public func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        state.withLock { state in
            state.readers.removeAll { $0.mailbox === mailbox && addresses.contains($0.address) }
        }
    }

    /// Offers every reader what is new, as far as its mailbox has room.
    private func look() {
        state.withLock { state in
            for index in state.readers.indices {
                let reader = state.readers[index]
                let folder = folder(reader.address)
                let present = numbers(in: folder)
                guard let oldest = present.first, let newest = present.last else { continue }
                // A listing may leave out a file that is made meanwhile, so each number is tried for itself.
                var next = reader.last + 1
                if next < oldest, !FileManager.default.fileExists(atPath: file(next, folder)) {
                    reader.mailbox.notify(.gone(reader.address))
                    next = oldest
                }
                while next <= newest {
                    if let delivery = read(next, folder, reader.address) {
                        guard reader.mailbox.offer([delivery]) == 1 else { break }
                    }
                    state.readers[index].last = next
                    next += 1
                }
            }
        }
    }

    /// A payload, or nil for a file that is gone again or none of ours.
    private func read(_ number: Int, _ folder: String, _ address: DeliveryAddress) -> Delivery? {
        let limit = Self.headerSize + Route.maximumID + Self.maximumPayload
        guard let handle = FileHandle(forReadingAtPath: file(number, folder)) else { return nil }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: limit + 1), data.count <= limit else { return nil }
        let bytes = Array(data)
        guard bytes.count >= Self.headerSize else { return nil }
        let end = Self.headerSize + Int(bytes[0]) << 8 + Int(bytes[1])
        guard end <= bytes.count, let reply = String(validating: bytes[Self.headerSize..<end], as: UTF8.self) else {
            return nil
        }
        let addressed = Addressed(
            address, payload: Bytes(bytes).slice(end..<bytes.count),
            replyAddress: reply.isEmpty ? nil : DeliveryAddress(reply))
        return Delivery(addressed, cursor: Self.cursor(number))
    }

    /// The numbers of the files in a folder, ascending; other names are none of ours.
    private func numbers(in folder: String) -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { Self.number($0) }.sorted()
    }

    /// A hash, so that no address is a path.
    private func folder(_ address: DeliveryAddress) -> String {
        "\(root)/\(Hex.encode(BLAKE2b.hash(count: 16, Array(address.text.utf8))))"
    }

    private func file(_ number: Int, _ folder: String) -> String { "\(folder)/\(number)" }

    private static func cursor(_ number: Int) -> Cursor { Cursor(Bytes("\(number)")) }

    private static func number(_ cursor: Cursor) -> Int? {
        number(String(decoding: cursor.bytes.array, as: UTF8.self))
    }

    /// A number as it is written here, and far from the last one that there is.
    private static func number(_ text: String) -> Int? {
        guard let number = Int(text), (1...1 << 53).contains(number), "\(number)" == text else { return nil }
        return number
    }
}
