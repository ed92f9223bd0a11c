import ChatPlatform

/// Where the programs of this package are: beside the one that runs.
package enum Programs {
    /// The directory of this program.
    package static let directory: String = {
        guard let path = FileCalls.resolved(CommandLine.arguments.first ?? "") else { return "." }
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }()

    /// Whether a program has been built.
    package static func has(_ name: String) -> Bool { FileCalls.may(.executing, at: "\(directory)/\(name)") }
}
