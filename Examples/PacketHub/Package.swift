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

let framework: [Target.Dependency] = ["ChatModel", "ChatCodec", "PacketStream"].map {
    .product(name: $0, package: "framework")
}

let grpc: [Target.Dependency] = [
    .product(name: "GRPCCore", package: "grpc-swift-2"),
    .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
]

let package = Package(
    name: "packet-hub",
    platforms: [.macOS(.v26)],
    products: [.executable(name: "packet-hub", targets: ["packet-hub"])],
    dependencies: [
        .package(name: "framework", path: "../.."),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        // The hub, and a step: streams of gRPC around the machines of the framework.
        .target(name: "PacketHubKit", dependencies: framework + grpc, swiftSettings: settings),
        .executableTarget(
            name: "packet-hub",
            dependencies: [
                "PacketHubKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + framework,
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
