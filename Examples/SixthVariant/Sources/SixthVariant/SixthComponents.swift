import Foundation

/// The phrase and the folder that the components of this package share, for the programs.
public struct SixthComponents: Sendable {
    let phrase: PhraseInitialization
    let folder: String

    /// Takes both from the environment, that of the process where nil: `SIXTH_PHRASE`, and `SIXTH_FOLDER`, which is made if it is not there.
    ///
    /// - Throws: a phrase from which no key can be derived, or a folder that cannot be made.
    public init(environment: [String: String]? = nil) throws {
        let environment = environment ?? ProcessInfo.processInfo.environment
        phrase = try PhraseInitialization(phrase: environment["SIXTH_PHRASE"] ?? "correct horse battery staple")
        folder = environment["SIXTH_FOLDER"] ?? FileManager.default.temporaryDirectory.appending(path: "sixth").path
        try FileManager.default.createDirectory(
            atPath: folder + "/payloads", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
}
