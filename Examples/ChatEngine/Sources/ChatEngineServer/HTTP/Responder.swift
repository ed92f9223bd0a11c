import ChatEngine
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// What a request has besides itself: its connection.
struct ConnectionContext: InitializableFromSource, Sendable {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }
}

/// Answers requests: finds the operation, the client and the body, in this order, and turns results into answers.
struct Responder: HTTPResponder {
    static let base = "/api/v1"
    let service: EngineService
    let tokens: Tokens

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        let target = RequestTarget(request.head.path ?? "")
        guard target.path.hasPrefix(Self.base + "/") else { return Self.page(target.path, request.method) }
        switch Operation.match(request.method.rawValue, String(target.path.dropFirst(Self.base.count))) {
        case .unknown:
            return .error(Self.invalid("there is no such path", at: "path"), status: 404)
        case .otherMethods(let methods):
            var response = Response.error(Self.invalid("the path has other methods", at: "method"), status: 405)
            response.headers[.allow] = methods.joined(separator: ", ")
            return response
        case .operation(let operation, let ids):
            do throws(ErrorBody) {
                // Whose a request is comes before all that it says.
                let client = operation.isOpen ? "" : try await tokens.bearer(request.headers[.authorization]).client
                let body = operation.hasBody ? await Body(of: request) : .bytes([])
                guard case .bytes(let bytes) = body else { return body.refusal }
                let call = Call(
                    operation: operation, ids: ids.map(RequestTarget.decoded), client: client, target: target,
                    bytes: bytes, guestToken: request.headers[.shareToken].flatMap { ShareToken($0) },
                    service: service, channel: context.channel)
                return try await call.respond()
            } catch { return .error(error) }
        }
    }

    /// What lies outside the protocol's paths.
    private static func page(_ path: String, _ method: HTTPRequest.Method) -> Response {
        guard let page = Pages.all[path] else {
            return .error(invalid("there is no such path", at: "path"), status: 404)
        }
        guard method == .get || method == .head else {
            var response = Response.error(invalid("the path has other methods", at: "method"), status: 405)
            response.headers[.allow] = "GET"
            return response
        }
        return page()
    }

    static func invalid(_ message: String, at field: String) -> ErrorBody {
        ErrorBody(
            .invalidRequest, message,
            details: ErrorDetails(validationErrors: [FieldError(field: field, message: message)]))
    }
}

extension HTTPField.Name {
    /// The header with which a guest writes into another client's session.
    // The name is a token, as the initializer wants it.
    // swift-format-ignore: NeverForceUnwrap
    static let shareToken = Self("X-Share-Token")!
}
