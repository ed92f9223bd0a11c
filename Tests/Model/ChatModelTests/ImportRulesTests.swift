import Foundation
import TestSupport
import Testing

private let components: Set = [
    "ChatDiscovery", "ChatInitialization", "ChatConversation", "ChatDeliveryService", "ChatFraming",
]

/// The modules that a source text imports, whatever access level or kind stands before the name.
private func imports(of text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
        var words = line.split(separator: " ").map(String.init)[...]
        while let word = words.first, word.hasPrefix("@") || ["public", "package", "internal"].contains(word) {
            words = words.dropFirst()
        }
        guard words.popFirst() == "import" else { return nil }
        if words.count > 1 { words = words.dropFirst() }  // import struct Module.Name
        return words.first?.split(separator: ".").first.map(String.init)
    }
}

/// The rooms of the house in the order in which they stand on each other.
private let rooms = ["Model", "Foundation", "Layers", "Components", "Systems", "Client", "Proof", "Programs"]

/// The room of each module, as the folders of `Sources` show it.
private func roomsOfModules() throws -> [String: String] {
    let sources = Vectors.packageRoot.appendingPathComponent("Sources")
    var found: [String: String] = [:]
    for room in try FileManager.default.contentsOfDirectory(atPath: sources.path) {
        for module in try FileManager.default.contentsOfDirectory(atPath: sources.appendingPathComponent(room).path) {
            found[module] = room
        }
    }
    return found
}

/// Whether a room may use another: its own, or one above it in the list.
private func mayUse(_ other: String, from room: String) -> Bool {
    guard let own = rooms.firstIndex(of: room), let used = rooms.firstIndex(of: other) else { return false }
    return used <= own
}

@Test func `the folders of Sources and Tests are rooms of the architecture`() throws {
    for (module, room) in try roomsOfModules() {
        #expect(rooms.contains(room), "\(module) stands in \(room)")
    }
    let tests = Vectors.packageRoot.appendingPathComponent("Tests")
    let others: Set = ["Fuzz", "TestSupport", "Tools"]
    for folder in try FileManager.default.contentsOfDirectory(atPath: tests.path) where !others.contains(folder) {
        #expect(rooms.contains(folder), "Tests/\(folder) mirrors no room")
    }
}

@Test(arguments: [("Client", "Model"), ("Components", "Components"), ("Programs", "Proof")])
func `a room uses itself and those above it`(room: String, used: String) {
    #expect(mayUse(used, from: room))
    #expect(room == used || !mayUse(room, from: used))
}

/// The modules of the system's calls.
private let systemModules: Set = ["Darwin", "Glibc", "Musl"]

/// Files that call the system beside ChatPlatform: the sockets of the UDP service, in one folder.
private func mayCallSystem(_ path: String) -> Bool {
    path.contains("/Foundation/ChatPlatform/") || path.contains("/ChatDeliveryService/UDP/")
}

/// Whether a text asks on which system it is compiled.
private func asksForSystem(_ text: String) -> Bool {
    text.split(separator: "\n").contains { line in
        let line = line.drop { $0 == " " }
        return ["#if", "#elseif"].contains { line.hasPrefix($0) }
            && ["canImport(", "os("].contains { line.contains($0) }
    }
}

/// What is wrong with an import, or nil.
private func objection(to imported: String, in module: String) -> String? {
    let isOurs = imported.hasPrefix("Chat") && imported != module
    let isLibrary = module.first?.isUppercase == true
    if systemModules.contains(imported), module != "ChatPlatform" { return "only ChatPlatform calls the system" }
    if module == "ChatPlatform", isOurs { return "ChatPlatform stands on nothing" }
    if imported == "CSodium", !["ChatCrypto", "ChatBench"].contains(module) {
        return "only ChatCrypto calls libsodium"
    }
    if imported.hasPrefix("Foundation"), isLibrary { return "libraries do without Foundation" }
    // Secrets are words of the model, and their memory is the system's; ChatPlatform stands on nothing of ours.
    if module == "ChatModel", isOurs, imported != "ChatPlatform" { return "ChatModel stands on ChatPlatform alone" }
    if module == "ChatCodec", isOurs, imported != "ChatModel" { return "arrows point down only" }
    if module == "ChatCrypto", isOurs, !["ChatModel", "ChatPlatform"].contains(imported) {
        return "arrows point down only"
    }
    if components.contains(module), components.contains(imported), isOurs {
        return "no component knows another (FW-02)"
    }
    // `ChatVariants` names ours for programs that let one choose; the others are the insides of programs. Everything
    // else is for any component.
    let insides = [
        "ChatVariants", "ChatShim", "ChatVectors", "ChatInspect", "ChatPeer", "ChatSimulator", "ChatConformanceRunner",
        "ChatBench",
    ]
    let isAboutOurs = insides.contains(module)
    if isLibrary, isOurs, !isAboutOurs, components.union(["ChatVariants"]).contains(imported) {
        return "a library chooses no component"
    }
    return nil
}

@Test func `a question for the system is seen`() {
    #expect(asksForSystem("    #if canImport(Glibc)") && asksForSystem("#elseif os(Linux)"))
    #expect(!asksForSystem("#if CHAT_TSAN\n// #if os(Linux)"))
}

@Test func `import lines are read in all their forms`() {
    let text = """
        import A
        public import B
        @testable import C
        package import struct D.Name
            import E
        // import F
        importance
        """
    #expect(imports(of: text) == ["A", "B", "C", "D", "E"])
}

@Test(arguments: [
    ("CSodium", "ChatCodec"), ("Foundation", "ChatClient"), ("FoundationEssentials", "ChatFraming"),
    ("Foundation", "AgentChat"), ("ChatCodec", "ChatModel"), ("ChatRecords", "ChatCodec"),
    ("ChatCodec", "ChatCrypto"), ("ChatVariants", "ChatClient"), ("ChatFraming", "ChatConversation"),
    ("ChatFraming", "ChatClient"), ("Glibc", "ChatStorage"), ("Darwin", "ChatModel"), ("Musl", "chat-demo"),
    ("ChatModel", "ChatPlatform"),
])
func `an import across the rules is objected to`(imported: String, module: String) {
    #expect(objection(to: imported, in: module) != nil)
}

@Test func `modules import only what stands below them (FW-02)`() throws {
    let sources = Vectors.packageRoot.appendingPathComponent("Sources").resolvingSymlinksInPath()
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    let roomOf = try roomsOfModules()
    var count = 0
    while let file = files?.nextObject() as? URL {
        guard file.pathExtension == "swift" else { continue }
        let folders = file.path.dropFirst(sources.path.count + 1).split(separator: "/")
        let module = try #require(folders.dropFirst().first, "a source file stands in a room and a module")
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(mayCallSystem(file.path) || !asksForSystem(text), "\(file.path) asks which system it is compiled for")
        for imported in imports(of: text) where !(systemModules.contains(imported) && mayCallSystem(file.path)) {
            let found = objection(to: imported, in: String(module))
            #expect(found == nil, "\(file.path) imports \(imported)")
            if let room = roomOf[String(module)], let used = roomOf[imported], imported != "ChatPlatform" {
                #expect(mayUse(used, from: room), "\(file.path) in \(room) imports \(imported) of \(used)")
            }
            count += 1
        }
    }
    #expect(count > 20, "the sources were not found")
    print("import rules: \(count) imports")
}

/// Ways to say that bytes are put together by hand, and the files that may: little-endian formats, base64, and words that
/// are filled up, masked or stored in place.
private let byHand = ["<< 8 |", "56 - 8 *", "UnsafeBytes(of: number.bigEndian)"]
private let mayByHand: Set = [
    "Base64URL.swift", "BigEndian.swift", "EnvelopeV1.swift", "Identifier.swift", "PacketProtection.swift",
    "RouteIdentifier.swift",
]

@Test func `big-endian numbers have one implementation, and generators with a seed as well`() throws {
    let sources = Vectors.packageRoot.appendingPathComponent("Sources").resolvingSymlinksInPath()
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    var generators: [String] = []
    while let file = files?.nextObject() as? URL {
        guard file.pathExtension == "swift" else { continue }
        let text = try String(contentsOf: file, encoding: .utf8)
        if text.contains("0xBF58_476D_1CE4_E5B9") { generators.append(file.lastPathComponent) }
        guard !mayByHand.contains(file.lastPathComponent) else { continue }
        for sign in byHand { #expect(!text.contains(sign), "\(file.path) puts numbers together by hand") }
    }
    #expect(generators == ["RepeatableRandom.swift"])
}
