import Dispatch
import FuzzTargets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

// The program is libFuzzer's; `FUZZ` in the environment names the target.

/// Before the first input: without a target it lists the names; with `FUZZ_SEEDS` it fills a corpus.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>
) -> CInt {
    guard environment("FUZZ") != nil else {
        for target in allTargets { print(target.name) }
        exit(0)
    }
    if let directory = environment("FUZZ_SEEDS") {
        for (number, seed) in target.seeds.enumerated() { write(seed, to: "\(directory)/seed-\(number)") }
        exit(0)
    }
    return 0
}

/// One input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let done = DispatchSemaphore(value: 0)
    // A target may wait for an actor, and libFuzzer calls in vain for nobody who waits.
    Task.detached {
        do {
            _ = try await target.run(bytes)
        } catch {
            fatalError("\(target.name): \(error)")  // libFuzzer keeps the input
        }
        done.signal()
    }
    done.wait()
    return 0
}
