import ChatModel

/// The cost of trying a passphrase: passes over memory, and the memory in KiB.
package struct PassphraseCost: Sendable, Hashable {
    package var operations: UInt32
    package var memory: UInt32

    package init(operations: UInt32, memory: UInt32) {
        (self.operations, self.memory) = (operations, memory)
    }

    /// For new journals: what RFC 9106 recommends where memory is scarce, on one lane.
    package static let usual = PassphraseCost(operations: 3, memory: 64 << 10)
    /// The highest cost that a journal may ask for: a forged header must not cost a minute or all memory.
    static let most = PassphraseCost(operations: 10, memory: 1 << 20)
    /// The lowest cost of Argon2id.
    static let least = PassphraseCost(operations: 1, memory: 8)
}

/// Where a journal's key comes from, as its header says.
enum KeySource: Sendable, Equatable {
    /// Argon2id of a passphrase.
    case passphrase(PassphraseCost, salt: [UInt8])
    /// A key file.
    case file

    /// The byte that stands for it.
    var kind: UInt8 {
        switch self {
        case .passphrase: 1
        case .file: 2
        }
    }

    /// The cost of the passphrase; zeros for a key file.
    var cost: PassphraseCost {
        guard case .passphrase(let cost, _) = self else { return PassphraseCost(operations: 0, memory: 0) }
        return cost
    }

    /// The salt; zeros for a key file.
    var salt: [UInt8] {
        guard case .passphrase(_, let salt) = self else { return [UInt8](repeating: 0, count: 16) }
        return salt
    }

    /// Reads what a header says.
    init(kind: UInt8, cost: PassphraseCost, salt: [UInt8], path: String) throws(StorageError) {
        switch kind {
        case 1:
            let (least, most) = (PassphraseCost.least, PassphraseCost.most)
            guard cost.operations >= least.operations, cost.memory >= least.memory else {
                throw .notAJournal(path: path, reason: "a passphrase that costs nothing is not one of ours")
            }
            guard cost.operations <= most.operations else {
                throw .tooLarge("passes over a passphrase", count: Int(cost.operations), limit: Int(most.operations))
            }
            guard cost.memory <= most.memory else {
                throw .tooLarge("KiB for a passphrase", count: Int(cost.memory), limit: Int(most.memory))
            }
            self = .passphrase(cost, salt: salt)
        case 2: self = .file
        default: throw .notAJournal(path: path, reason: "its key is of the unknown kind \(kind)")
        }
    }
}
