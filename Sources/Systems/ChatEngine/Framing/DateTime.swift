public import ChatCodec
public import ChatModel

/// A moment as RFC 3339 writes it, with an offset (CE-08); what was read is written as it was.
public struct DateTime: EngineValue, CustomStringConvertible {
    /// The text.
    public let description: String
    /// The moment; those before 1970 are its first.
    public let timestamp: Timestamp

    /// A moment in UTC, in milliseconds: `2026-02-13T10:00:00.000Z`.
    public init(_ timestamp: Timestamp) {
        // A day of the year 9999 is the last that has four digits.
        let milliseconds = Int(min(timestamp.milliseconds, 253_402_300_799_999))
        let (days, rest) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        let date = Self.date(ofDay: days)
        let text = [
            "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))T",
            "\(pad(rest / 3_600_000, 2)):\(pad(rest / 60_000 % 60, 2)):",
            "\(pad(rest / 1_000 % 60, 2)).\(pad(rest % 1_000, 3))Z",
        ]
        (description, self.timestamp) = (text.joined(), timestamp)
    }

    /// A text, if it is a moment: a day that exists, `T` or `t`, a time of day, and `Z`, `z` or an offset. Second 60
    /// is one where it is the last of a day of UTC.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 64, let moment = Self.moment(bytes) else { return nil }
        (description, timestamp) = (text, Timestamp(milliseconds: UInt64(max(0, moment))))
    }

    /// Reads it.
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        guard let text = json.text else { throw Violation(.field, "is no text") }
        guard let moment = DateTime(text) else { throw Violation(.timestamp, "is no moment of RFC 3339") }
        self = moment
    }

    /// Writes it.
    public func write(to writer: inout JSONWriter) { writer.text(description) }
}

private func pad(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

extension DateTime {
    /// Milliseconds since 1970.
    private static func moment(_ bytes: [UInt8]) -> Int? {
        guard let year = number(bytes[0..<4]), bytes[4] == UInt8(ascii: "-"), let month = number(bytes[5..<7]),
            bytes[7] == UInt8(ascii: "-"), let day = number(bytes[8..<10]), bytes[10] | 0x20 == UInt8(ascii: "t"),
            let hour = number(bytes[11..<13]), bytes[13] == UInt8(ascii: ":"), let minute = number(bytes[14..<16]),
            bytes[16] == UInt8(ascii: ":"), let second = number(bytes[17..<19]),
            (1...12).contains(month), (1...days(inMonth: month, of: year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var rest = bytes[19...]
        var fraction = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { number([$0]) != nil }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(1 + digits.count)
            fraction = number((digits + [48, 48, 48]).prefix(3)) ?? 0
        }
        guard let offset = offset(rest) else { return nil }
        let minutes = (daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offset
        // A leap second ends a day of UTC, wherever the offset says that is.
        if second == 60, (minutes % 1_440 + 1_440) % 1_440 != 1_439 { return nil }
        return (minutes * 60 + min(second, 59)) * 1_000 + fraction
    }

    /// `Z`, `+hh:mm` or `-hh:mm`, in minutes.
    private static func offset(_ bytes: ArraySlice<UInt8>) -> Int? {
        let bytes = Array(bytes)
        if bytes.count == 1, bytes[0] | 0x20 == UInt8(ascii: "z") { return 0 }
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), let hours = number(bytes[1..<3]), hours < 24,
            let minutes = number(bytes[4..<6]), minutes < 60
        else { return nil }
        switch bytes[0] {
        case UInt8(ascii: "+"): return hours * 60 + minutes
        case UInt8(ascii: "-"): return -(hours * 60 + minutes)
        default: return nil
        }
    }

    /// A few digits and nothing else.
    private static func number(_ bytes: some Collection<UInt8>) -> Int? {
        var value = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The Gregorian calendar, whose years begin in March here, so that a leap day is the last of a year.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let (century, inCentury) = (year >= 0 ? year : year - 399).quotientAndRemainder(dividingBy: 400)
        let yearOfEra = year >= 0 ? inCentury : year - century * 400
        return century * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = (day + 719_468).quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let year = yearOfEra + era * 400
        return (month < 10 ? year : year + 1, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }
}
