import ChatInspect

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What was wrong with the call.
struct InputFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The input, wherever it comes from.
enum CapturedInput {
    static func read(_ operands: [String]) throws(InputFailure) -> [UInt8] {
        guard operands.count < 2 else { throw InputFailure("one input at a time") }
        guard let text = operands.first, text != "-" else { return try read(STDIN_FILENO, "standard input") }
        // A name is shorter than a packet, and a packet is no name of a file.
        guard text.utf8.count < 4_096 else { return Array(text.utf8) }
        let file = unsafe open(text, O_RDONLY)
        guard file >= 0 else { return Array(text.utf8) }
        defer { close(file) }
        return try read(file, text)
    }

    private static func read(_ file: Int32, _ name: String) throws(InputFailure) -> [UInt8] {
        var (bytes, chunk) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe systemRead(file, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw InputFailure("cannot read \(name)") }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= Input.maximumBytes else {
                throw InputFailure("\(name) has more than \(Input.maximumBytes) bytes")
            }
        }
    }
}

private func systemRead(_ file: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(file, start, count)
}
