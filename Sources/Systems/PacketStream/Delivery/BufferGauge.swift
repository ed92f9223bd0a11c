/// When a buffer asks its sender to pause, and when to go on: at 90 % and at 50 % of what it holds.
public struct BufferGauge: Hashable, Sendable {
    /// Messages that the buffer holds, and where it pauses and resumes in percent.
    public let capacity, pausePercent, resumePercent: Int
    /// Messages in the buffer.
    public private(set) var depth = 0
    /// Whether the sender was asked to pause.
    public private(set) var isPaused = false

    /// An empty buffer.
    public init(capacity: Int = 100, pausePercent: Int = 90, resumePercent: Int = 50) {
        self.capacity = max(1, capacity)
        (self.pausePercent, self.resumePercent) = (pausePercent, min(resumePercent, pausePercent))
    }

    /// A message went in.
    public mutating func enqueue() -> FlowControl.Signal? {
        depth += 1
        guard !isPaused, depth * 100 >= capacity * pausePercent else { return nil }
        isPaused = true
        return .pause
    }

    /// A message went out.
    public mutating func dequeue() -> FlowControl.Signal? {
        depth = max(0, depth - 1)
        guard isPaused, depth * 100 <= capacity * resumePercent else { return nil }
        isPaused = false
        return .resume
    }
}
