import ChatEngine
import HTTPTypes
import Hummingbird
import NIOCore

extension ChatEngine.Operation {
    /// Whether a request may have a body; that of others is not read.
    var hasBody: Bool { route.method == "POST" || route.method == "PATCH" }
}

/// The body of a request, within its limits.
enum Body {
    /// All of it; perhaps nothing.
    case bytes([UInt8])
    /// More than 1 MiB.
    case tooLarge
    /// Not said to be JSON.
    case otherType
    /// The client closed before its end.
    case cut

    /// Reads it.
    init(of request: Request) async {
        var bytes: [UInt8] = []
        do {
            for try await piece in request.body {
                guard bytes.count + piece.readableBytes <= EngineJSON.maximumBody else {
                    self = .tooLarge
                    return
                }
                bytes.append(contentsOf: piece.readableBytesView)
            }
        } catch {
            self = .cut
            return
        }
        let type = request.headers[.contentType]?.prefix { $0 != ";" } ?? ""
        let isJSON = type.lowercased().filter { $0 != " " } == "application/json"
        self = bytes.isEmpty || isJSON ? .bytes(bytes) : .otherType
    }

    /// What is answered to a body that is not taken.
    var refusal: Response {
        switch self {
        case .bytes, .cut: .error(Responder.invalid("the body is cut", at: "body"))
        case .tooLarge:
            .error(Responder.invalid("the body has more than \(EngineJSON.maximumBody) bytes", at: "body"), status: 413)
        case .otherType: .error(Responder.invalid("the body is no application/json", at: "body"), status: 415)
        }
    }
}
