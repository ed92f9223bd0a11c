import ChatCodec
import ChatDriver
import Testing

private func inspect(_ arguments: [String], input: String = "") async throws -> Ended {
    try await runToEnd("packet-inspect", arguments, input: input)
}

@Suite(
    .enabled(if: Programs.has("packet-inspect"), "packet-inspect is not built beside the tests"), .serialized,
    .timeLimit(.minutes(30)))
struct PacketInspectProgramTests {
    /// A message of kind telemetry without content, as bubu-sdk-go 0.1.5 emits it.
    private let telemetry =
        "1a600a3c7b2276657273696f6e223a227631222c226b696e64223a2274656c656d65747279222c226d65746164617461223a7b226b223a"
        + "22616d626572227d7d12206170706c69636174696f6e2f766e642e627562752e7061636b65742b6a736f6e221f0a12627562752e656e"
        + "76656c6f70652e6b696e64120974656c656d65747279220a0a016b1205616d626572"
    /// Opaque bytes of a DataPacket.
    private let opaque = "3a080a01011203612f62"

    @Test func `INSP-7: canonical ends with 0, refused with 1 and the rule, a wrong call with 2`() async throws {
        let good = try await inspect([opaque])
        #expect(good.code == 0)
        #expect(good.output.hasPrefix("DataPacket, 10 bytes\n  canonical  data, 1 opaque bytes of a/b\n"))
        let refused = try await inspect([], input: telemetry + "\n")
        #expect(refused.code == 1)
        #expect(refused.output.contains("canonical  refused: SA-30"))
        #expect(refused.output.contains("change     bubu-sdk-go"))
        #expect(try await inspect(["--as", "Letter", "00"]).code == 2)
    }

    @Test func `INSP-7: many packets are counted, or given as JSON`() async throws {
        let counted = try await inspect(["--lines"], input: [telemetry, opaque, telemetry].joined(separator: "\n"))
        #expect(counted.code == 1)
        #expect(counted.output.contains("3 packets, 2 refused, 0 of them read in interop mode\n  2  SA-30"))
        let json = try JSON(parsing: Array(try await inspect(["--json", telemetry]).output.utf8))
        #expect(json["canonical"]?["rule"] == "SA-30" && json["message"] == "DataRequest")
    }
}
