// swift-tools-version: 6.2
import PackageDescription

// The settings of the package that this one depends on.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

func framework(_ products: String...) -> [Target.Dependency] {
    products.map { .product(name: $0, package: "framework") }
}

let nio: [Target.Dependency] = ["NIOCore", "NIOPosix", "NIOHTTP1", "NIOWebSocket"].map {
    .product(name: $0, package: "swift-nio")
}

let package = Package(
    name: "agent-chat",
    platforms: [.macOS(.v26)],
    products: [.executable(name: "agent-chat", targets: ["agent-chat"])],
    dependencies: [
        .package(name: "framework", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        // The service: sockets, chats, jobs, agents, and the page.
        .target(
            name: "AgentChatServer",
            dependencies: framework("AgentChat", "ChatClient", "ChatModel", "ChatCodec") + nio,
            resources: [.embedInCode("Page")], swiftSettings: settings),
        // The client: WebSocket and HTTP as components of the framework, and a terminal.
        .target(
            name: "AgentChatTalk",
            dependencies: framework("AgentChat", "ChatClient", "ChatCrypto", "ChatModel", "ChatStorage", "ChatCodec")
                + nio,
            swiftSettings: settings),
        .executableTarget(
            name: "agent-chat",
            dependencies: [
                "AgentChatServer", "AgentChatTalk",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + framework("AgentChat", "ChatModel"),
            swiftSettings: settings),
        // Many sockets at once, next to a bare echo.
        .executableTarget(
            name: "agent-chat-bench",
            dependencies: ["AgentChatServer", .product(name: "ArgumentParser", package: "swift-argument-parser")]
                + framework("AgentChat", "ChatModel") + nio,
            swiftSettings: settings),
        .testTarget(
            name: "AgentChatServerTests",
            dependencies: ["AgentChatServer", "AgentChatTalk"]
                + framework("AgentChat", "ChatClient", "ChatCrypto", "ChatModel", "ChatStorage", "ChatCodec") + nio,
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
