import ChatDeliveryService
import ChatModel
import ChatPlatform
import ChatTool

/// One client of a relay in a process of its own, for `make bench-udp`, which starts and compares several.
///
/// Times are nanoseconds of the clock that all processes of a machine share, so that the delay of a payload is known
/// where it arrives: its first eight bytes say when it was published.
enum UDPRole {
    private static let address: DeliveryAddress = "0123456789abcdef0123456789abcdef"
    /// Publishing calls under way at once, and the bytes of each.
    private static let (calls, callBytes, callPayloads) = (2, 2 << 20, 2_048)

    private static let isPaced = Option("paced", "publish a payload each millisecond, and say how long each took")
    private static let command = Command(
        "chat-bench udp-role", summary: "Publishes or receives through a relay; a part of 'make bench-udp'.",
        options: [isPaced], operands: ["publish|subscribe", "RELAY", "SIZE", "COUNT"],
        notes: """
            subscribe prints 'ready' and then: first last processor median p99; publish waits for a line on standard
            input and prints: start end processor. All are nanoseconds.
            """)

    /// Plays the role that the arguments name, if they name one.
    static func play() async throws -> Bool {
        guard CommandLine.arguments.dropFirst().first == "udp-role" else { return false }
        guard let options = try command.parse(CommandLine.arguments.dropFirst(2)),
            let size = Int(options.operands[2]), let count = Int(options.operands[3]), size >= 8, count > 0
        else {
            Terminal.print(command.help)
            return true
        }
        var configuration = UDPConfiguration()
        configuration.window = 8 << 20
        let service = try await UDPDeliveryService(relay: options.operands[1], configuration: configuration)
        switch options.operands[0] {
        case "publish" where options[isPaced]: try await publishPaced(service, size: size, count: count)
        case "publish": await publish(service, size: size, count: count)
        case "subscribe": try await subscribe(service, count: count)
        case let other: Terminal.complain("chat-bench udp-role: no role is called '\(other)'")
        }
        service.close()
        return true
    }

    private static func now() -> UInt64 { SystemClock.monotonicNanoseconds }

    private static func processor() -> Int { Int(processorTime() / .nanoseconds(1)) }

    @concurrent private static func publish(_ service: UDPDeliveryService, size: Int, count: Int) async {
        let payload = Bytes([UInt8](repeating: 1, count: size))
        let most = max(1, min(callPayloads, callBytes / size))
        _ = readLine()
        let (start, before) = (now(), processor())
        await withTaskGroup(of: Void.self) { group in
            for call in 0..<calls {
                group.addTask {
                    var left = count / calls + (call < count % calls ? 1 : 0)
                    while left > 0 {
                        let batch = min(left, most)
                        left -= batch
                        let results = await service.publish(
                            (0..<batch).map { _ in Addressed(address, payload: payload) })
                        for case .failure(let error) in results { Terminal.complain("not published: \(error)") }
                    }
                }
            }
        }
        Terminal.print("\(start) \(now()) \(processor() - before)")
    }

    @concurrent private static func publishPaced(_ service: UDPDeliveryService, size: Int, count: Int) async throws {
        _ = readLine()
        let (start, before) = (now(), processor())
        for _ in 0..<count {
            var bytes = [UInt8](repeating: 1, count: size)
            let time = now()
            for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: time >> (8 * UInt64(index))) }
            for case .failure(let error) in await service.publish([Addressed(address, payload: Bytes(bytes))]) {
                Terminal.complain("not published: \(error)")
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        Terminal.print("\(start) \(now()) \(processor() - before)")
    }

    @concurrent private static func subscribe(_ service: UDPDeliveryService, count: Int) async throws {
        let mailbox = Mailbox(capacity: 65_536, byteCapacity: 64 << 20)
        try await service.subscribe([address: .now], into: mailbox)
        Terminal.print("ready")
        let before = processor()
        var (first, received): (UInt64, Int) = (0, 0)
        var delays: [UInt64] = []
        while received < count, let batch = await mailbox.next() {
            let time = now()
            if first == 0 { first = time }
            received += batch.deliveries.count
            for delivery in batch.deliveries {
                let stamp = (0..<8).reduce(0 as UInt64) {
                    $0 | UInt64(delivery.addressed.payload[$1]) << (8 * UInt64($1))
                }
                delays.append(time &- stamp)
            }
            for notice in batch.notices { Terminal.complain("notice: \(notice)") }
        }
        delays.sort()
        let last = now()
        let (median, late) = delays.isEmpty ? (0, 0) : (delays[delays.count / 2], delays[delays.count * 99 / 100])
        Terminal.print("\(first) \(last) \(processor() - before) \(median) \(late)")
    }
}
