import ChatCodec
import ChatPlatform
import ChatSimulation

/// How fast a run was, and how much memory the process has had.
struct Meter: Sendable {
    private let begin = ContinuousClock.now
    private let beginProcessor = SystemClock.processNanoseconds

    /// What was measured.
    struct Reading: Sendable {
        let seconds: Double
        /// Of one core, or of several in sum.
        let processorSeconds: Double
        let deliveriesPerSecond: Int
        let peakMemory: Int

        var text: String {
            "\(Meter.rounded(seconds)) s, \(Meter.rounded(processorSeconds)) s of a core, "
                + "\(deliveriesPerSecond) deliveries/s of it, at most \(peakMemory >> 20) MiB"
        }

        var json: JSON {
            [
                "seconds": .number(seconds), "processorSeconds": .number(processorSeconds),
                "deliveriesPerSecond": JSON(deliveriesPerSecond),
                "peakMemoryBytes": JSON(peakMemory),
            ]
        }
    }

    func read(_ tally: Tally) -> Reading {
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        let processor = Double(SystemClock.processNanoseconds - beginProcessor) / 1e9
        return Reading(
            seconds: seconds, processorSeconds: processor,
            deliveriesPerSecond: Int(Double(tally.deliveries) / max(processor, 1e-9)),
            peakMemory: peakMemory)
    }

    static func seconds(_ duration: Duration) -> Double { rounded(duration / .seconds(1)) }

    static func rounded(_ number: Double) -> Double { (number * 100).rounded() / 100 }

    /// The most bytes that this process has had in memory.
    var peakMemory: Int { ThisProcess.peakMemory }
}
