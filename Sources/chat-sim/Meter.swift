import ChatSimulation
import ChatWire

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How fast a run was, and how much memory the process has had.
struct Meter: Sendable {
    private let begin = ContinuousClock.now

    /// What was measured.
    struct Reading: Sendable {
        let seconds: Double
        let deliveriesPerSecond: Int
        let peakMemory: Int

        var text: String {
            "\(Meter.rounded(seconds)) s, \(deliveriesPerSecond) deliveries/s, at most \(peakMemory >> 20) MiB"
        }

        var json: JSON {
            [
                "seconds": .number(seconds), "deliveriesPerSecond": JSON(deliveriesPerSecond),
                "peakMemoryBytes": JSON(peakMemory),
            ]
        }
    }

    func read(_ tally: Tally) -> Reading {
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        return Reading(
            seconds: seconds, deliveriesPerSecond: Int(Double(tally.deliveries) / max(seconds, 1e-9)),
            peakMemory: peakMemory)
    }

    static func seconds(_ duration: Duration) -> Double { rounded(duration / .seconds(1)) }

    static func rounded(_ number: Double) -> Double { (number * 100).rounded() / 100 }

    /// The most bytes that this process has had in memory.
    var peakMemory: Int {
        var usage = rusage()
        #if canImport(Darwin)
            unsafe getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #else
            unsafe getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss << 10
        #endif
    }
}
