import ChatEngine
import ChatModel
import Foundation
import TestSupport
import Testing

struct DateTimeTests {
    @Test func `20,000 moments are written as others write them, and read again (CE-08)`() throws {
        var random = RepeatableRandom(seed: 8)
        let other = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for _ in 0..<20_000 {
            let milliseconds = UInt64.random(in: 0...253_402_300_799_999, using: &random)
            let moment = DateTime(Timestamp(milliseconds: milliseconds))
            #expect(DateTime(moment.description) == moment)
            let date = try other.parse(moment.description)
            #expect(abs(date.timeIntervalSince1970 * 1_000 - Double(milliseconds)) < 1, "\(moment)")
        }
    }

    @Test(arguments: [
        ("2026-02-13T11:00:00+01:00", 1_770_976_800_000), ("2026-02-13t10:00:00.5z", 1_770_976_800_500),
        ("1998-12-31T23:59:60Z", 915_148_799_000), ("1998-12-31T15:59:60-08:00", 915_148_799_000),
        ("0000-01-01T00:00:00Z", 0), ("2024-02-29T23:59:59-00:00", 1_709_251_199_000),
    ])
    func `an offset is taken away, and a leap second is one (CE-08)`(text: String, milliseconds: UInt64) {
        #expect(DateTime(text)?.timestamp.milliseconds == milliseconds)
        #expect(DateTime(text)?.description == text)
    }

    @Test(arguments: [
        "1998-12-31T23:58:60Z", "2026-02-29T10:00:00Z", "1900-02-29T10:00:00Z", "2026-02-13T10:00:00.Z",
        "2026-02-13T10:00:00+1:00", "2026-02-13T10:00:00Z ", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-02-13T10:60:00Z", "2026-02-13 10:00:00Z", "2026-02-13T10:00:00+24:00", "٢026-02-13T10:00:00Z",
    ])
    func `what is no moment is none (CE-08)`(text: String) {
        #expect(DateTime(text) == nil)
    }
}
