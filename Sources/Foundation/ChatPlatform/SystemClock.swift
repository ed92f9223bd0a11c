#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The clocks of the system.
package enum SystemClock {
    /// Milliseconds since 1970, as the time of day has it.
    package static var milliseconds: UInt64 { microseconds / 1_000 }

    /// Microseconds since 1970.
    package static var microseconds: UInt64 { nanoseconds(CLOCK_REALTIME) / 1_000 }

    /// Nanoseconds of the clock that never goes back and that all processes of the machine share.
    package static var monotonicNanoseconds: UInt64 { nanoseconds(CLOCK_MONOTONIC) }

    /// Nanoseconds of a processor that this thread has used.
    package static var threadNanoseconds: UInt64 { nanoseconds(CLOCK_THREAD_CPUTIME_ID) }

    /// Nanoseconds of processors that all threads of this process have used.
    package static var processNanoseconds: UInt64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        let time = read(clock)
        return UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(max(0, time.tv_nsec))
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return time
    }
}

/// Times as a person here reads them.
package enum LocalTime {
    /// Seconds since 1970, now.
    package static var now: Int64 { Int64(SystemClock.milliseconds / 1_000) }

    /// Hours and minutes, perhaps behind the date.
    package static func text(_ seconds: Int64, withDate: Bool = false) -> String {
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

/// The natural logarithm, which the standard library does not have.
package func naturalLogarithm(_ number: Double) -> Double { log(number) }
