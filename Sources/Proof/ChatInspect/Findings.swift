internal import ChatModel

/// What inspecting one input gave.
public struct Findings: Sendable {
    /// In which form the bytes came.
    public let form: InputForm
    /// What they were read as; nil where they are nothing that is known here.
    public let kind: Kind?
    /// The tree.
    public let piece: DissectionNode
    /// Why the input was not taken for what it looks like; nil where there is nothing to say.
    public let remark: String?

    /// Collects what was found.
    public init(form: InputForm, kind: Kind?, piece: DissectionNode, remark: String? = nil) {
        (self.form, self.kind, self.piece, self.remark) = (form, kind, piece, remark)
    }

    /// Whether everything is as the documents say.
    public var isSound: Bool { kind != nil && piece.faults.isEmpty }
}

extension Inspector {
    /// Reads an input as a kind, or as what it most likely is.
    public func inspect(_ input: Input, as kind: Kind? = nil) -> Findings {
        let found = read(input, as: kind)
        return Findings(form: found.form, kind: found.kind, piece: found.piece, remark: input.remark)
    }

    private func read(_ input: Input, as kind: Kind?) -> Findings {
        if input.form == .link || kind == .link {
            return Findings(form: .link, kind: .link, piece: inspect(input.bytes, as: .link))
        }
        if let kind { return Findings(form: input.form, kind: kind, piece: inspect(input.bytes, as: kind)) }
        if let (kind, piece) = guess(whole: input.bytes) {
            return Findings(form: input.form, kind: kind, piece: piece)
        }
        var piece = DissectionNode("bytes", Run(input.bytes))
        piece.value = .bytes(input.bytes)
        piece.meaning = "nothing that is known here; --as says what it should be"
        return Findings(form: input.form, kind: nil, piece: piece)
    }
}
