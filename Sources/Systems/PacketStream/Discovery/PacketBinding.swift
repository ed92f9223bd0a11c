import ChatCodec
public import ChatModel

/// What a workflow's operator tells a process about its peer: which transport, who drives it, where it is reached, and
/// what it takes. No secret stands in it.
public struct PacketBinding: Hashable, Sendable {
    /// The environment variable that has it, as JSON or as the path of a file with it.
    public static let variable = "BUBU_TRANSPORT_BINDING"
    /// The longest JSON text in bytes.
    public static let maximumBytes = 1 << 20
    /// The most bytes of each text, and the most elements of each list.
    public static let maximumText = 1_024, maximumList = 64

    /// The namespace and the name of the binding: what a stream states under ``PacketHandshake/bindingKey``.
    public var namespace, name: String
    /// Which transport it refers to, at most 253 characters.
    public var reference: String
    /// Who drives the transport, for example `grpc`.
    public var driver: String
    /// Where the connector is reached, for example `127.0.0.1:50051`; without user name and password.
    public var endpoint: String
    /// The codecs, and the MIME types, that the peer takes; empty for all.
    public var codecs, mimeTypes: [String]
    /// The version of the transport protocol; nil where it says none.
    public var protocolVersion: String?

    /// A binding.
    public init(
        namespace: String, name: String, reference: String, driver: String, endpoint: String, codecs: [String] = [],
        mimeTypes: [String] = [], protocolVersion: String? = PacketHandshake.protocolVersion
    ) {
        (self.namespace, self.name, self.reference) = (namespace, name, reference)
        (self.driver, self.endpoint, self.codecs, self.mimeTypes) = (driver, endpoint, codecs, mimeTypes)
        self.protocolVersion = protocolVersion
    }

    /// Namespace and name, as a stream states them.
    public var path: String { "\(namespace)/\(name)" }

    /// Reads the JSON `{name, namespace, binding: {…}}`. Keys that are not known are left out, so that nothing that
    /// somebody put beside them, a credential for example, is kept or handed on.
    public init(json bytes: [UInt8]) throws(DiscoveryError) {
        guard bytes.count <= Self.maximumBytes else {
            throw .tooLarge("a binding", count: bytes.count, limit: Self.maximumBytes)
        }
        let json: JSON
        do { json = try JSON(parsing: bytes) } catch { throw Self.malformed("\(error)") }
        guard let inner = json["binding"], inner.members != nil else { throw Self.malformed("there is no binding") }
        self.init(
            namespace: try Self.text(json, "namespace"), name: try Self.text(json, "name"),
            reference: try Self.text(inner, "transport_ref", "transportRef"), driver: try Self.text(inner, "driver"),
            endpoint: try Self.text(inner, "endpoint"), codecs: try Self.list(inner, "codecs"),
            mimeTypes: try Self.list(inner, "mime_types", "mimeTypes"),
            protocolVersion: try Self.optionalText(inner, "protocol_version", "protocolVersion"))
        guard !endpoint.utf8.contains(UInt8(ascii: "@")) else {
            throw Self.malformed("the endpoint has a user name or password")
        }
        guard reference.unicodeScalars.count <= Bounds.maximumReference else {
            throw Self.malformed("transport_ref has more than \(Bounds.maximumReference) characters")
        }
    }

    /// The same JSON, keys always in the same order.
    public var json: [UInt8] {
        var inner = JSON.Object()
        inner["transport_ref"] = .string(reference)
        inner["driver"] = .string(driver)
        inner["endpoint"] = .string(endpoint)
        if !codecs.isEmpty { inner["codecs"] = .array(codecs.map { .string($0) }) }
        if !mimeTypes.isEmpty { inner["mime_types"] = .array(mimeTypes.map { .string($0) }) }
        inner["protocol_version"] = protocolVersion.map { .string($0) }
        let whole: JSON = ["name": .string(name), "namespace": .string(namespace), "binding": .object(inner)]
        return Array(whole.description.utf8)
    }

    private static func malformed(_ what: String) -> DiscoveryError { .malformed("a binding: \(what)", at: 0) }

    private static func text(_ json: JSON, _ key: String, _ other: String = "") throws(DiscoveryError) -> String {
        guard let text = try optionalText(json, key, other), !text.isEmpty else { throw malformed("no \(key)") }
        return text
    }

    private static func optionalText(_ json: JSON, _ key: String, _ other: String) throws(DiscoveryError) -> String? {
        guard let value = json[key] ?? json[other] else { return nil }
        guard let text = value.text, text.utf8.count <= maximumText, !Text.isPadded(text) else {
            throw malformed("\(key) is no text, too long, or has blanks around it")
        }
        return text
    }

    private static func list(_ json: JSON, _ key: String, _ other: String = "") throws(DiscoveryError) -> [String] {
        guard let value = json[key] ?? json[other] else { return [] }
        let texts = value.list.map { $0.compactMap(\.text) }
        guard let texts, texts.count == value.list?.count, texts.count <= maximumList,
            texts.allSatisfy({ $0.utf8.count <= maximumText })
        else { throw malformed("\(key) is no list of texts, or too long") }
        return texts
    }
}

/// The discovery `packet-binding`: what is found are the bindings that this process was given.
///
/// People are not looked up here: a workflow declares steps and transports, and an operator resolves them.
public struct PacketBindings: DiscoveryProtocol {
    /// The scheme of its bundles: the bytes are the binding's JSON.
    public static let scheme = "packetbinding_1"

    private let bindings: [PacketBinding]

    /// Bindings that are known already.
    public init(_ bindings: [PacketBinding]) {
        self.bindings = bindings
    }

    /// The binding of an environment.
    ///
    /// - Parameters:
    ///   - environment: the variables of a process; ``PacketBinding/variable`` has the JSON, or the path of its file.
    ///   - read: the bytes of a file; nil where there is none.
    public init(
        environment: [String: String], reading read: (String) -> [UInt8]? = { _ in nil }
    ) throws(DiscoveryError) {
        guard let value = environment[PacketBinding.variable], !value.isEmpty else {
            throw .notFound(PacketBinding.variable)
        }
        if value.utf8.first == UInt8(ascii: "{") {
            bindings = [try PacketBinding(json: Array(value.utf8))]
            return
        }
        guard let bytes = read(value) else { throw .notFound("the file that \(PacketBinding.variable) names") }
        bindings = [try PacketBinding(json: bytes)]
    }

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: "packet-binding", summary: "The binding that an operator gave to this process.",
            claims: [
                Claim(.authentication, "PS-10", "of the operator, who sets the environment"),
                Claim(.confidentiality, "PS-10", holds: false, "a binding has no secret, and is none"),
            ])
    }

    /// The bundle of a binding.
    public static func bundle(for binding: PacketBinding) -> IntroductionBundle {
        IntroductionBundle(scheme: scheme, bytes: Bytes(binding.json))
    }

    /// Refused: bindings come from the operator of a workflow.
    public func publish(_ bundles: [IntroductionBundle], as name: String) async throws(DiscoveryError) -> [String] {
        throw .unsupported("publishing a binding")
    }

    /// Finds a binding by `namespace/name`, by its name, or by its transport's.
    public func find(_ text: String) async throws(DiscoveryError) -> Introductions {
        let found = bindings.filter { [$0.path, $0.name, $0.reference].contains { $0.hasSameBytes(as: text) } }
        guard !found.isEmpty else { throw .notFound(text) }
        return Introductions(found.map { Introduction(name: $0.path, bundles: [Self.bundle(for: $0)]) })
    }
}
