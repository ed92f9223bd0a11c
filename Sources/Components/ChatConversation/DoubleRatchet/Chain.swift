import ChatCrypto
import ChatModel

/// One direction's chain of message keys, which moves forward only (KDF_CK).
///
/// The chain key and what a step derives from it lie in one piece of memory that is overwritten in
/// place and wiped at the end: two fresh secrets for every payload would cost a fifth of its
/// cryptography. A step is prepared first and taken once the payload is authentic.
///
/// Sendable although it changes: a ``DoubleRatchet`` changes a chain only while it is its one owner,
/// and makes a copy first where it is not.
@safe final class Chain: @unchecked Sendable {
    /// The meaning of the four pieces of 32 bytes.
    private enum Slot: Int { case key = 0, next, message, spare }
    private static let size = 32
    private static let memorySize = 4 * size
    private let memory: UnsafeMutablePointer<UInt8>

    init(_ key: Secret) {
        unsafe memory = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.memorySize)
        unsafe memory.initialize(repeating: 0, count: Self.memorySize)
        key.lend { source in
            for index in 0..<min(source.count, Self.size) { unsafe memory[index] = source[index] }
        }
    }

    deinit {
        wipe(0..<Self.memorySize)
        unsafe memory.deallocate()
    }

    /// The chain key as it is now.
    var key: Secret { lend(.key) { Secret(copying: $0) } }

    /// The prepared message key.
    var messageKey: Secret { lend(.message) { Secret(copying: $0) } }

    /// The same chain for another owner.
    func copy() -> Chain { Chain(key) }

    /// Derives the message key a number of steps ahead and the chain key behind it; the chain itself stays.
    func prepare(ahead: Int = 0) {
        var from = Slot.key
        for _ in 0..<ahead {
            deriveNext(from: from)
            from = .next
        }
        derive(.message, from: from, "mk")
        deriveNext(from: from)
    }

    /// Lends the prepared message key.
    func lendMessageKey<R, E: Error>(to body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try lend(.message, to: body)
    }

    /// Takes the prepared step: its payload is sent, or authentic.
    func advance() {
        move(.next, to: .key)
        forget()
    }

    /// Wipes what was prepared.
    func forget() {
        wipe(Self.size..<Self.memorySize)
    }

    /// The message keys of steps behind the next ones, oldest first; the chain itself stays.
    func messageKeys(_ count: Int, after passed: Int = 0) -> [Secret] {
        let walker = copy()
        for _ in 0..<passed {
            walker.deriveNext(from: .key)
            walker.advance()
        }
        return (0..<count).map { _ in
            walker.prepare()
            defer { walker.advance() }
            return walker.messageKey
        }
    }

    private func deriveNext(from slot: Slot) {
        derive(.spare, from: slot, "ck")
        move(.spare, to: .next)
    }

    private func derive(_ slot: Slot, from source: Slot, _ personal: StaticString) {
        var target = unsafe MutableSpan(_unsafeStart: start(slot), count: Self.size)
        lend(source) { BLAKE2b.derive(into: &target, key: $0, personal: personal) }
    }

    private func lend<R, E: Error>(_ slot: Slot, to body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try body(unsafe Span(_unsafeStart: start(slot), count: Self.size))
    }

    private func move(_ source: Slot, to target: Slot) {
        unsafe start(target).update(from: start(source), count: Self.size)
    }

    private func wipe(_ range: Range<Int>) {
        var bytes = unsafe MutableSpan(_unsafeStart: memory + range.lowerBound, count: range.count)
        ChatModel.wipe(&bytes)
    }

    @unsafe private func start(_ slot: Slot) -> UnsafeMutablePointer<UInt8> {
        unsafe memory + Self.size * slot.rawValue
    }
}

extension Chain: Equatable {
    /// Whether both stand at the same chain key; what is prepared does not count.
    static func == (left: Chain, right: Chain) -> Bool { left === right || left.key == right.key }
}
