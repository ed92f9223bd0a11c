// Names of types with parameters: `BASE;KEY=VALUE;KEY=VALUE`, for example `private-v1;filter=0`.
extension ConversationType {
    /// A name with parameters, in its one canonical spelling: keys in the order of their bytes.
    ///
    /// Parameters that have the type's default value do not belong into the name; the type leaves them out.
    public init(_ base: String, parameters: [String: String]) {
        let sorted = parameters.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        self.init(([base] + sorted.map { "\($0.key)=\($0.value)" }).joined(separator: ";"))
    }

    /// The name without parameters.
    public var base: String {
        String(decoding: name.utf8.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
    }

    /// The parameters; nil where what follows the base is not of that form, or names a key twice.
    public var parameters: [String: String]? {
        var parameters: [String: String] = [:]
        for part in name.utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).dropFirst() {
            guard let sign = part.firstIndex(of: UInt8(ascii: "=")), sign > part.startIndex,
                let key = String(part[..<sign]), let value = String(part[part.index(after: sign)...]),
                !value.isEmpty, parameters.updateValue(value, forKey: key) == nil
            else { return nil }
        }
        return parameters
    }
}
