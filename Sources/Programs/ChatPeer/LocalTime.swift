#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Times as a person here reads them.
enum LocalTime {
    /// Seconds since 1970, now.
    static var now: Int64 {
        var now = time_t()
        unsafe time(&now)
        return Int64(now)
    }

    /// Hours and minutes, perhaps behind the date.
    static func text(_ seconds: Int64, withDate: Bool = false) -> String {
        var time = time_t(seconds)
        var local = unsafe tm()
        guard unsafe localtime_r(&time, &local) != nil else { return "--:--" }
        let clock = unsafe "\(digits(local.tm_hour)):\(digits(local.tm_min))"
        guard withDate else { return clock }
        let (year, month, day) = unsafe (Int(local.tm_year) + 1_900, local.tm_mon + 1, local.tm_mday)
        return "\(year)-\(digits(month))-\(digits(day)) \(clock)"
    }

    private static func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
