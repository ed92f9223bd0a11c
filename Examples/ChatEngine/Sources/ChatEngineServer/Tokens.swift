import ChatCodec
import ChatEngine
import Foundation
import JWTKit

/// Checks and makes bearer tokens: the signature with JWTKit, header and claims with the rules of the library.
public struct Tokens: Sendable {
    private let keys = JWTKeyCollection()

    /// Tokens of a secret of 32 bytes or more.
    public init(secret: [UInt8]) async {
        await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    }

    /// Whose a request is, by the value of its `Authorization` header.
    func bearer(_ header: String?) async throws(ErrorBody) -> Bearer {
        guard let header, let space = header.firstIndex(of: " "),
            header[..<space].lowercased() == "bearer"
        else { throw Self.refused }
        let token = header[space...].drop { $0 == " " }
        let pieces = token.split(separator: ".", omittingEmptySubsequences: false)
        guard pieces.count == 3, let head = Self.json(pieces[0]), let claims = Self.json(pieces[1]) else {
            throw Self.refused
        }
        // The claims first: a signature of another algorithm is not looked at.
        do throws(Violation) {
            let bearer = try Bearer(header: head, claims: claims, at: now())
            guard await isSigned(String(token)) else { throw Violation(.authentication, "is not signed") }
            return bearer
        } catch { throw Self.refused }
    }

    /// A token of a client, for some seconds.
    public func sign(client: String, seconds: Int) async throws -> String {
        let expiry = Int(Date().timeIntervalSince1970) + seconds
        return try await keys.sign(Claims(sub: client, client_id: client, exp: expiry))
    }

    private func isSigned(_ token: String) async -> Bool {
        (try? await keys.verify(token, as: AnyClaims.self)) != nil
    }

    /// The claims of a token, whoever signed it.
    static func claims(_ piece: Substring) -> JSON? { json(piece) }

    private static func json(_ piece: Substring) -> JSON? {
        guard let bytes = try? Base64URL.decode(String(piece)), let json = try? JSON(parsing: bytes),
            json.members != nil
        else { return nil }
        return json
    }

    private static let refused = ErrorBody(.authRequired, "a bearer token is needed that this engine accepts")
}

/// The claims of tokens that are made here.
private struct Claims: JWTPayload {
    let sub: String
    let client_id: String
    let exp: Int

    func verify(using algorithm: some JWTAlgorithm) {}
}

/// Claims that the library has checked.
private struct AnyClaims: JWTPayload {
    init(from decoder: any Decoder) {}
    func encode(to encoder: any Encoder) {}
    func verify(using algorithm: some JWTAlgorithm) {}
}
