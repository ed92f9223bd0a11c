// swift-tools-version: 6.2
import PackageDescription

/// The compiler holds the rules: existentials are seen, imports are internal unless they leak into
/// the API, every unsafe step says `unsafe`, and a warning is an error.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

func module(_ name: String, _ dependencies: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies.map { .init(stringLiteral: $0) }, swiftSettings: settings)
}

func tool(_ name: String, _ dependencies: [String]) -> Target {
    .executableTarget(name: name, dependencies: dependencies.map { .init(stringLiteral: $0) }, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [String]) -> Target {
    .testTarget(
        name: name, dependencies: (dependencies + ["TestSupport"]).map { .init(stringLiteral: $0) },
        swiftSettings: settings)
}

let components = [
    "ChatDiscovery", "ChatInitialization", "ChatConversation", "ChatDeliveryService", "ChatFraming",
]
let foundations = ["ChatModel", "ChatCrypto", "ChatWire"]
let everything = foundations + ["ChatReliability", "ChatContent"] + components + ["ChatClient"]

let package = Package(
    name: "chat-framework",
    platforms: [.macOS(.v26)],
    products: (everything + ["ChatConformance", "ChatSimulation", "ChatVariants"]).map {
        .library(name: $0, targets: [$0])
    } + [
        .executable(name: "chat-peer", targets: ["chat-peer"]),
        .executable(name: "chat-relay", targets: ["chat-relay"]),
        .executable(name: "chat-sim", targets: ["chat-sim"]),
        .executable(name: "chat-inspect", targets: ["chat-inspect"]),
        .executable(name: "chat-interop", targets: ["chat-interop"]),
        .executable(name: "chat-bench", targets: ["chat-bench"]),
        .executable(name: "chat-conformance", targets: ["chat-conformance"]),
        .executable(name: "chat-vectors", targets: ["chat-vectors"]),
    ],
    targets: [
        .systemLibrary(
            name: "CSodium", pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),

        // What everything stands on; arrows point down only.
        module("ChatModel"),
        module("ChatSystem"),
        module("ChatCrypto", ["CSodium", "ChatModel"]),
        module("ChatWire", ["ChatModel"]),

        // Parts for conversation types, and a form for contents.
        module("ChatReliability", foundations),
        module("ChatContent", ["ChatModel", "ChatWire"]),

        // The five components; none imports another.
        module("ChatDiscovery", foundations),
        module("ChatInitialization", foundations),
        module("ChatConversation", foundations + ["ChatReliability"]),
        module("ChatDeliveryService", foundations + ["ChatSystem"]),
        module("ChatFraming", foundations),

        // A composition of five, run for an application.
        module("ChatClient", foundations),

        // Virtual time and a virtual network around cores; knows none of our components.
        module("ChatSimulation", foundations + ["ChatClient"]),

        // What any implementation must pass; knows none of ours.
        module("ChatConformance", foundations),

        // Ours by name; programs choose, the client does not.
        module("ChatVariants", everything + ["ChatConformance"]),

        // Reads any bytes of these protocols and says what they are; chat-inspect prints it.
        module("ChatInspect", everything),

        // One participant behind the interoperability shim; chat-peer gives it a terminal.
        module("ChatShim", everything + ["ChatVariants"]),

        // Vector files, made and checked; chat-vectors gives it files.
        module("ChatVectors", everything + ["ChatShim"]),

        // Options and signals, which all programs share; no product.
        module("ChatTool", ["ChatSystem"]),
        tool("chat-peer", everything + ["ChatShim", "ChatVariants", "ChatSystem", "ChatTool"]),

        // Starts the programs and talks to them: the demonstration, and tests of whole programs.
        module("ChatDriver", ["ChatSystem", "ChatTool", "ChatWire"]),
        tool("chat-demo", ["ChatClient", "ChatDriver", "ChatTool", "ChatWire"]),
        tool("chat-relay", foundations + ["ChatDeliveryService", "ChatTool"]),
        tool("chat-interop", ["ChatDriver", "ChatModel", "ChatWire", "ChatTool"]),
        tool("chat-conformance", foundations + ["ChatClient", "ChatConformance", "ChatTool", "ChatVariants"]),
        tool("chat-inspect", foundations + ["ChatInspect", "ChatTool"]),
        tool("chat-sim", everything + ["ChatSimulation", "ChatVariants", "ChatTool"]),
        tool("chat-vectors", ["ChatVectors", "ChatTool", "ChatWire"]),
        tool("chat-bench", ["CSodium", "ChatSimulation", "ChatTool"] + everything),

        .target(name: "TestSupport", dependencies: ["ChatModel"], path: "Tests/TestSupport", swiftSettings: settings),
        .target(
            name: "FuzzTargets", dependencies: (everything + ["ChatInspect"]).map { .init(stringLiteral: $0) },
            path: "Tests/Fuzz/Targets",
            swiftSettings: settings),
        tests("FuzzTests", ["FuzzTargets"]),
        tests("ChatModelTests", ["ChatModel"]),
        tests("ChatCryptoTests", ["ChatCrypto", "ChatModel"]),
        tests("ChatWireTests", foundations),
        tests("ChatReliabilityTests", foundations + ["ChatReliability"]),
        tests("ChatContentTests", foundations + ["ChatContent"]),
        tests("ChatDiscoveryTests", foundations + ["ChatDiscovery", "ChatDeliveryService"]),
        tests("ChatInitializationTests", foundations + ["ChatInitialization"]),
        tests("ChatConversationTests", foundations + ["ChatReliability", "ChatConversation"]),
        tests("ChatDeliveryServiceTests", foundations + ["ChatDeliveryService"]),
        tests("ChatFramingTests", foundations + ["ChatFraming"]),
        tests("ChatToolTests", ["ChatTool"]),
        tests("ChatClientTests", everything),
        tests("ChatConformanceTests", everything + ["ChatConformance", "ChatVariants"]),
        tests("ChatInspectTests", everything + ["ChatInspect"]),
        tests("ChatShimTests", everything + ["ChatShim", "ChatVariants"]),
        tests("ChatVectorsTests", ["ChatVectors", "ChatWire"]),
        tests("ChatSimulationTests", everything + ["ChatSimulation"]),
        tests("ProtocolTests", everything + ["ChatDriver", "ChatShim", "ChatVariants"]),
    ],
    swiftLanguageModes: [.v6]
)

// `make fuzz`: needs `--sanitize fuzzer`, whose runtime has the program's main function.
if Context.environment["CHAT_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "chat-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Main", swiftSettings: settings))
}
