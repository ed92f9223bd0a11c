import ChatModel
import Foundation

/// The moment, as the machines of the library take it.
func now() -> Timestamp {
    Timestamp(milliseconds: UInt64(max(0, Date().timeIntervalSince1970 * 1_000)))
}

/// Waits until a moment, or until the task is cancelled.
func sleep(until time: Timestamp) async throws {
    try await Task.sleep(for: time.since(now()))
}
