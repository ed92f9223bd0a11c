import ChatCodec
import ChatModel
import ChatReliability

// Kind `sds_channel`, what needs no channel: filters, and the times of repair.
extension Kind {
    /// A filter of some ids, and which bits each of them sets.
    @Sendable static func filter(_ one: Case) async throws -> JSON {
        let parameters = try filterParameters(one)
        var filter = BloomFilter(parameters)
        let ids = try one.texts("ids").map(identifier)
        for id in ids { filter.insert(id) }
        let places = ids.map { id in
            let probe = BloomFilter.Probe(id)
            return JSON.array((0..<parameters.hashes).map { JSON(probe.bit($0, of: parameters.bits)) })
        }
        return ["places": .array(places), "filter": .hex(filter.encoded())]
    }

    /// Which of some ids somebody's filter has, perhaps.
    @Sendable static func probe(_ one: Case) async throws -> JSON {
        let filter = try BloomFilter(decoding: Bytes(try one.bytes("filter")))
        let found = try one.texts("ids").filter { filter.contains(try identifier($0)) }
        return ["found": .texts(found), "is_saturated": .bool(filter.isSaturated)]
    }

    /// When a participant asks for a message, and when it answers.
    @Sendable static func repairTimes(_ one: Case) async throws -> JSON {
        let (own, sender) = (try identifier(one.text("participant")), try identifier(one.text("sender")))
        let id = try identifier(one.text("message_id"))
        let (shortest, longest) = (try one.uint64("shortest_ms"), try one.uint64("longest_ms"))
        let groups = SDSRepair.groups(participants: try one.int("participants"))
        return [
            "request_delay_ms": JSON(SDSRepair.requestDelay(own, id, shortest: shortest, longest: longest)),
            "answer_delay_ms": JSON(SDSRepair.answerDelay(own, sender, id, longest: longest)), "groups": JSON(groups),
            "group": JSON(SDSRepair.hash([own, id]) % groups),
            "sender_group": JSON(SDSRepair.hash([sender, id]) % groups),
            "answers": .bool(SDSRepair.answers(own, for: sender, id, groups: groups)),
        ]
    }

    static func filterParameters(_ one: Case) throws -> BloomFilter.Parameters {
        func number(_ key: String, _ limit: Int) throws -> Int {
            let number = try one.int(key)
            guard (1...limit).contains(number) else { throw Problem.unreadable("\(key) is \(number)") }
            return number
        }
        return BloomFilter.Parameters(
            capacity: try number("capacity", 1 << 20), errorsPerMillion: try number("errors_per_million", 1_000_000),
            hashes: try number("hashes", BloomFilter.maximumHashes),
            bits: try number("bits", 8 * BloomFilter.maximumSize))
    }

    static func identifier(_ text: String) throws -> Identifier {
        guard let identifier = Identifier(text) else { throw Problem.unreadable("no identifier: \(text.prefix(64))") }
        return identifier
    }

    static func filterDrafts(_ maker: DeterministicValues) -> [JSON] {
        let small: JSON = ["capacity": 4, "errors_per_million": 10_000, "hashes": 3, "bits": 64]
        let standard: JSON = ["capacity": 2_000, "errors_per_million": 1_000, "hashes": 10, "bits": 28_756]
        let odd: JSON = ["capacity": 10, "errors_per_million": 50_000, "hashes": 5, "bits": 63]
        let hashed = hex(maker.bytes(16, "sds_channel/filter"))
        var drafts: [JSON] = []
        for (id, comment, parameters, ids) in [
            ("small", "the example of the document", small, ["a1"]),
            ("of-none", "no id sets no bit", small, []),
            ("of-three", "an id that is added twice, and one that is no ASCII", small, ["a1", "a1", "ä"]),
            ("odd", "63 bits are filled up to 64", odd, ["a1", hashed]),
            ("standard", "the usual size", standard, ["a1", hashed]),
        ] {
            let fields: JSON = ["operation": "filter", "ids": .texts(ids)]
            drafts.append(draft("filter-\(id)", comment, fields.adding(parameters)))
        }
        let a1 = "0a080004410000000000100418904e20032840"
        for (id, comment, filter, ids) in [
            ("small", "the ids that are in it, and one that is not", a1, ["a1", "a2"]),
            (
                "full", "with all bits set everything is in it, which proves nothing (SDS-R6)",
                "0a08ffffffffffffffff100418904e20032840", ["a1", "a2"]
            ),
            (
                "three-fifths", "38 of 64 bits are not more than three fifths",
                "0a08ffffffff3f000000100418904e20032840", ["a1"]
            ),
            ("more-than-three-fifths", "39 of 64 bits are", "0a08ffffffff7f000000100418904e20032840", ["a1"]),
            ("unknown-field", "a field that is not known", a1 + "3001", ["a1"]),
        ] {
            drafts.append(
                draft(
                    "probe-\(id)", comment,
                    ["operation": "probe", "filter": .string(filter), "ids": .texts(ids)]))
        }
        for (id, comment, filter, error) in [
            ("no-hashes", "no hashes", "0a080004410000000000100418904e2840", "malformed"),
            ("many-hashes", "33 hashes", "0a080004410000000000100418904e20212840", "malformed"),
            ("no-bits", "a number of bits of 0", "0a080004410000000000100418904e2003", "malformed"),
            ("few-bytes", "65 bits in 8 bytes", "0a080004410000000000100418904e20032841", "malformed"),
            (
                "many-bytes", "56 bits are one word, and 16 bytes two",
                "0a1000044100000000000004410000000000100418904e20032838", "malformed"
            ),
            ("cut", "the bits go beyond the end", "0a0900", "malformed"),
        ] {
            drafts.append(
                draft(
                    "bad-filter-\(id)", comment,
                    ["operation": "probe", "filter": .string(filter), "ids": ["a1"]], error: error))
        }
        for (id, comment, own, sender, message, count) in [
            ("example", "the example of the document", "bob", "alice", "4e03657a", 2),
            ("own", "who sent it first answers at once", "alice", "alice", "4e03657a", 2),
            ("groups", "of four groups one answers, and this is another", "bob", "alice", "4e03657a", 384),
            ("same-group", "of two groups one answers, and this is it", "raya", "saro", "a4", 200),
            ("hex", "an id that is a hash", "pax", "saro", hashed, 127),
        ] {
            drafts.append(
                draft(
                    "times-\(id)", comment,
                    [
                        "operation": "repair_times", "participant": .string(own), "sender": .string(sender),
                        "message_id": .string(message), "participants": JSON(count), "shortest_ms": 30_000,
                        "longest_ms": 300_000,
                    ]))
        }
        drafts.append(
            draft(
                "times-of-two", "the times of a conversation of two",
                [
                    "operation": "repair_times", "participant": "R", "sender": "I", "message_id": .string(hashed),
                    "participants": 2, "shortest_ms": 1_000, "longest_ms": 10_000,
                ]))
        return drafts
    }
}
