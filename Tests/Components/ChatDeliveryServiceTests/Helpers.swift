import ChatDeliveryService
import ChatModel
import Synchronization
import TestSupport

/// Ids for payloads whose test does not care.
private let counter = Atomic<UInt64>(1 << 32)

/// A payload of a text.
func addressed(_ text: String, on address: DeliveryAddress = "hall", id: Int? = nil) -> Addressed {
    let low = id.map { UInt64($0) } ?? counter.add(1, ordering: .relaxed).newValue
    return Addressed(address, payload: Bytes(text), id: PayloadID(high: 7, low: low))
}

/// Payloads on the address `hall`.
func texts(_ texts: String...) -> [Addressed] { texts.map { addressed($0) } }

extension Mailbox {
    /// The payloads of a batch as texts.
    func texts(_ batch: Batch?) -> [String] {
        (batch?.deliveries ?? []).map { String(decoding: $0.addressed.payload.array, as: UTF8.self) }
    }
}

extension Result where Success == Receipt, Failure == DeliveryError {
    /// Whether the service has the payload.
    var isTaken: Bool { if case .success = self { true } else { false } }
    /// Where it stands.
    var cursor: Cursor? { if case .success(let receipt) = self { receipt.cursor } else { nil } }
}

extension DeliveryService {
    /// Publishes one payload.
    @discardableResult func publish(_ addressed: Addressed) async -> Result<Receipt, DeliveryError> {
        await publish([addressed])[0]
    }
}

/// A clock that stands until the test moves it.
final class TestClock: Sendable {
    private let time = Lock(Timestamp(milliseconds: 1_700_000_000_000))

    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
    var read: @Sendable () -> Timestamp { { [self] in time.withLock { $0 } } }
}
