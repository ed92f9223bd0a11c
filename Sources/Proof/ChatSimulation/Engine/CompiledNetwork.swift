import ChatModel
import ChatPlatform

/// A network's numbers in the form in which they are needed for every payload.
struct CompiledNetwork: Sendable {
    /// Whether payloads meet no faults for now.
    var isCalm = false
    private let usual: Link
    private let exceptions: [(from: Range<Int>, to: Range<Int>, link: Link)]
    /// How long the service takes to answer.
    let answerTime: VirtualTime
    /// Microseconds for a byte, or 0.
    private let byteTime: Double

    /// One link.
    struct Link: Sendable {
        fileprivate let latency: (least: UInt64, spread: Double, isTail: Bool)
        let loss, duplication, reordering, corruption: Double
        let holdBack: VirtualTime

        init(_ link: Network.Link) {
            switch link.latency {
            case .constant(let time): latency = (VirtualTime(time).microseconds, 0, false)
            case .uniform(let range):
                let least = VirtualTime(range.lowerBound).microseconds
                latency = (least, Double(VirtualTime(range.upperBound).microseconds - least), false)
            case .longTail(let least, let mean):
                latency = (VirtualTime(least).microseconds, Double(VirtualTime(mean).microseconds), true)
            }
            (loss, duplication) = (link.loss, link.duplication)
            (reordering, corruption) = (link.reordering, link.corruption)
            holdBack = VirtualTime(link.holdBack)
        }

        /// How long a payload takes.
        func time(_ dice: inout Dice) -> VirtualTime {
            guard latency.spread > 0 else { return VirtualTime(microseconds: latency.least) }
            let unit = dice.unit()
            let extra = latency.isTail ? -naturalLogarithm(1 - unit) * latency.spread : unit * latency.spread
            return VirtualTime(microseconds: latency.least + UInt64(extra))
        }
    }

    init(_ network: Network) {
        usual = Link(network.link)
        exceptions = network.exceptions.map { ($0.from, $0.to, Link($0.link)) }
        answerTime = VirtualTime(microseconds: 2 * usual.latency.least + 1_000)
        byteTime = network.bandwidth.map { 1e6 / Double(max(1, $0)) } ?? 0
    }

    func link(from sender: Int, to receiver: Int) -> Link {
        guard !exceptions.isEmpty else { return usual }
        return exceptions.first { $0.from.contains(sender) && $0.to.contains(receiver) }?.link ?? usual
    }

    /// How long so many bytes keep a peer's line busy.
    func time(for bytes: Int) -> VirtualTime { VirtualTime(microseconds: UInt64(byteTime * Double(bytes))) }
}
