// swift-tools-version: 6.2
import PackageDescription

// The settings of the package that this one depends on; an outsider is free to choose others.
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

let package = Package(
    name: "sixth-variant",
    platforms: [.macOS(.v26)],
    products: [.library(name: "SixthVariant", targets: ["SixthVariant"])],
    dependencies: [.package(name: "framework", path: "../..")],
    targets: [
        .systemLibrary(
            name: "CSodiumOfSixth", pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),
        .target(
            name: "SixthVariant",
            dependencies: ["CSodiumOfSixth"] + framework("ChatModel", "ChatCrypto", "ChatCodec", "ChatClient"),
            swiftSettings: settings),
        // What program and tests share: a trial of each mix, and the conformance suites.
        .target(
            name: "SixthTrial",
            dependencies: ["SixthVariant"]
                + framework(
                    "ChatModel", "ChatCrypto", "ChatClient", "ChatStorage", "ChatDeliveryService", "ChatConformance",
                    "ChatVariants"),
            swiftSettings: settings),
        .executableTarget(
            name: "sixth", dependencies: ["SixthTrial"] + framework("ChatConformance", "ChatCodec"),
            swiftSettings: settings),
        // The tools of the framework, with the components of this package beside the built-in ones.
        .executableTarget(
            name: "sixth-peer", dependencies: ["SixthVariant"] + framework("ChatPeer", "ChatVariants"),
            swiftSettings: settings),
        .executableTarget(
            name: "sixth-sim", dependencies: ["SixthVariant"] + framework("ChatSimulator", "ChatVariants"),
            swiftSettings: settings),
        .executableTarget(
            name: "sixth-bench", dependencies: ["SixthVariant"] + framework("ChatBench", "ChatVariants"),
            swiftSettings: settings),
        .executableTarget(
            name: "sixth-conformance",
            dependencies: ["SixthVariant"] + framework("ChatConformanceRunner", "ChatVariants"),
            swiftSettings: settings),
        .testTarget(
            name: "SixthVariantTests",
            dependencies: ["SixthVariant", "SixthTrial"]
                + framework(
                    "ChatModel", "ChatCrypto", "ChatClient", "ChatConformance", "ChatSimulation", "ChatVariants"),
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
