public import ChatCodec
internal import ChatModel

// The same for programs: values in full, a fault where it stands and once more at the top.
extension Findings {
    /// The answer: `kind`, `form`, `sound`, `fault` where there is one, and the tree.
    public var json: JSON {
        var object = JSON.Object()
        object["kind"] = kind.map { .string($0.rawValue) } ?? .null
        object["form"] = .string(form.rawValue)
        if let remark { object["remark"] = .string(remark) }
        object["sound"] = .bool(isSound)
        if let fault = piece.faults.first { object["fault"] = fault.json }
        object["tree"] = piece.json
        return .object(object)
    }
}

extension DissectionNode {
    fileprivate var json: JSON {
        var object = JSON.Object()
        object["name"] = .string(name)
        if let offset { (object["offset"], object["bytes"]) = (JSON(offset), JSON(count)) }
        if origin == .opened { object["origin"] = .string(origin.rawValue) }
        switch value {
        case .none: break
        case .number(let number): object["number"] = JSON(number)
        case .time(let time): object["milliseconds"] = .integer(time)
        case .text(let text): object["text"] = .string(text)
        case .bytes(let bytes): object["hex"] = .string(Hex.encode(bytes.array))
        case .word(let word): object["is"] = .string(word)
        }
        if !meaning.isEmpty { object["meaning"] = .string(meaning) }
        if !requirement.isEmpty { object["requirement"] = .string(requirement) }
        if let section { object["section"] = .string(section.description) }
        if isUnknown { object["unknown"] = true }
        if let fault { object["fault"] = fault.json }
        if !parts.isEmpty { object["parts"] = .array(parts.map(\.json)) }
        return .object(object)
    }
}

extension Fault {
    fileprivate var json: JSON {
        [
            "offset": JSON(offset), "origin": .string(origin.rawValue), "reason": .string(reason),
            "requirement": .string(requirement), "section": .string(section.description),
            "outcome": .string(outcome.rawValue),
        ]
    }
}
