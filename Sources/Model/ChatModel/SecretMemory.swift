import ChatPlatform

/// Memory for secrets: pages that are locked, so that they are never swapped out, and that no core dump contains.
///
/// Secrets are small and many, so they share pages, in pieces of 32 to 4,096 bytes; a larger one has pages of its own.
/// Where the system does not allow so much locked memory (`RLIMIT_MEMLOCK`), the rest is not locked; nothing fails
/// (CRY-9). Pieces are wiped when they come back, and used again.
package enum SecretMemory {
    private static let pool = Lock(Pool())
    private static let smallest = 32
    private static let largest = 4_096

    /// Bytes of pages for secrets, and how many of them are locked.
    package static var size: (pages: Int, locked: Int) { pool.withLock { ($0.pages, $0.locked) } }

    /// A piece of zeros, on the heap where the system gives no more pages.
    static func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        let size = pieceSize(count)
        if let memory = unsafe UnsafeMutablePointer<UInt8>(bitPattern: pool.withLock { $0.take(size) }) {
            return unsafe memory
        }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        unsafe memory.initialize(repeating: 0, count: size)
        let address = UInt(bitPattern: memory)
        pool.withLock { $0.noteHeap(address) }
        return unsafe memory
    }

    /// Takes back a piece that its owner has wiped.
    static func free(_ memory: UnsafeMutablePointer<UInt8>, _ count: Int) {
        let address = UInt(bitPattern: memory)
        let isHeap = pool.withLock { $0.giveBack(address, pieceSize(count)) }
        if isHeap { unsafe memory.deallocate() }
    }

    /// The next power of two, or whole pages.
    private static func pieceSize(_ count: Int) -> Int {
        if count <= smallest { return smallest }
        if count > largest { return (count + largest - 1) / largest * largest }
        return 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
    }

    /// Free pieces by size, as the numbers of their addresses.
    private struct Pool: Sendable {
        private(set) var pages = 0
        private(set) var locked = 0
        private var pieces: [[UInt]] = Array(repeating: [], count: 8)
        private var nextChunk = 16 << 10
        /// Pieces that are on the heap.
        private var heap: Set<UInt> = []
        /// Locked pieces of whole pages.
        private var large: Set<UInt> = []

        mutating func noteHeap(_ address: UInt) { heap.insert(address) }

        /// The address of a piece; 0 where there are no more pages.
        mutating func take(_ size: Int) -> UInt {
            guard size <= SecretMemory.largest else {
                let (address, isLocked) = map(size)
                if isLocked { large.insert(address) }
                return address
            }
            let place = Self.place(of: size)
            if let piece = pieces[place].popLast() { return piece }
            let chunk = nextChunk
            // Few pages for who has few secrets, few system calls for who has many.
            nextChunk = min(2 * nextChunk, 1 << 20)
            let start = map(chunk).address
            guard start != 0 else { return 0 }
            pieces[place].reserveCapacity(chunk / size)
            for offset in stride(from: chunk - size, to: 0, by: -size) { pieces[place].append(start + UInt(offset)) }
            return start
        }

        /// Takes a piece back; true where it is on the heap, and not the pool's.
        mutating func giveBack(_ address: UInt, _ size: Int) -> Bool {
            if !heap.isEmpty, heap.remove(address) != nil { return true }
            guard size > SecretMemory.largest else {
                pieces[Self.place(of: size)].append(address)
                return false
            }
            if large.remove(address) != nil { locked -= size }
            SystemMemory.unmap(address, size)
            pages -= size
            return false
        }

        private static func place(of size: Int) -> Int {
            size.trailingZeroBitCount - SecretMemory.smallest.trailingZeroBitCount
        }

        /// New pages, locked where that is allowed and left out of core dumps.
        private mutating func map(_ size: Int) -> (address: UInt, isLocked: Bool) {
            let (address, isLocked) = SystemMemory.mapPages(size)
            guard address != 0 else { return (0, false) }
            pages += size
            if isLocked { locked += size }
            return (address, isLocked)
        }
    }
}
