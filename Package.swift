// swift-tools-version: 6.2
import PackageDescription

/// `make tsan` builds with a lock that ThreadSanitizer sees: ChatModel's `Lock`.
let conditions: [SwiftSetting] = Context.environment["CHAT_TSAN"] == nil ? [] : [.define("CHAT_TSAN")]

/// The compiler holds the rules: existentials are seen, imports are internal unless they leak into
/// the API, every unsafe step says `unsafe`, and a warning is an error.
let settings: [SwiftSetting] =
    conditions + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableExperimentalFeature("Lifetimes"),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
    ]

/// The rooms of the house, which are the folders of `Sources` and `Tests`: a room uses those above it, never those
/// below.
enum Room: String {
    case model = "Model"
    case foundation = "Foundation"
    case layers = "Layers"
    case components = "Components"
    case systems = "Systems"
    case client = "Client"
    case proof = "Proof"
    case programs = "Programs"

    func module(_ name: String, _ dependencies: [String] = []) -> Target {
        .target(
            name: name, dependencies: dependencies.map { .init(stringLiteral: $0) },
            path: "Sources/\(rawValue)/\(name)", swiftSettings: settings)
    }

    func tool(_ name: String, _ dependencies: [String]) -> Target {
        .executableTarget(
            name: name, dependencies: dependencies.map { .init(stringLiteral: $0) },
            path: "Sources/\(rawValue)/\(name)", swiftSettings: settings)
    }

    func tests(_ name: String, _ dependencies: [String]) -> Target {
        .testTarget(
            name: name, dependencies: (dependencies + ["TestSupport"]).map { .init(stringLiteral: $0) },
            path: "Tests/\(rawValue)/\(name)", swiftSettings: settings)
    }

    /// What several test targets share.
    func support(_ name: String, _ dependencies: [String]) -> Target {
        .target(
            name: name, dependencies: (dependencies + ["TestSupport"]).map { .init(stringLiteral: $0) },
            path: "Tests/\(rawValue)/\(name)", swiftSettings: settings)
    }
}

let components = [
    "ChatDiscovery", "ChatInitialization", "ChatConversation", "ChatDeliveryService", "ChatFraming",
]
let foundations = ["ChatModel", "ChatCrypto", "ChatCodec", "ChatRecords"]
let layers = ["LogosFormats", "ChatReliability", "ChatContent"]
let everything = foundations + layers + components + ["ChatStorage", "ChatClient"]
let systems = ["AgentChat", "ChatEngine", "PacketStream"]

let package = Package(
    name: "chat-framework",
    platforms: [.macOS(.v26)],
    products: (everything + systems
        + [
            "ChatConformance", "ChatSimulation", "ChatVariants", "ChatPeer", "ChatSimulator", "ChatConformanceRunner",
            "ChatBench",
        ])
        .map {
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
            .executable(name: "packet-inspect", targets: ["packet-inspect"]),
        ],
    targets: [
        .systemLibrary(
            name: "CSodium", path: "Sources/Foundation/CSodium", pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),

        // What everything stands on; arrows point down only.
        Room.foundation.module("ChatPlatform"),
        Room.model.module("ChatModel", ["ChatPlatform"]),
        Room.foundation.module("ChatCrypto", ["CSodium", "ChatModel", "ChatPlatform"]),
        Room.foundation.module("ChatCodec", ["ChatModel"]),
        Room.foundation.module("ChatRecords", ["ChatModel", "ChatCodec"]),

        // Parts for conversation types, and a form for contents.
        Room.layers.module("LogosFormats", ["ChatModel", "ChatCodec"]),
        Room.layers.module("ChatReliability", foundations),
        Room.layers.module("ChatContent", ["ChatModel", "ChatCodec"]),

        // The five components; none imports another.
        Room.components.module("ChatDiscovery", foundations + ["LogosFormats"]),
        Room.components.module("ChatInitialization", foundations + ["LogosFormats"]),
        Room.components.module("ChatConversation", foundations + ["LogosFormats", "ChatReliability"]),
        Room.components.module("ChatDeliveryService", foundations + ["ChatPlatform"]),
        Room.components.module("ChatFraming", foundations),

        // Published systems, each with its five choices in one folder.
        Room.systems.module("AgentChat", foundations),
        Room.systems.module("ChatEngine", foundations),
        Room.systems.module("PacketStream", foundations),

        // A composition of five, run for an application, and where it keeps its state.
        Room.client.module("ChatStorage", foundations + ["ChatPlatform"]),
        Room.client.module("ChatClient", foundations + ["ChatStorage"]),

        // Virtual time and a virtual network around cores; knows none of our components.
        Room.proof.module("ChatSimulation", foundations + ["ChatClient", "ChatPlatform"]),

        // What any implementation must pass; knows none of ours.
        Room.proof.module("ChatConformance", foundations),

        // Ours by name; programs choose, the client does not.
        Room.proof.module("ChatVariants", everything + ["ChatConformance"]),

        // Reads any bytes of these protocols and says what they are; chat-inspect prints it.
        Room.proof.module("ChatInspect", everything + ["PacketStream"]),

        // One participant behind the interoperability shim; chat-peer gives it a terminal.
        Room.proof.module("ChatShim", everything + ["ChatVariants"]),

        // Vector files, made and checked; chat-vectors gives it files.
        Room.proof.module("ChatVectors", everything + systems + ["ChatShim"]),

        // Options and signals, which all programs share; no product.
        Room.programs.module("ChatTool", ["ChatPlatform"]),
        // Programs as libraries, so that an outsider builds them with components of their own beside ours.
        Room.programs.module(
            "ChatPeer",
            everything + systems + [
                "ChatInspect", "ChatPlatform", "ChatShim", "ChatSimulation", "ChatTool", "ChatVariants",
            ]),
        Room.programs.module(
            "ChatSimulator",
            everything + ["AgentChat", "PacketStream", "ChatPlatform", "ChatSimulation", "ChatVariants", "ChatTool"]),
        Room.programs.module(
            "ChatConformanceRunner", foundations + ["ChatClient", "ChatConformance", "ChatTool", "ChatVariants"]),
        Room.programs.tool("chat-peer", ["ChatPeer"]),
        Room.programs.tool("chat-sim", ["ChatSimulator"]),
        Room.programs.tool("chat-conformance", ["ChatConformanceRunner"]),

        // Starts the programs and talks to them: the demonstration, and tests of whole programs.
        Room.programs.module("ChatDriver", ["ChatModel", "ChatPlatform", "ChatTool", "ChatCodec"]),
        Room.programs.tool(
            "chat-demo", ["ChatClient", "ChatStorage", "ChatDriver", "ChatPlatform", "ChatTool", "ChatCodec"]),
        Room.programs.tool(
            "chat-relay", foundations + ["ChatDeliveryService", "ChatInspect", "ChatPlatform", "ChatTool"]),
        Room.programs.tool("chat-interop", ["ChatDriver", "ChatModel", "ChatCodec", "ChatPlatform", "ChatTool"]),
        Room.programs.tool("chat-inspect", foundations + ["ChatInspect", "ChatPlatform", "ChatTool"]),
        Room.programs.tool("packet-inspect", foundations + ["ChatInspect", "ChatTool", "PacketStream"]),
        Room.programs.tool("chat-vectors", ["ChatVectors", "ChatTool", "ChatCodec", "ChatPlatform"]),
        Room.programs.module(
            "ChatBench",
            ["CSodium", "ChatPlatform", "ChatSimulation", "ChatTool", "ChatVariants"] + everything + systems),
        Room.programs.tool("chat-bench", ["ChatBench"]),

        .target(name: "TestSupport", dependencies: ["ChatModel"], path: "Tests/TestSupport", swiftSettings: settings),
        Room.client.support("StorageTestSupport", foundations + ["ChatStorage"]),
        .target(
            name: "FuzzTargets",
            dependencies: (everything + systems + ["ChatInspect", "ChatShim"]).map { .init(stringLiteral: $0) },
            path: "Tests/Fuzz/Targets",
            swiftSettings: settings),
        Room.proof.tests("FuzzTests", ["FuzzTargets"]),
        Room.model.tests("ChatModelTests", ["ChatModel"]),
        Room.foundation.tests("ChatCryptoTests", ["ChatCrypto", "ChatModel"]),
        Room.foundation.tests("ChatCodecTests", foundations),
        Room.layers.tests("LogosFormatsTests", foundations + ["LogosFormats"]),
        Room.layers.tests("ChatReliabilityTests", foundations + ["ChatReliability"]),
        Room.layers.tests("ChatContentTests", foundations + ["ChatContent"]),
        Room.components.tests(
            "ChatDiscoveryTests",
            foundations + ["LogosFormats", "ChatDiscovery", "ChatDeliveryService", "ChatSimulation"]),
        Room.components.tests("ChatInitializationTests", foundations + ["LogosFormats", "ChatInitialization"]),
        Room.components.tests(
            "ChatConversationTests", foundations + ["LogosFormats", "ChatReliability", "ChatConversation"]),
        Room.components.tests("ChatDeliveryServiceTests", foundations + ["ChatDeliveryService", "ChatSimulation"]),
        Room.components.tests("ChatFramingTests", foundations + ["ChatFraming"]),
        Room.systems.tests("AgentChatTests", everything + ["AgentChat"]),
        Room.systems.tests("ChatEngineTests", everything + ["ChatEngine", "ChatConformance"]),
        Room.systems.tests("PacketStreamTests", everything + ["AgentChat", "ChatConformance", "PacketStream"]),
        Room.programs.tests("ChatToolTests", ["ChatPlatform", "ChatTool"]),
        Room.programs.tests("ChatSimulatorTests", ["ChatSimulator", "ChatTool"]),
        Room.client.tests("ChatStorageTests", foundations + ["ChatStorage", "StorageTestSupport"]),
        Room.client.tests("ChatClientTests", everything + ["ChatConformance", "StorageTestSupport"]),
        Room.proof.tests("ChatConformanceTests", everything + ["ChatConformance", "ChatVariants"]),
        Room.proof.tests("ChatInspectTests", everything + ["ChatInspect"]),
        Room.proof.tests("ChatShimTests", everything + ["ChatShim", "ChatVariants"]),
        Room.proof.tests("ChatVectorsTests", ["ChatVectors", "ChatCodec"]),
        Room.proof.tests("ChatSimulationTests", everything + ["ChatConformance", "ChatSimulation"]),
        Room.programs.tests("ProtocolTests", everything + ["ChatDriver", "ChatPlatform", "ChatShim", "ChatVariants"]),
    ],
    swiftLanguageModes: [.v6]
)

// `make fuzz`: needs `--sanitize fuzzer`, whose runtime has the program's main function.
if Context.environment["CHAT_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "chat-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Main", swiftSettings: settings))
}
