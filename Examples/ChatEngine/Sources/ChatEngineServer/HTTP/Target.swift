import Foundation

/// The path and the parameters that a request names.
struct RequestTarget {
    /// The path as it was sent.
    let path: String
    /// The parameters, decoded; nil where one is no text.
    let parameters: [(String, String)]?

    init(_ target: String) {
        let pieces = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(pieces.first ?? "")
        parameters = pieces.count < 2 ? [] : Self.parameters(pieces[1])
    }

    /// A piece of the path, decoded.
    static func decoded(_ piece: String) -> String? { piece.removingPercentEncoding }

    private static func parameters(_ query: Substring) -> [(String, String)]? {
        var parameters: [(String, String)] = []
        for pair in query.split(separator: "&") {
            let pieces = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.replacing("+", with: " ").removingPercentEncoding
            }
            guard let name = pieces[0], let value = pieces.count > 1 ? pieces[1] : "" else { return nil }
            parameters.append((name, value))
        }
        return parameters
    }
}
