public import ChatModel
import ChatReliability

// PRIVATE1 with other constants: each set of them is a type of its own (CT-08), named by them.
extension PrivateV1 {
    /// The type with these parameters; with none, or with the defaults alone, ``PrivateV1`` itself.
    ///
    /// `filter`: for how many ids the Bloom filter in each message is made, 0 for none, 65,536 at most; 2,000 by
    /// default. `segment`: the most bytes of a segment, from 256 to 102,400, which is the default.
    ///
    /// - Throws: `unsupported` for another parameter or value.
    public static func type(parameters: [String: String]) throws(Refusal) -> any ConversationProtocol {
        var constants = ReliableConstants()
        var canonical: [String: String] = [:]
        for (key, text) in parameters.sorted(by: { $0.key < $1.key }) {
            let ranges = ["filter": 0...65_536, "segment": 256...102_400]
            guard let value = Int(text), ranges[key]?.contains(value) == true else {
                throw Refusal(.unsupported, ConversationCause.parameter(key, text))
            }
            switch key {
            case "filter" where value != BloomFilter.Parameters.standard.capacity:
                constants.sds.filter = value == 0 ? nil : .forIDs(value)
                canonical[key] = String(value)
            case "segment" where value != constants.maximumSegment:
                constants.maximumSegment = value
                canonical[key] = String(value)
            default: continue
            }
        }
        guard !canonical.isEmpty else { return type }
        return ReliableType(
            ConversationType(facts.name, parameters: canonical),
            summary: "As private-v1, with other constants: those in its name.", around: Ratchet.type,
            constants: constants, names: { seed throws(Refusal) in try names(seed) })
    }
}

extension BloomFilter.Parameters {
    /// As the standard, for another number of ids: as many bits for each.
    fileprivate static func forIDs(_ count: Int) -> Self {
        let bits = (count * standard.bits + standard.capacity - 1) / standard.capacity
        return Self(
            capacity: count, errorsPerMillion: standard.errorsPerMillion, hashes: standard.hashes, bits: bits)
    }
}
