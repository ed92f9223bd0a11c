public import ChatCodec

/// What a backend says besides the content: an open object, of which this protocol knows counts of tokens and two
/// flags (sections 4 and 5.3 of `Specs/chat-engine.md`).
public struct Metadata: EngineValue {
    /// All of it.
    public private(set) var json: JSON.Object

    /// Metadata with nothing in it.
    public init() {
        json = JSON.Object()
    }

    /// The counts, if there are any.
    public var usage: Usage? { json["usage"].flatMap { try? Usage($0, .strict, mayLackTotal: true) } }

    /// Whether there is nothing in it.
    public var isEmpty: Bool { json.members.isEmpty }

    /// Reads metadata; its `usage` is null or counts with a total.
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        try self.init(json, tolerance, mayLackTotal: false)
    }

    /// Reads metadata; where the OpenAPI document has two counts, the total may be absent (CE-15).
    init(_ json: JSON, _ tolerance: Tolerance, mayLackTotal: Bool) throws(Violation) {
        guard case .object(let object) = json else { throw Violation(.field, "is no object") }
        self.json = object
        guard let usage = object["usage"], usage != .null else { return }
        do { _ = try Usage(usage, tolerance, mayLackTotal: mayLackTotal) } catch { throw error.within("usage") }
    }

    /// Writes it as it was.
    public func write(to writer: inout JSONWriter) { writer.value(.object(json)) }

    /// The same with three counts, as the published schemas have it.
    public var normal: Metadata {
        guard let usage else { return self }
        var writer = JSONWriter()
        usage.write(to: &writer)
        var normal = self
        normal.json["usage"] = (try? JSON(parsing: writer.bytes)) ?? .null
        return normal
    }

    /// Takes out the two flags that a reply may carry; what is neither true nor false is no flag.
    public mutating func takeVisibility() -> Visibility {
        func take(_ key: String) -> Bool {
            guard let flag = json[key]?.bool else { return false }
            json[key] = nil
            return flag
        }
        return Visibility(
            isHiddenFromUser: take("is_hidden_from_user"), isHiddenFromBackend: take("is_hidden_from_llm"))
    }

    /// Sets the summary of a session, or removes it.
    public mutating func set(_ key: String, _ value: JSON?) { json[key] = value }
}

/// From whom a message is hidden.
public struct Visibility: Hashable, Sendable {
    /// Whether clients do not see it.
    public var isHiddenFromUser: Bool
    /// Whether it is no part of histories.
    public var isHiddenFromBackend: Bool

    /// Hidden from nobody, unless said so.
    public init(isHiddenFromUser: Bool = false, isHiddenFromBackend: Bool = false) {
        (self.isHiddenFromUser, self.isHiddenFromBackend) = (isHiddenFromUser, isHiddenFromBackend)
    }
}

/// Counts of tokens (CE-15).
public struct Usage: EngineValue {
    /// What was read.
    public let input: Int
    /// What was written.
    public let output: Int
    /// Both together.
    public var total: Int { input + output }

    /// Counts; negative ones are 0, and together they are no more than a count may be.
    public init(input: Int, output: Int) {
        let most = Fields.counts.upperBound
        self.input = min(max(0, input), most)
        self.output = min(max(0, output), most - self.input)
    }

    /// Reads three counts, of which the third is the sum of the others.
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        try self.init(json, tolerance, mayLackTotal: false)
    }

    init(_ json: JSON, _ tolerance: Tolerance, mayLackTotal: Bool) throws(Violation) {
        do throws(Violation) {
            let fields = try Fields(json, tolerance)
            try fields.allow("input_tokens", "output_tokens", "total_tokens")
            input = try fields.count("input_tokens", Fields.counts)
            output = try fields.count("output_tokens", Fields.counts)
            guard input + output <= Fields.counts.upperBound else {
                throw Violation(.usage, "is more than \(Fields.counts.upperBound)", at: "total_tokens")
            }
            if mayLackTotal && fields.value("total_tokens") == nil { return }
            let total = try fields.count("total_tokens", Fields.counts)
            guard total == input + output else { throw Violation(.usage, "is not the sum", at: "total_tokens") }
        } catch { throw error.rule == .unknownField ? error : error.under(.usage) }
    }

    /// Writes three counts.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("input_tokens", input)
            writer.field("output_tokens", output)
            writer.field("total_tokens", total)
        }
    }
}
