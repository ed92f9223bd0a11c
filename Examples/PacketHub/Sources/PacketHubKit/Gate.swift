import Foundation
import GRPCCore
package import GRPCNIOTransportHTTP2Posix

/// Who may open streams: who brings the token, or a certificate that the hub's authority signed.
package struct Gate: Sendable {
    private let token: [UInt8]?

    /// - Parameter token: what callers bring as `authorization: Bearer …`; nil where everybody may who can connect.
    package init(token: String? = nil) { self.token = token.map { Array($0.utf8) } }

    /// Refuses a caller without the token.
    func check(_ metadata: GRPCCore.Metadata) throws {
        guard let token else { return }
        let values = Array(metadata[stringValues: StreamKey.authorization])
        guard values.count == 1, values[0].prefix(7).lowercased() == "bearer ",
            Self.isSame(Array(values[0].utf8.dropFirst(7)), token)
        else { throw RPCError(code: .unauthenticated, message: "the token is missing or wrong") }
    }

    /// Compares in a time that depends on the length of the given bytes alone; nothing is the same as an empty token.
    private static func isSame(_ given: [UInt8], _ token: [UInt8]) -> Bool {
        guard !token.isEmpty else { return false }
        var difference = UInt8(given.count == token.count ? 0 : 1)
        for (index, byte) in given.enumerated() { difference |= byte ^ token[index % token.count] }
        return difference == 0
    }
}

/// Certificates in PEM files: one's own, with its key, and those of the authorities that one trusts.
package struct Certificates: Sendable {
    package let certificate, key: String?
    package let authorities: String?

    /// - Throws: ``SetupError`` where a file is missing, or one of certificate and key is not given.
    package init(certificate: String?, key: String?, authorities: String?) throws {
        guard (certificate == nil) == (key == nil) else {
            throw SetupError("--certificate and --key belong together; give both or none")
        }
        for path in [certificate, key, authorities].compactMap({ $0 }) {
            guard FileManager.default.isReadableFile(atPath: path) else {
                throw SetupError("\(path) cannot be read; give the path of a PEM file")
            }
        }
        (self.certificate, self.key, self.authorities) = (certificate, key, authorities)
    }

    /// Whether callers have to bring a certificate.
    package var isMutual: Bool { certificate != nil && authorities != nil }

    private var trust: TLSConfig.TrustRootsSource {
        authorities.map { .certificates([.file(path: $0, format: .pem)]) } ?? .systemDefault
    }

    /// What a hub offers and asks for.
    package var server: HTTP2ServerTransport.Posix.TransportSecurity {
        guard let certificate, let key else { return .plaintext }
        let own = [TLSConfig.CertificateSource.file(path: certificate, format: .pem)]
        let privateKey = TLSConfig.PrivateKeySource.file(path: key, format: .pem)
        guard isMutual else { return .tls(certificateChain: own, privateKey: privateKey) }
        return .mTLS(certificateChain: own, privateKey: privateKey) { $0.trustRoots = trust }
    }

    /// What a step offers and asks for.
    package var client: HTTP2ClientTransport.Posix.TransportSecurity {
        guard let certificate, let key else {
            guard authorities != nil else { return .plaintext }
            return .tls { $0.trustRoots = trust }
        }
        return .mTLS(
            certificateChain: [.file(path: certificate, format: .pem)], privateKey: .file(path: key, format: .pem)
        ) { $0.trustRoots = trust }
    }
}

/// Why a program cannot start, and what to do about it.
package struct SetupError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// The first line of a file, without blanks around it: a token.
    package static func token(in path: String) throws -> String {
        guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= 1 << 16 else {
            throw SetupError("\(path) cannot be read; give the path of a file whose first line is the token")
        }
        let line = String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self).trimmingCharacters(in: .whitespaces)
        guard line.utf8.count >= 16 else {
            throw SetupError("the token in \(path) has fewer than 16 bytes; `openssl rand -hex 16 > \(path)` makes one")
        }
        return line
    }
}
