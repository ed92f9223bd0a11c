import ChatCodec
import ChatInspect
import ChatModel

extension FuzzTarget {
    /// What anybody may hand to the inspector: there is always an answer, and it covers the input.
    static let inspectors = [inspectorOfTexts, inspectorOfBytes]

    private static let samples = [
        "0a07636f6e766f2d312a0568656c6c6f", "08f4c2a19b0610011a070a0568656c6c6f",
        "0a047261796112026231" + "1a01305081d095ffbc315a040a026131a201026869",
        "0a201c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac81801220568656c6c6f",
        "01051e61397408ab415e0000000000000000020000000001000000000000000000000000000000000300",
    ]

    /// Links, hex, base64 or whatever it is.
    private static let inspectorOfTexts = FuzzTarget("inspect-text", seeds: samples.map { Array($0.utf8) }) { bytes in
        try examine(Inspector(Keys(routes: ["convo-1"])).inspect(Input(bytes)))
    }

    /// Bytes as they are.
    private static let inspectorOfBytes = FuzzTarget(
        "inspect", seeds: samples.compactMap { try? Hex.decode($0) }
    ) { bytes in
        try examine(Inspector().inspect(Input(binary: Bytes(bytes))))
    }

    static func examine(_ findings: Findings) throws -> Bool {
        let text = findings.text()
        let isPlain = text.unicodeScalars.allSatisfy {
            $0 == "\n" || $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)
        }
        try demand(isPlain, "something other than text is printed")
        try demand(findings.isSound == (findings.json["sound"]?.bool == true), "text and JSON disagree")
        return findings.isSound
    }
}
