import ChatModel

/// In which fields two values differ, however private, as paths: for a state and what its records gave.
///
/// Goes through structures, enumerations, classes, optionals, arrays, sets and dictionaries; compares everything else by
/// what it prints.
public func differences(_ left: Any, _ right: Any, at path: String = "") -> [String] {
    if type(of: left) != type(of: right) { return ["\(path): \(type(of: left)) and \(type(of: right))"] }
    if let (left, right) = (left, right) as? (Secret, Secret) { return left == right ? [] : ["\(path): other secrets"] }
    if let (left, right) = (left, right) as? (Bytes, Bytes) { return left == right ? [] : ["\(path): other bytes"] }
    if let (left, right) = (left, right) as? ([UInt8], [UInt8]) { return left == right ? [] : ["\(path): other bytes"] }
    if let (left, right) = (left, right) as? ([UInt64], [UInt64]) {
        return left == right ? [] : ["\(path): other words"]
    }
    let (one, other) = (Mirror(reflecting: left), Mirror(reflecting: right))
    if one.displayStyle == .class, let left = left as? any Equatable {
        return isEqual(left, right) ? [] : ["\(path): other \(type(of: left))"]
    }
    switch one.displayStyle {
    case .set:
        guard let left = left as? Set<AnyHashable>, let right = right as? Set<AnyHashable> else { break }
        return left == right ? [] : ["\(path): \(left.symmetricDifference(right).prefix(3))"]
    case .dictionary:
        guard let left = left as? [AnyHashable: Any], let right = right as? [AnyHashable: Any] else { break }
        let missing = Set(left.keys).symmetricDifference(right.keys).map { "\(path)[\($0)]: on one side only" }
        return missing.sorted()
            + left.keys.flatMap { key in
                guard let mine = left[key], let theirs = right[key] else { return [String]() }
                return differences(mine, theirs, at: "\(path)[\(key)]")
            }
    default: break
    }
    guard !one.children.isEmpty || !other.children.isEmpty else {
        let (mine, theirs) = (String(describing: left), String(describing: right))
        return mine == theirs ? [] : ["\(path): \(mine) and \(theirs)"]
    }
    guard one.children.count == other.children.count else {
        return ["\(path): \(one.children.count) and \(other.children.count) parts"]
    }
    return zip(one.children, other.children).enumerated().flatMap { index, pair in
        let name = pair.0.label ?? "\(index)"
        guard pair.0.label == pair.1.label else { return ["\(path): \(name) and \(pair.1.label ?? "")"] }
        return differences(pair.0.value, pair.1.value, at: path.isEmpty ? name : "\(path).\(name)")
    }
}

private func isEqual<Value: Equatable>(_ left: Value, _ right: Any) -> Bool { left == right as? Value }
