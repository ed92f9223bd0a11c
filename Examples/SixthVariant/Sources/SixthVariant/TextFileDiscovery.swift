internal import ChatCodec
public import ChatModel
internal import Foundation

/// Discovery by a text file that everybody can read and write, on a shared disk for example.
///
/// Each line is an entry: name, scheme, the bundle in hex, its expiry in milliseconds or `-`, `once` or
/// `often`, separated by tabs. Whoever can write the file can replace anybody in it, or fill it.
public struct TextFileDiscovery: DiscoveryProtocol {
    /// The largest file in bytes: a hundred bundles of the largest size.
    public static let maximumFile = 1 << 20
    /// The largest bundle in bytes: what a link of the framework holds.
    public static let maximumBundle = 6 << 10
    /// The longest name.
    public static let maximumName = 64
    private let path: String

    /// Uses a file, which need not be there yet.
    public init(file path: String) {
        self.path = path
    }

    /// Name `text-file`.
    public var facts: Facts {
        Facts(
            name: "text-file", summary: "A line in a shared text file for each bundle.",
            claims: [
                Claim(.authentication, "TEXTFILE-1", holds: false, "whoever writes the file can replace anybody"),
                Claim(.confidentiality, "TEXTFILE-1", holds: false, "whoever reads the file sees everybody"),
            ])
    }

    /// Replaces the lines of a name; the text to find them by is the name.
    public func publish(_ bundles: [IntroductionBundle], as name: String) async throws(DiscoveryError) -> [String] {
        try Self.check(name)
        for bundle in bundles {
            guard bundle.bytes.count <= Self.maximumBundle else {
                throw .tooLarge("bundle", count: bundle.bytes.count, limit: Self.maximumBundle)
            }
            guard Self.isWord(bundle.scheme) else { throw .unsupported("a scheme named '\(bundle.scheme)'") }
        }
        try alone { () throws(DiscoveryError) in
            let others = try lines().filter { Entry($0)?.name != name }
            let text = (others + bundles.map { Entry(name: name, bundle: $0).line }).joined(separator: "\n") + "\n"
            let bytes = Data(text.utf8)
            guard bytes.count <= Self.maximumFile else {
                throw .tooLarge(path, count: bytes.count, limit: Self.maximumFile)
            }
            do { try bytes.write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
                throw .unavailable("cannot write \(path)", reason: error.localizedDescription)
            }
        }
        return [name]
    }

    /// Reads the lines of a name; lines that cannot be read are nobody's.
    public func find(_ text: String) async throws(DiscoveryError) -> Introductions {
        try Self.check(text)
        let bundles = try lines().compactMap { Entry($0) }.filter { $0.name == text }.map(\.bundle)
        guard !bundles.isEmpty else { throw .notFound(text) }
        // In another order for everyone, since a bundle may be good only once.
        return Introductions([Introduction(name: text, bundles: bundles.shuffled())])
    }

    private func lines() throws(DiscoveryError) -> [String] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            let bytes = try file.read(upToCount: Self.maximumFile + 1) ?? Data()
            guard bytes.count <= Self.maximumFile else {
                throw DiscoveryError.tooLarge(path, count: bytes.count, limit: Self.maximumFile)
            }
            return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        } catch let error as DiscoveryError {
            throw error
        } catch {
            throw .unavailable("cannot read \(path)", reason: error.localizedDescription)
        }
    }

    /// Carries out a change while no other process does.
    private func alone(_ change: () throws(DiscoveryError) -> Void) throws(DiscoveryError) {
        let lock = unsafe open(path + ".lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
            throw .unavailable("cannot lock \(path)", reason: unsafe String(cString: strerror(errno)))
        }
        defer { close(lock) }
        try change()
    }

    private static func check(_ name: String) throws(DiscoveryError) {
        guard isWord(name) else {
            throw .malformed("a name has 1 to \(maximumName) letters, digits, '-', '.' and '_'", at: 0)
        }
    }

    private static func isWord(_ text: String) -> Bool {
        (1...maximumName).contains(text.utf8.count)
            && text.utf8.allSatisfy { character in
                let letter = character | 0x20
                return (0x61...0x7a).contains(letter) || (0x30...0x39).contains(character)
                    || [0x2d, 0x2e, 0x5f].contains(character)
            }
    }

    /// One line of the file.
    private struct Entry {
        let name: String
        let bundle: IntroductionBundle

        init(name: String, bundle: IntroductionBundle) {
            (self.name, self.bundle) = (name, bundle)
        }

        init?(_ line: String) {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 5, isWord(fields[0]), isWord(fields[1]),
                let bytes = try? Hex.decode(fields[2]), bytes.count <= maximumBundle
            else { return nil }
            let expiry = UInt64(fields[3]).map { Timestamp(milliseconds: $0) }
            guard expiry != nil || fields[3] == "-", ["once", "often"].contains(fields[4]) else { return nil }
            name = fields[0]
            bundle = IntroductionBundle(
                scheme: fields[1], bytes: Bytes(bytes), expiry: expiry, isSingleUse: fields[4] == "once")
        }

        var line: String {
            let expiry = bundle.expiry.map { "\($0)" } ?? "-"
            let use = bundle.isSingleUse ? "once" : "often"
            return [name, bundle.scheme, Hex.encode(bundle.bytes.array), expiry, use].joined(separator: "\t")
        }
    }
}
