import ChatCrypto
import ChatModel
import ChatReliability
import TestSupport
import Testing

private let now = Timestamp(seconds: 1)

struct SegmentationVectors {
    @Test func `payloads are split as in the vectors (SEG-01 … SEG-05)`() throws {
        try Vectors.run("logos/segmentation.json", only: { try $0.text("operation") == "split" }) { one in
            let segmentation = try Segmentation(segmentSize: try one.number("segment_size"))
            let payload = Bytes(try one.bytes("payload"))
            guard try one.text("result") == "valid" else {
                #expect(throws: Refusal.self, "\(one)") { try segmentation.split(payload) }
                return
            }
            #expect(try segmentation.split(payload).map(\.array.hex) == one.texts("segments"), "\(one)")
        }
    }

    @Test func `segments are put together as in the vectors (SEG-07 … SEG-10)`() throws {
        try Vectors.run("logos/segmentation.json", only: { try $0.text("operation") == "reassemble" }) { one in
            var reassembler = Reassembler()
            for step in try one.list("steps") {
                let segment = Bytes(try step.bytes("segment"))
                guard try step.text("result") == "valid" else {
                    let error = #expect(throws: Refusal.self, "\(step)") {
                        try reassembler.receive(segment, from: "saro", now: now)
                    }
                    if step.has("error") { #expect(try error?.cause.code == step.text("error"), "\(step)") }
                    continue
                }
                let outcome = try reassembler.receive(segment, from: "saro", now: now)
                if let whole = try step.optionalBytes("completes") {
                    #expect(outcome == .complete(Bytes(whole)), "\(step)")
                } else if case .complete = outcome {
                    Issue.record("\(step): complete")
                }
            }
        }
    }

    @Test func `parity counts are those of the deployed implementation`() throws {
        guard let file = try Vectors.load("leopard/segments.json") else { return }
        var count = 0
        for rate in try file.list("parity_counts") {
            let parity = Segmentation.ParityRate(millionths: try rate.number("parity_rate_millionths"))
            for pair in try rate.list("counts") {
                let numbers = try pair.list().map { try $0.integer() }
                #expect(parity.count(data: numbers[0]) == numbers[1], "\(pair)")
                count += 1
            }
        }
        print("vectors: leopard/segments.json: \(count) parity counts")
    }

    @Test func `payloads with parity are split, lost and found as in the vectors (SEG-05, SEG-06)`() throws {
        try Vectors.run("leopard/segments.json") { one in
            var payload = leopardShard(try one.text("seed"), 0, try one.number("payload_length"))
            for index in payload.indices.suffix(try one.number("zero_tail")) { payload[index] = 0 }
            #expect(try Keccak256.hash(payload).hex == one.text("payload_keccak256"), "\(one)")
            let rate = Segmentation.ParityRate(millionths: try one.number("parity_rate_millionths"))
            let segmentation = try Segmentation(segmentSize: try one.number("segment_size"), parity: rate)
            guard try one.text("field") != "gf65536" else {
                #expect(throws: Refusal.self, "\(one)") { try segmentation.split(Bytes(payload)) }
                return
            }
            let segments = try segmentation.split(Bytes(payload))
            if one.has("segments") {
                #expect(try segments.map(\.array.hex) == one.texts("segments"), "\(one)")
            } else {
                #expect(try segments.map { SHA256.hash($0.span).hex } == one.texts("segments_sha256"), "\(one)")
            }
            let dataCount = try one.number("data_count")
            for loss in try one.list("reassemble") {
                let lost = Set(
                    try loss.list("lost_data").map { try $0.integer() }
                        + loss.list("lost_parity").map { dataCount + (try $0.integer()) })
                try check(loss, segments.indices.filter { !lost.contains($0) }.map { segments[$0] }, payload)
            }
            if one.has("segments_nim") {
                for text in try one.texts("segments_nim") {
                    let error = #expect(throws: Refusal.self) {
                        try SegmentMessage(decoding: Bytes([UInt8](hex: text)))
                    }
                    #expect(error?.outcome == .unsupported, "\(one)")
                }
            }
        }
    }

    private func check(_ one: Vector, _ segments: [Bytes], _ payload: [UInt8]) throws {
        for order in [segments, segments.reversed()] {
            var reassembler = Reassembler()
            var whole: Bytes?
            for segment in order {
                if case .complete(let found) = try reassembler.receive(segment, from: "saro", now: now) {
                    whole = found
                }
            }
            #expect(try whole == (one.text("result") == "completes" ? Bytes(payload) : nil), "\(one)")
        }
    }
}
