/// Search results as a sequence of answers, each better than the one before; most discoveries give one and end.
public struct Introductions: AsyncSequence, Sendable {
    /// Gives one answer after the other; nil ends.
    public typealias Next = () async throws(DiscoveryError) -> [Introduction]?

    private let begin: @Sendable () -> Next

    /// One answer.
    public init(_ answer: [Introduction]) {
        begin = {
            var rest = [answer]
            return { () throws(DiscoveryError) in rest.popLast() }
        }
    }

    /// Answers that are made one after the other, anew for each reader; a reader that stops cancels its task.
    public init(_ begin: @escaping @Sendable () -> Next) {
        self.begin = begin
    }

    /// Begins to look.
    public func makeAsyncIterator() -> Iterator { Iterator(step: begin()) }

    /// Asks for one answer after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let step: Next

        /// The next answer, or nil where there will be none.
        public mutating func next() async throws(DiscoveryError) -> [Introduction]? { try await step() }
    }
}
