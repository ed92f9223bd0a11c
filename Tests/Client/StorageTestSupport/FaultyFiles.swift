import ChatModel
package import ChatStorage
import TestSupport

/// Files in memory that fail on request and forget in a crash what was not synchronized.
package final class FaultyFiles: FileSystem {
    /// What happens at one operation.
    package enum Fault: Sendable {
        /// The operation fails with an error number, once.
        case fails(Int32)
        /// The operation reports an error number, once, although it was done.
        case failsLate(Int32)
        /// A write takes half of its bytes, and the next operation fails for lack of room.
        case fallsShort
        /// The machine stops: this operation is on its way to the disk, and every later one fails.
        case crashes
    }

    /// What a crash leaves of the operations since the last synchronization.
    package enum Loss: Sendable, CaseIterable {
        case everything, nothing, tail, sectors
    }

    fileprivate enum Change {
        case write([UInt8], at: Int)
        case truncate(Int)
    }

    fileprivate struct Node {
        var content: [UInt8] = []
        var durable: [UInt8] = []
        var pending: [Change] = []
    }

    private struct State {
        var nodes: [Node] = []
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        var descriptors: [Int32: Int] = [:]
        var lockHolders: [Int: Int32] = [:]
        var nextDescriptor: Int32 = 3
        var operations = 0
        var syncs = 0
        var renames = 0
        var faults: [Int: Fault] = [:]
        var hasCrashed = false
        var room = Int.max
    }

    private let state = Lock(State())

    /// No files.
    package init() {}

    /// How many operations there were.
    package var operations: Int { state.withLock { $0.operations } }
    /// How many files were synchronized.
    package var syncs: Int { state.withLock { $0.syncs } }
    /// How many files got another name.
    package var renames: Int { state.withLock { $0.renames } }
    /// Whether the machine has stopped.
    package var hasCrashed: Bool { state.withLock { $0.hasCrashed } }

    /// Plans a fault at an operation, counted from 0.
    package func plan(_ fault: Fault, at operation: Int) {
        state.withLock { $0.faults[operation] = fault }
    }

    /// How many bytes all files may have together.
    package func setRoom(_ bytes: Int) {
        state.withLock { $0.room = bytes }
    }

    /// The content of a file as processes see it.
    package func content(_ path: String) -> [UInt8]? {
        state.withLock { state in state.names[path].map { state.nodes[$0].content } }
    }

    /// Makes or replaces a file, durably.
    package func put(_ bytes: [UInt8], at path: String) {
        state.withLock { state in
            state.nodes.append(Node(content: bytes, durable: bytes))
            state.names[path] = state.nodes.count - 1
            state.durableNames[path] = state.nodes.count - 1
        }
    }

    /// The machine starts again with what a crash left.
    package func restart(losing loss: Loss, seed: UInt64 = 0) {
        var random = SplitMix64(seed: seed)
        state.withLock { state in
            if loss == .nothing { state.durableNames = state.names }
            state.names = state.durableNames
            for index in state.nodes.indices {
                state.nodes[index].lose(loss, &random)
            }
            (state.descriptors, state.lockHolders, state.faults) = ([:], [:], [:])
            (state.hasCrashed, state.operations) = (false, 0)
        }
    }
}

extension FaultyFiles.Node {
    fileprivate func apply(_ change: FaultyFiles.Change, to bytes: inout [UInt8]) {
        switch change {
        case .truncate(let size):
            if size < bytes.count { bytes.removeLast(bytes.count - size) } else { bytes.grow(to: size) }
        case .write(let new, let offset):
            bytes.grow(to: offset + new.count)
            bytes.replaceSubrange(offset..<offset + new.count, with: new)
        }
    }

    fileprivate mutating func change(_ change: FaultyFiles.Change) {
        apply(change, to: &content)
        pending.append(change)
    }

    fileprivate mutating func synchronize() {
        for change in pending { apply(change, to: &durable) }
        pending = []
    }

    fileprivate mutating func lose(_ loss: FaultyFiles.Loss, _ random: inout SplitMix64) {
        switch loss {
        case .everything: content = durable
        case .nothing: break
        case .tail:
            content = durable
            var kept = pending.prefix(random.below(pending.count + 1))
            if case .write(let bytes, let offset) = kept.last {
                kept.removeLast()
                kept.append(.write(Array(bytes.prefix(random.below(bytes.count + 1))), at: offset))
            }
            for change in kept { apply(change, to: &content) }
        case .sectors:
            // Sizes are kept, and of each write any sectors.
            content = durable
            for change in pending {
                _ = random.next()
                guard case .write(let bytes, let offset) = change else {
                    apply(change, to: &content)
                    continue
                }
                content.grow(to: offset + bytes.count)
                for (index, byte) in bytes.enumerated() where random.keeps((offset + index) / 512) {
                    content[offset + index] = byte
                }
            }
        }
        (durable, pending) = (content, [])
    }
}

extension SplitMix64 {
    /// Whether a sector reaches the disk: the same answer as long as nothing is drawn.
    fileprivate func keeps(_ sector: Int) -> Bool {
        var copy = self
        var own = SplitMix64(seed: copy.next() &+ UInt64(sector))
        return own.below(2) == 1
    }
}

extension [UInt8] {
    fileprivate mutating func grow(to size: Int) {
        if size > count { append(contentsOf: [UInt8](repeating: 0, count: size - count)) }
    }
}

// The operations.
extension FaultyFiles {
    /// Counts an operation, and fails it if that was planned.
    private func step<R: Sendable>(
        _ call: String, _ path: String, failing: (inout State) -> Void = { _ in },
        _ body: (inout State, Fault?) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        try state.withLock { state throws(StorageError) -> R in
            let stopped = StorageError.system("crash", path: path, errno: 5)
            guard !state.hasCrashed else { throw stopped }
            defer { state.operations += 1 }
            switch state.faults[state.operations] {
            case .fails(let number):
                failing(&state)
                throw number == 28 ? .full(path: path, bytes: 0) : .system(call, path: path, errno: number)
            case .failsLate(let number):
                _ = try body(&state, nil)
                throw .system(call, path: path, errno: number)
            case .crashes:
                state.hasCrashed = true
                _ = try body(&state, .crashes)
                throw stopped
            case .fallsShort:
                state.faults[state.operations + 1] = .fails(28)
                return try body(&state, .fallsShort)
            case nil:
                return try body(&state, nil)
            }
        }
    }

    private static func node(_ state: State, _ file: File) throws(StorageError) -> Int {
        guard let node = state.descriptors[file.descriptor] else {
            throw .system("closed", path: file.path, errno: 9)
        }
        return node
    }

    package func makeDirectory(_ path: String) throws(StorageError) {
        try step("mkdir", path) { _, _ in }
    }

    package func open(_ path: String, _ opening: FileOpening) throws(StorageError) -> File {
        try step("open", path) { state, _ throws(StorageError) in
            if state.names[path] == nil {
                if case .reading = opening { throw .system("open", path: path, errno: 2) }
                state.nodes.append(Node())
                state.names[path] = state.nodes.count - 1
            }
            if case .emptied = opening, let node = state.names[path] { state.nodes[node].change(.truncate(0)) }
            return try Self.describe(&state, path)
        }
    }

    package func openIfThere(_ path: String) throws(StorageError) -> File? {
        try step("open", path) { state, _ throws(StorageError) -> File? in
            state.names[path] == nil ? nil : try Self.describe(&state, path)
        }
    }

    private static func describe(_ state: inout State, _ path: String) throws(StorageError) -> File {
        state.nextDescriptor += 1
        state.descriptors[state.nextDescriptor] = state.names[path]
        return File(descriptor: state.nextDescriptor, path: path)
    }

    package func lock(_ file: File) throws(StorageError) {
        try step("flock", file.path) { state, _ throws(StorageError) in
            let node = try Self.node(state, file)
            guard state.lockHolders[node] == nil else { throw .inUse(path: file.path) }
            state.lockHolders[node] = file.descriptor
        }
    }

    package func status(of file: File) throws(StorageError) -> FileStatus {
        try step("fstat", file.path) { state, _ throws(StorageError) in
            FileStatus(size: state.nodes[try Self.node(state, file)].content.count, permissions: 0o600)
        }
    }

    package func sizeInPlace(_ file: File) throws(StorageError) -> Int? {
        // It changes nothing, so it is no operation that is counted.
        try state.withLock { state throws(StorageError) -> Int? in
            let node = try Self.node(state, file)
            return state.names[file.path] == node ? state.nodes[node].content.count : nil
        }
    }

    package func read(_ file: File, at offset: Int, into bytes: inout MutableSpan<UInt8>) throws(StorageError) -> Int {
        let wanted = bytes.count
        let found = try step("read", file.path) { state, _ throws(StorageError) in
            // Half of what is asked for, so that readers have to ask again.
            let content = state.nodes[try Self.node(state, file)].content
            return Array(content.dropFirst(offset).prefix((wanted + 1) / 2))
        }
        for (index, byte) in found.enumerated() { bytes[index] = byte }
        return found.count
    }

    package func write(_ bytes: Span<UInt8>, to file: File, at offset: Int) throws(StorageError) -> Int {
        let array = (0..<bytes.count).map { bytes[$0] }
        return try step("write", file.path) { state, fault throws(StorageError) in
            let node = try Self.node(state, file)
            var taken = array
            if case .fallsShort = fault { taken.removeLast((taken.count + 1) / 2) }
            let used = state.names.values.reduce(0) { $0 + state.nodes[$1].content.count }
            let growth = offset + taken.count - state.nodes[node].content.count
            let excess = max(0, used + max(0, growth) - state.room)
            taken.removeLast(min(excess, taken.count))
            guard !taken.isEmpty else { throw .full(path: file.path, bytes: array.count) }
            state.nodes[node].change(.write(taken, at: offset))
            return taken.count
        }
    }

    package func truncate(_ file: File, to size: Int) throws(StorageError) {
        try step("ftruncate", file.path) { state, _ throws(StorageError) in
            state.nodes[try Self.node(state, file)].change(.truncate(size))
        }
    }

    /// After a failed flush the system takes the bytes for written, and they never reach the disk.
    package func synchronize(_ file: File) throws(StorageError) {
        let forget = { (state: inout State) in
            if let node = state.descriptors[file.descriptor] { state.nodes[node].pending = [] }
        }
        try step("fdatasync", file.path, failing: forget) { state, fault throws(StorageError) in
            let node = try Self.node(state, file)
            if case .crashes = fault { return }
            state.syncs += 1
            state.nodes[node].synchronize()
        }
    }

    package func synchronizeDirectory(_ path: String) throws(StorageError) {
        try step("fsync", path) { state, fault in
            if case .crashes = fault { return }
            state.durableNames = state.names
        }
    }

    package func rename(_ path: String, to newPath: String) throws(StorageError) {
        try step("rename", path) { state, _ throws(StorageError) in
            guard let node = state.names.removeValue(forKey: path) else {
                throw .system("rename", path: path, errno: 2)
            }
            state.names[newPath] = node
            state.renames += 1
        }
    }

    package func remove(_ path: String) throws(StorageError) {
        try step("unlink", path) { state, _ in _ = state.names.removeValue(forKey: path) }
    }

    package func close(_ file: File) {
        state.withLock { state in
            guard let node = state.descriptors.removeValue(forKey: file.descriptor) else { return }
            if state.lockHolders[node] == file.descriptor { state.lockHolders[node] = nil }
        }
    }
}
