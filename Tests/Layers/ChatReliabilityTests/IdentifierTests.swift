import ChatReliability
import Testing

@Test func `ids that are alike in their first 32 bytes do not share a place in a hash table (SDS-08)`() {
    let start = String(repeating: "a", count: 32)
    let ids = (0..<1_000).compactMap { Identifier(start + String(10_000 + $0)) }
    #expect(Set(ids).count == 1_000)
    #expect(Set(ids.map(\.hashValue)).count > 990)
    #expect(Identifier(start + "10000") == ids[0] && Identifier(start + "10000")?.hashValue == ids[0].hashValue)
}
