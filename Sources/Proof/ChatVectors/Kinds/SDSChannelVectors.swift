import ChatCodec
import ChatModel
import ChatReliability

// Kind `sds_channel`: filters, repair, and channels of three with both.
extension Kind {
    static let sdsChannel = Kind(
        name: "sds_channel",
        run: operations([
            "roundtrip": roundtrip, "filter": filter, "probe": probe, "repair_times": repairTimes,
            "transcript": playGroup,
        ]), files: sdsChannelFiles)

    private static func playGroup(_ one: Case) async throws -> JSON {
        var group = try SDSGroup(one)
        var outputs: [JSON] = []
        for step in try one.list("steps") { outputs.append(try await group.perform(step)) }
        return ["steps": .array(outputs)]
    }

    /// A move of a script; the time is in milliseconds since the channel began. Sync messages are called `sync/` and
    /// their sender.
    private enum Move {
        case send(Int, String, String)
        case receive(Int, String, String)
        case bytes(Int, String, SDSMessage, error: String? = nil)
        case wake(Int, String)
    }

    private static let small: JSON = ["capacity": 4, "errors_per_million": 10_000, "hashes": 7, "bits": 128]

    private static func sdsChannelFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases = try messageDrafts(maker) + filterDrafts(maker)
        for (id, comment, filter, moves) in try scripts() {
            cases.append(try await draftGroup("channel-\(id)", comment, filter, moves))
        }
        return [
            VectorFile(
                "sds_channel.json", kind: "sds_channel", profile: "reference",
                notes: ["wakes stand where every choice of SDS-12 gives the same"], cases: cases)
        ]
    }

    private static func messageDrafts(_ maker: DeterministicValues) throws -> [JSON] {
        var filter = BloomFilter()
        for id in ["a1", "b1"] { filter.insert(try identifier(id)) }
        let base: JSON = ["sender_id": "pax", "message_id": "c1", "channel_id": "c", "lamport_timestamp": 1_700]
        return [
            draft(
                "message-with-filter", "a message with the usual filter",
                [
                    "operation": "roundtrip", "message": "SdsMessage",
                    "fields": base.adding([
                        "bloom_filter": .hex(filter.encoded()), "content": maker.hex(20, "sds_channel/content"),
                    ]),
                ]),
            draft(
                "message-with-gone", "a sync message that says that two messages will not come (SDS-R11)",
                [
                    "operation": "roundtrip", "message": "SdsMessage",
                    "fields": base.adding([
                        "repair_request": [["message_id": "b1"]], "gone": [["message_id": "a1"], ["message_id": "a2"]],
                    ]),
                ]),
            draft(
                "message-with-requests", "a sync message that asks for two messages, and names their senders",
                [
                    "operation": "roundtrip", "message": "SdsMessage",
                    "fields": base.adding([
                        "causal_history": [["message_id": "a2", "sender_id": "saro"]],
                        "repair_request": [
                            ["message_id": "a1", "sender_id": "saro"],
                            ["message_id": "b1", "retrieval_hint": "cafe", "sender_id": "raya"],
                        ],
                    ]),
                ]),
        ]
    }

    private static func scripts() throws -> [(String, String, JSON, [Move])] {
        let (s, r, p) = ("saro", "raya", "pax")
        func message(_ sender: String, _ id: String, _ lamport: UInt64?, _ history: [String] = []) throws -> SDSMessage
        {
            SDSMessage(
                sender: try identifier(sender), id: try identifier(id), channel: try identifier("channel"),
                lamport: lamport, history: try history.map { SDSMessage.HistoryEntry(try identifier($0)) },
                content: [0x78])
        }
        var other = try message(r, "b1", 1_700_000_000_000)
        other.channel = try identifier("elsewhere")
        var request = try message(p, "c1", 1_700_000_001_000)
        (request.content, request.repairs) = (nil, [SDSMessage.HistoryEntry(try identifier("a1"))])
        let third: Int = 86_400_000
        func named(_ id: String, by sender: String) throws -> SDSMessage.HistoryEntry {
            SDSMessage.HistoryEntry(try identifier(id), sender: try identifier(sender))
        }
        var orphan = try message(p, "c1", 1_700_000_000_010)
        orphan.history = [try named("a9", by: s)]
        var earlier = try message(p, "c2", 1_700_000_000_020)
        earlier.history = [try named("b9", by: r)]
        var liar = try message(p, "c2", 1_700_000_310_020)
        (liar.content, liar.history, liar.gone) = (nil, [try named("a9", by: s)], [try named("a9", by: s)])
        return [
            (
                "in-turn", "three participants in turn, with filters: histories name senders and acknowledge (SDS-09)",
                small,
                [
                    .send(0, s, "a1"), .receive(100, r, "a1"), .receive(100, p, "a1"), .send(200, r, "b1"),
                    .receive(300, s, "b1"), .receive(300, p, "b1"), .send(400, p, "c1"), .receive(500, s, "c1"),
                    .receive(500, r, "c1"),
                ]
            ),
            (
                "concurrent", "two speak at once: what comes behind another is named too (SDS-R1), a sync tells both",
                .null,
                [
                    .send(0, s, "a1"), .send(0, r, "b1"), .send(1, r, "b2"), .send(2, r, "b3"), .receive(10, p, "b1"),
                    .receive(11, p, "b2"), .receive(12, p, "b3"), .receive(20, p, "a1"), .wake(4_020, p),
                    .receive(4_100, s, "sync/pax"), .receive(4_100, r, "sync/pax"), .receive(4_200, s, "b1"),
                    .receive(4_200, s, "b2"), .receive(4_200, s, "b3"), .receive(4_300, r, "a1"),
                    .send(4_400, r, "b4"), .receive(4_500, s, "b4"),
                ]
            ),
            (
                "reordered", "messages wait for their causal past (SDS-07), and are delivered in one order (SDS-08)",
                small,
                [
                    .send(0, s, "a1"), .receive(10, r, "a1"), .send(20, r, "b1"), .receive(30, s, "b1"),
                    .send(40, s, "a2"), .receive(50, p, "a2"), .receive(60, p, "b1"), .receive(70, p, "a1"),
                ]
            ),
            (
                "late", "a message that comes late belongs behind another one, and is named by the next",
                .null,
                [
                    .send(0, s, "a1"), .send(10, r, "b1"), .send(20, r, "b2"), .receive(100, p, "b1"),
                    .receive(110, p, "b2"), .receive(120, p, "a1"), .send(130, p, "c1"), .receive(140, s, "c1"),
                ]
            ),
            (
                "possibly",
                "who is in one filter is possibly acknowledged and waits four times as long, who is in two is not "
                    + "sent again, and seven days later taken to have arrived (SDS-09, SDS-11)", small,
                [
                    .send(0, s, "a1"), .send(0, r, "b1"), .receive(10, r, "a1"), .send(20, p, "c1"),
                    .bytes(30, s, try filtered(message(r, "b8", 1_700_000_000_030), ["a1", "b8"])), .wake(5_000, s),
                    .bytes(40_000, s, try message(r, "b7", 1_700_000_040_000)), .wake(44_000, s), .wake(44_999, s),
                    .wake(45_000, s),
                    .bytes(45_100, s, try filtered(message(r, "b9", 1_700_000_045_100), ["a1", "b9"])),
                    .wake(300_000, s),
                ] + hours(2...168, s)
            ),
            (
                "sent-again",
                "nobody answers: after 5 s, then 10 s and 20 s; a message that comes "
                    + "again is acknowledged again (SDS-11)", .null,
                [
                    .send(0, s, "a1"), .wake(4_999, s), .wake(5_000, s), .wake(14_999, s), .wake(30_000, s),
                    .receive(30_100, r, "a1"), .wake(34_100, r), .wake(49_999, s), .wake(50_000, s),
                    .receive(50_100, r, "a1"), .wake(54_100, r), .receive(54_200, s, "sync/raya"),
                ]
            ),
            (
                "full-filter", "a filter that is full begins anew with the end of the log", small,
                [
                    .send(0, s, "a1"), .send(1, s, "a2"), .send(2, s, "a3"), .send(3, s, "a4"), .send(4, s, "a5"),
                    .send(5, s, "a6"),
                ]
            ),
            (
                "full-filter-waiting", "what waits is in the new filter too", small,
                [
                    .send(0, s, "a1"), .send(1, s, "a2"), .receive(2, p, "a2"), .send(3, p, "c1"), .send(4, p, "c2"),
                    .send(5, p, "c3"), .send(6, p, "c4"), .send(7, p, "c5"),
                ]
            ),
            (
                "saturated", "a filter that does not decode or has too many bits set proves nothing (SDS-R6)", small,
                [
                    .send(0, s, "a1"),
                    .bytes(10, s, try filtered(message(r, "b1", 1_700_000_000_010), nil, "0aff")),
                    .bytes(
                        20, s,
                        try filtered(
                            message(r, "b2", 1_700_000_000_020), nil,
                            "0a10ffffffffffffffffffffffffffffffff100418904e2007288001")),
                ]
            ),
            (
                "repaired",
                "one message is lost for one: it asks (SDSR-05), the sender answers at once, once in a second "
                    + "(SDSR-06)", .null,
                [
                    .send(0, s, "a1"), .send(10, s, "a2"), .receive(20, r, "a2"), .wake(4_020, r), .wake(310_000, r),
                    .receive(310_010, s, "sync/raya"), .receive(310_020, s, "sync/raya"), .receive(311_100, r, "a1"),
                ]
            ),
            (
                "repaired-by-another", "the sender is gone: another one answers after its time (SDSR-06)", .null,
                [
                    .send(0, s, "a1"), .send(10, s, "a2"), .receive(20, p, "a1"), .receive(30, p, "a2"),
                    .receive(40, r, "a2"), .wake(310_000, r), .receive(310_010, p, "sync/raya"), .wake(610_010, p),
                    .receive(610_020, r, "a1"),
                ]
            ),
            (
                "answered-by-another", "whoever hears the message before does not answer", .null,
                [
                    .send(0, s, "a1"), .send(10, s, "a2"), .receive(20, p, "a1"), .receive(30, p, "a2"),
                    .receive(40, r, "a2"), .wake(310_000, r), .receive(310_010, p, "sync/raya"),
                    .receive(310_015, p, "a1"), .wake(610_010, p),
                ]
            ),
            (
                "asked-by-another", "a request by somebody else puts off one's own (SDSR-06)", .null,
                [
                    .send(0, s, "a1"), .send(10, s, "a2"), .receive(20, r, "a2"), .receive(20, p, "a2"),
                    .bytes(300_010, r, request), .wake(310_000, r), .wake(600_009, r), .wake(600_010, r),
                ]
            ),
            (
                "acknowledged-and-asked", "who sent it first has it even if it is acknowledged, and answers at once",
                .null,
                [
                    .send(0, s, "a1"), .receive(10, r, "a1"), .send(20, r, "b1"), .receive(30, s, "b1"),
                    .bytes(1_000, s, request), .wake(1_000, s), .bytes(2_000, s, request), .wake(2_000, s),
                ]
            ),
            (
                "lost",
                "a missing message is given up after a day, what waited is delivered, and it may still come (SDS-10)",
                .null,
                [
                    .send(0, s, "a1"), .send(10, s, "a2"), .receive(20, r, "a2"),
                ] + hours(2...24, r) + [.wake(third + 20, r), .receive(third + 30, r, "a1")]
            ),
            (
                "given-up", "an own message that nobody acknowledges is given up after seven days (SDS-11)", .null,
                [.send(0, s, "a1")] + hours(2...168, s)
            ),
            (
                "absent", "more than two hours without a step are an absence, which does not count (SDS-R10)", .null,
                [
                    .send(0, s, "a1"), .send(5, s, "a2"), .receive(10, r, "a2"), .wake(8 * third, s),
                    .wake(8 * third, r), .wake(8 * third + 599_999, r), .wake(8 * third + 600_000, r),
                ]
            ),
            (
                "gone",
                "who alone could send what is asked for and cannot says so (SDS-R11): it is waited for no longer; nobody "
                    + "else's word counts", .null,
                [
                    .bytes(10, r, orphan), .wake(310_000, r), .receive(310_010, s, "sync/raya"),
                    .receive(310_010, p, "sync/raya"), .bytes(310_020, r, liar), .wake(311_010, s),
                    .receive(311_100, r, "sync/saro"),
                ]
            ),
            (
                "earlier-life", "nobody waits for a message that is said to be an own one (SDS-07)", .null,
                [.bytes(20, r, earlier)]
            ),
            (
                "refused", "what no participant sends changes nothing (SDS-R3, SDS-R4)", .null,
                [
                    .send(0, s, "a1"), .receive(10, r, "a1"), .bytes(20, r, other, error: "foreign"),
                    .bytes(30, r, try message("", "c1", 1_700_000_000_000), error: "malformed"),
                    .bytes(40, r, try message(p, "", 1_700_000_000_000), error: "malformed"),
                    .bytes(50, r, try message(p, "c1", 1 << 63), error: "malformed"),
                    .bytes(60, r, try message(p, "c1", 1_700_000_000_000, ["c1"]), error: "malformed"),
                    .bytes(70, r, try message(p, "c1", 1_700_000_000_000, [""]), error: "malformed"),
                    .bytes(80, r, try message(p, "a1", 1_700_000_000_000), error: "invalid_state"),
                    .bytes(90, r, try message(p, "c1", 1_700_000_000_090, ["a1"])),
                ]
            ),
            (
                "hostile-clock", "a clock beyond half of what there is moves nobody else's (SDS-R4)", .null,
                [
                    .bytes(0, r, try message(p, "c1", 1 << 62)), .bytes(10, r, try message(p, "c2", (1 << 62) - 1)),
                    .send(20, r, "b1"),
                ]
            ),
            (
                "ephemeral", "without a clock: delivered at once, kept nowhere, and no acknowledgement (SDS-14)", .null,
                [
                    .bytes(0, r, try message(p, "c1", nil)), .bytes(10, r, try message(p, "c1", nil)),
                    .wake(4_010, r),
                ]
            ),
            (
                "asked-together",
                "what is due together is asked for in the order of the ids, three in a message, and given up in that "
                    + "order (SDSR-05, SDS-10)", .null,
                [
                    .bytes(0, r, try message(p, "c1", 1_700_000_000_000, ["a4", "a2", "a5", "a1", "a3"])),
                    .wake(310_000, r), .wake(310_050, r),
                ] + hours(2...22, r) + [.wake(third - 1, r), .wake(third, r)]
            ),
            (
                "ends",
                "more ends than a history names are named in turn, after one that came again was named; a sync message "
                    + "takes none of them away (SDS-04)", .null,
                [
                    .send(0, s, "a1"), .send(1, s, "a2"), .send(2, s, "a3"), .send(3, s, "a4"), .receive(10, r, "a1"),
                    .receive(11, r, "a2"), .receive(12, r, "a3"), .receive(13, r, "a4"), .receive(14, r, "a1"),
                    .wake(4_010, r),
                ]
                    + (try (10..<24).map { number in
                        .bytes(5_000, r, try message(p, "c\(number)", 1_700_000_005_000))
                    }) + [.wake(9_000, r), .receive(9_500, r, "a1"), .wake(13_500, r), .send(13_600, r, "b1")]
            ),
            (
                "own", "own messages that come back are ignored (SDS-06)", .null,
                [.send(0, s, "a1"), .receive(10, s, "a1"), .bytes(20, s, try message(s, "a9", 7, ["a1"]))]
            ),
            (
                "quiet",
                "sync messages come after 30, 60 and 120 s as long as nothing new happens (SDS-12), and not from "
                    + "those who heard one that says the same (SDS-13)", .null,
                [
                    .send(0, s, "a1"), .receive(10, r, "a1"), .receive(10, p, "a1"), .wake(1_999, r), .wake(4_010, r),
                    .receive(4_020, p, "sync/raya"), .wake(4_030, p), .receive(4_040, s, "sync/raya"),
                    .wake(19_039, s), .wake(34_040, s), .wake(64_039, s), .wake(94_040, s), .wake(154_039, s),
                    .wake(214_040, s),
                ]
            ),
        ]
    }

    /// A wake every two hours: time without a step does not count (SDS-R10).
    private static func hours(_ range: ClosedRange<Int>, _ by: String) -> [Move] {
        stride(from: range.lowerBound, through: range.upperBound, by: 2).map { .wake($0 * 3_600_000, by) }
    }

    private static func filtered(_ message: SDSMessage, _ ids: [String]?, _ bytes: String = "") throws -> SDSMessage {
        var message = message
        guard let ids else {
            message.filter = Bytes(try Case.bytes(bytes, "filter"))
            return message
        }
        var filter = BloomFilter(try filterParameters(Case(json: small)))
        for id in ids { filter.insert(try identifier(id)) }
        message.filter = filter.encoded()
        return message
    }

    private static func draftGroup(
        _ id: String, _ comment: String, _ filter: JSON, _ moves: [Move]
    ) async throws -> JSON {
        let start = 1_700_000_000_000
        let head: JSON = [
            "operation": "transcript", "channel": "channel", "participants": ["saro", "raya", "pax"],
            "start_ms": JSON(start), "filter": filter,
        ]
        var (group, steps, sent): (_, [JSON], [String: JSON]) = (try SDSGroup(Case(json: head)), [], [:])
        for move in moves {
            func step(_ operation: String, _ by: String, _ time: Int, _ fields: JSON = [:]) -> JSON {
                (["op": .string(operation), "by": .string(by), "now_ms": JSON(start + time)] as JSON).adding(fields)
            }
            let next: JSON
            switch move {
            case .send(let time, let by, let name):
                next = step("send", by, time, ["message_id": .string(name), "content": .hex([UInt8](name.utf8))])
            case .receive(let time, let by, let name):
                guard let message = sent[name] else { throw Problem.unreadable("\(id): nobody sent \(name)") }
                next = step("receive", by, time, ["message": message])
            case .bytes(let time, let by, let message, let error):
                let one = step("receive", by, time, ["message": .hex(message.encoded())])
                next = error.map { refusedStep(one, error: $0) } ?? one
            case .wake(let time, let by): next = step("wake", by, time)
            }
            steps.append(next)
            let output = try await group.perform(Case(json: next))
            for broadcast in output["broadcasts"]?.list ?? [] {
                let name = broadcast["message_id"]?.text ?? ""
                sent[name == "sync" ? "sync/\(next["by"]?.text ?? "")" : name] = broadcast["message"]
            }
        }
        return draft(id, comment, head.adding(["steps": .array(steps)]))
    }
}
