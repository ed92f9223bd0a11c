import ChatModel
import TestSupport
import Testing

@testable import ChatFraming

/// A window and the set of identifiers that somebody who follows its changes keeps.
private struct Follower {
    var window: IdentifierWindow
    var kept: Set<UInt64>

    init(_ start: SequenceWindow = SequenceWindow(lowestWanted: 1)) {
        window = IdentifierWindow(start)
        kept = Set(window.active)
    }

    mutating func change(_ move: (inout IdentifierWindow) -> IdentifierWindow.Change) {
        let change = move(&window)
        #expect(kept.isDisjoint(with: change.added) && kept.isSuperset(of: change.removed))
        kept.subtract(change.removed)
        kept.formUnion(change.added)
        #expect(kept == Set(window.active))
    }
}

@Suite struct IdentifierWindowTests {
    @Test func `a quiet route has fifteen identifiers (RPIV1-14)`() {
        let window = IdentifierWindow(SequenceWindow(lowestWanted: 1))
        #expect(window.active.prefix(6) == [1, 2, 3, 4, 16, 64] && window.active.count == 15)
        #expect(window.active == window.active.sorted() && Set(window.active).count == 15)
    }

    @Test func `in order, every sequence has its identifier before it comes, and steps grow`() {
        var follower = Follower()
        var steps = 0
        for sequence in UInt64(1)...1_000 {
            #expect(follower.kept.contains(sequence))
            let before = follower.window.reach
            follower.change { $0.accept(sequence) }
            if follower.window.reach != before { steps += 1 }
            #expect(!follower.kept.contains(sequence))
        }
        #expect(follower.window.missing.isEmpty && steps < 60)
        #expect(follower.kept.count <= 48 + IdentifierWindow.distances.count)
    }

    @Test(arguments: 1...20)
    func `after a loss of any length the way back is as short as promised (RPIV1-11)`(seed: UInt64) {
        var dice = SplitMix64(seed: seed)
        for bits in 0..<50 {
            // Begins just below multiples of powers too, where plain next multiples would coincide.
            let power = UInt64(1) << UInt64(dice.below(40))
            let multiple = (dice.next() >> 24) / power * power
            let start = max(1, dice.below(2) == 0 ? dice.next() >> 16 : multiple - min(multiple, UInt64(dice.below(6))))
            let window = IdentifierWindow(SequenceWindow(lowestWanted: start, highestSeen: start))
            let lost = UInt64(1) << UInt64(bits) + dice.next() % (1 << UInt64(bits))
            let found = window.active.first { $0 > window.highest + lost }
            guard let found else {
                Issue.record("nothing is recognized after a loss of \(lost) from \(start)")
                continue
            }
            let wait = found - window.highest - lost
            if lost < 1_024 { #expect(wait <= 16 * lost + 16, "\(wait) after a loss of \(lost) from \(start)") }
            var again = window
            _ = again.accept(found)
            #expect(again.highest == found && again.active.contains(found + 1))
        }
    }

    @Test func `what a landmark overtakes is missing, and bounded`() {
        var follower = Follower()
        follower.change { $0.accept(64) }
        #expect(follower.window.missing == Array(1...63))
        follower.change { $0.accept(7) }
        #expect(!follower.kept.contains(7) && follower.window.missing.count == 62)
        follower.change { $0.accept(1 << 22) }
        #expect(follower.window.missing.count == IdentifierWindow.maximumMissing)
        #expect(follower.window.missing.last == UInt64(1) << 22 - 1)
        follower.change { $0.giveUp(below: 1 << 22 - 3) }
        #expect(follower.window.missing.count == 3)
    }

    @Test func `a later secret is moved along, an earlier one ends (RPIV1-12)`() {
        var (old, new) = (Follower(), Follower())
        for sequence in UInt64(1)...10 where sequence != 4 {
            old.change { $0.accept(sequence) }
            new.change { $0.advance(to: sequence) }
        }
        #expect(new.window.missing.isEmpty && new.kept.contains(11) && !new.kept.contains(10))
        new.change { $0.accept(13) }
        old.change { $0.close(at: 13) }
        #expect(old.kept == [4, 11, 12] && new.window.missing == [11, 12])
        old.change { $0.close(at: 12) }
        new.change { $0.accept(12) }
        #expect(old.kept == [4, 11])
        old.change { $0.accept(40) }
        #expect(old.kept == [4, 11])
    }

    @Test func `a window begins where a machine says it is`() {
        let window = IdentifierWindow(SequenceWindow(lowestWanted: 5, highestSeen: 9))
        #expect(window.missing == [5, 6, 7, 8, 9] && window.highest == 9)
        #expect(IdentifierWindow(SequenceWindow(lowestWanted: 10, highestSeen: 9)).missing.isEmpty)
        let many = IdentifierWindow(SequenceWindow(lowestWanted: 1, highestSeen: 10_000))
        #expect(many.missing == Array(10_000 - 1_999...10_000))
        #expect(IdentifierWindow(SequenceWindow()).active.first == 1)
    }

    @Test(arguments: [UInt64.max, UInt64.max - 1, 1 << 62, 1 << 63] as [UInt64])
    func `the largest sequences do not trap`(sequence: UInt64) {
        var follower = Follower(SequenceWindow(lowestWanted: sequence, highestSeen: sequence))
        follower.change { $0.accept(sequence) }
        follower.change { $0.advance(to: sequence) }
        follower.change { $0.giveUp(below: sequence) }
        follower.change { $0.close(at: sequence) }
        var first = Follower()
        first.change { $0.accept(sequence) }
    }

    @Test(arguments: 1...30)
    func `whatever happens, who follows the changes has what is active`(seed: UInt64) {
        var (dice, follower) = (SplitMix64(seed: seed), Follower())
        for _ in 0..<300 {
            let near = follower.window.highest &+ UInt64(dice.below(12)) &- 4
            let sequence = dice.below(30) == 0 ? dice.next() >> UInt64(dice.below(60)) : max(near, 1)
            follower.change { window in
                switch dice.below(10) {
                case 0: window.giveUp(below: sequence)
                case 1, 2: window.advance(to: sequence)
                default: window.accept(sequence)
                }
            }
            #expect(follower.window.missing.count <= IdentifierWindow.maximumMissing)
        }
    }
}
