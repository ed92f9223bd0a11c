internal import ChatCodec
internal import ChatModel

/// The fields of a request, read by name; a wrong type is a bad request that names the field.
struct Fields {
    private let request: JSON

    init(_ request: JSON) {
        self.request = request
    }

    func text(_ name: String) throws(ShimError) -> String {
        guard let text = try optionalText(name) else { throw .badRequest("\(name) is missing") }
        return text
    }

    func optionalText(_ name: String) throws(ShimError) -> String? {
        guard let value = request[name], value != .null else { return nil }
        guard let text = value.text else { throw .badRequest("\(name) is no text") }
        return text
    }

    func bytes(_ name: String) throws(ShimError) -> [UInt8] {
        guard let bytes = try optionalBytes(name) else { throw .badRequest("\(name) is missing") }
        return bytes
    }

    func optionalBytes(_ name: String) throws(ShimError) -> [UInt8]? {
        guard let text = try optionalText(name) else { return nil }
        do throws(WireError) { return try Hex.decode(text) } catch { throw .badRequest("\(name): \(error)") }
    }

    func time(_ name: String) throws(ShimError) -> Timestamp? {
        guard let value = request[name], value != .null else { return nil }
        guard let milliseconds = value.uint64 else { throw .badRequest("\(name) is no time in milliseconds") }
        return Timestamp(milliseconds: milliseconds)
    }
}
