import ChatEngine
import ChatModel
import TestSupport
import Testing

private func at(_ milliseconds: UInt64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

struct BreakerTests {
    @Test func `an outcome of an earlier state counts no more (CE-32)`() throws {
        var breaker = CircuitBreaker()
        let passed = (0..<6).map { _ in breaker.pass(at: .zero) }
        let passes = passed.compactMap { $0 }
        try #require(passes.count == 6)
        for pass in passes.dropFirst() { breaker.record(.failure, of: pass, at: .zero) }
        #expect(breaker.state == .open)
        breaker.record(.success, of: passes[0], at: at(1))
        #expect(breaker.state == .open)
        let later = breaker.pass(at: at(60_000))
        let test = try #require(later)
        breaker.record(.failure, of: passes[0], at: at(60_001))
        #expect(breaker.state == .halfOpen)
        breaker.record(.success, of: test, at: at(60_002))
        #expect(breaker.state == .closed)
    }

    @Test func `each attempt asks the breaker, so a retry may meet an open one (CE-32, CE-33)`() {
        var breaker = CircuitBreaker(threshold: 2)
        var call = WebhookCall(.sessionCreated, configuredTimeout: nil)
        #expect(call.next(&breaker, at: .zero) == .attempt(deadline: at(30_000)))
        call.finish(.connectionFailed, jitter: 0.5, &breaker, at: at(10))
        #expect(call.next(&breaker, at: at(20)) == .wait(until: at(60)))
        #expect(call.next(&breaker, at: at(60)) == .attempt(deadline: at(30_060)))
        call.finish(.status(503), jitter: 0, &breaker, at: at(70))
        #expect(call.next(&breaker, at: at(70)) == .failed(.backendError))
        #expect(call.attempts == 2)
    }

    @Test(arguments: [0.001, 0.1, 1]) func `every duration is scaled but what is said of it`(scale: Double) {
        var breaker = CircuitBreaker()
        var call = WebhookCall(.messageNew, configuredTimeout: 30, scale: scale)
        #expect(call.next(&breaker, at: .zero) == .attempt(deadline: at(UInt64(30_000 * scale))))
        #expect(call.timeout == 30)
    }

    @Test func `a webhook that is told and forgotten neither asks nor feeds the breaker (CE-36)`() {
        var breaker = CircuitBreaker(threshold: 1)
        breaker.open(at: .zero)
        for kind in WebhookKind.allCases where !kind.isAnswered {
            var call = WebhookCall(kind, configuredTimeout: 300)
            #expect(call.next(&breaker, at: at(5)) == .attempt(deadline: at(10_005)))
            call.finish(.timedOut, jitter: 1, &breaker, at: at(6))
            #expect(call.next(&breaker, at: at(6)) == .failed(.backendTimeout))
        }
        #expect(breaker.state == .open)
    }

    @Test func `whatever happens, half-open lets three calls through at once and no more (CE-32)`() {
        var random = RepeatableRandom(seed: 32)
        for _ in 0..<2_000 {
            var breaker = CircuitBreaker()
            breaker.open(at: .zero)
            // Calls and calls without outcome, in any order: a neutral one gives its place back.
            var running: [CircuitBreaker.Pass] = []
            for _ in 0..<20 {
                if Bool.random(using: &random) {
                    let mayPass = running.count < 3
                    let pass = breaker.pass(at: at(60_000))
                    #expect((pass != nil) == mayPass)
                    if let pass { running.append(pass) }
                } else if !running.isEmpty {
                    let pass = running.remove(at: Int.random(in: 0..<running.count, using: &random))
                    breaker.record(.neutral, of: pass, at: at(60_000))
                }
            }
        }
    }
}

struct BackPressureTests {
    @Test func `the backend is not read while ten megabytes wait, and a client that takes nothing is given up`() {
        var buffer = BackPressure()
        buffer.push(10 << 20, at: .zero)
        #expect(!buffer.isReading && buffer.deadline == at(60_000))
        buffer.pop(1, at: at(59_999))
        #expect(buffer.isReading && buffer.deadline == nil)
        buffer.push(.max, at: at(60_000))
        #expect(!buffer.isReading && buffer.waiting == .max)
        buffer.pop(1, at: at(61_000))
        #expect(buffer.deadline == at(121_000))
    }
}
