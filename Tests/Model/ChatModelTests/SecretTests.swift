import ChatModel
import TestSupport
import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

private func secret(_ bytes: [UInt8]) -> Secret { Secret(copying: bytes.span) }

@Test func `a secret does not print its bytes, whoever prints it`() {
    struct Owner { let key = KeyPair(secret: secret([0xAB, 0xCD, 171, 205]), publicKey: PublicKey([1])) }
    var dumped = ""
    dump(Owner(), to: &dumped)
    for text in ["\(Owner())", String(reflecting: Owner()), dumped, "\([secret([0xAB, 0xCD])])"] {
        #expect(!text.lowercased().contains("ab, cd") && !text.contains("171") && !text.contains("205"), "\(text)")
    }
    #expect("\(secret([1, 2, 3]))" == "Secret(3 bytes)")
    #expect(dumped.contains("Secret(4 bytes)"))
}

@Test func `secrets are equal when every byte is`() {
    let one = secret(Array(0..<32))
    #expect(one == secret(Array(0..<32)))
    for index in 0..<32 {
        var other = [UInt8](0..<32)
        other[index] ^= 0x80
        #expect(one != secret(other))
    }
    #expect(one != secret(Array(0..<31)) && secret([]) == secret([]))
}

@Test func `a secret begins as zeros and lends what was written`() throws {
    let half = Secret(count: 4) { $0[1] = 9 }
    let bytes = half.lend { bytes in bytes.indices.map { bytes[$0] } }
    #expect(bytes == [0, 9, 0, 0] && half.count == 4)
    struct Failed: Error {}
    #expect(throws: Failed.self) {
        try Secret(count: 32) { (bytes: inout MutableSpan<UInt8>) throws(Failed) in throw Failed() }
    }
}

@Test func `wiping overwrites every byte`() {
    var bytes: [UInt8] = [1, 2, 3]
    var span = bytes.mutableSpan
    wipe(&span)
    #expect(bytes == [0, 0, 0])
    var nothing: [UInt8] = []
    var empty = nothing.mutableSpan
    wipe(&empty)
}

/// The last owner gone, the memory is looked at where the allocator left it: its own words lie in the
/// first 16 bytes, and the rest is as it was freed.
@Test(.timeLimit(.minutes(30))) func `the last owner of a secret wipes it`() async {
    await #expect(processExitsWith: .success) {
        var address: UnsafePointer<UInt8>?
        do {
            let key = Secret(copying: [UInt8](repeating: 0xAA, count: 64).span)
            unsafe address = key.lend { unsafe $0.withUnsafeBufferPointer { $0.baseAddress } }
            let copy = key
            _ = copy.count
        }
        guard let freed = unsafe address else { exit(1) }
        var left = 0
        for index in 16..<64 where unsafe freed[index] == 0xAA { left += 1 }
        exit(left == 0 ? 0 : 1)
    }
}

@Test func `secrets of every size are zeros at first, apart from each other, and used again (CRY-9)`() {
    for round in 0..<3 {
        var secrets: [Secret] = []
        for count in [0, 1, 31, 32, 33, 64, 65, 1_000, 4_096, 4_097, 20_000] {
            for mark in UInt8(1)...4 {
                var sum: UInt64 = 0
                let secret = Secret(count: count) { bytes in
                    for index in bytes.indices {
                        sum += UInt64(bytes[index])
                        bytes[index] = mark ^ UInt8(truncatingIfNeeded: count)
                    }
                }
                #expect(sum == 0 && secret.count == count, "\(count) bytes, round \(round)")
                secrets.append(secret)
            }
        }
        for (index, secret) in secrets.enumerated() {
            let expected = UInt8(1 + index % 4) ^ UInt8(truncatingIfNeeded: secret.count)
            let isWhole = secret.lend { bytes in bytes.indices.allSatisfy { bytes[$0] == expected } }
            #expect(isWhole)
        }
    }
}

#if os(Linux)
    /// What the system says of the mapping that an address lies in.
    private func mapping(of address: UInt) throws -> [String: String] {
        var (fields, isInside): ([String: String], Bool) = ([:], false)
        // A file of the kernel has no size; it is read to its end.
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
        for line in String(decoding: file.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            let range = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            if range.count == 2, !words[0].hasSuffix(":") {
                isInside = (range[0]..<range[1]).contains(address)
            } else if isInside {
                fields[String(words[0].dropLast())] = words.dropFirst().joined(separator: " ")
            }
        }
        return fields
    }

    private var isSanitized: Bool {
        ["__asan_init", "__tsan_init"].contains { (name: String) in unsafe dlsym(nil, name) != nil }
    }

    @Test func `pages of secrets are locked, and no core dump contains them (CRY-9)`() throws {
        let secret = Secret(count: 32) { $0[0] = 1 }
        let address = secret.lend { unsafe $0.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } }
        let fields = try mapping(of: address)
        let flags = try #require(fields["VmFlags"]).split(separator: " ")
        #expect(flags.contains("dd"), "left out of core dumps: \(flags)")
        let size = SecretMemory.size
        #expect(size.pages >= 4_096 && size.locked <= size.pages)
        guard size.locked == size.pages else {
            return print("secrets: the system locks no more than \(size.locked) bytes")
        }
        // A sanitizer replaces mlock by a function that succeeds and does nothing.
        guard !isSanitized else { return }
        #expect(flags.contains("lo"), "locked: \(flags)")
    }
#endif
