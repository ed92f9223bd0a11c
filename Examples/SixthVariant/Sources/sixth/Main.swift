import ChatCodec
import ChatConformance
import Foundation
import SixthTrial

/// `sixth`: what the components from outside are worth, beside the built-in ones.
@main
enum Main {
    static let help = """
        Tries the components of this package, alone and mixed with the built-in ones.

        usage: sixth conformance [--json | --tap]   run the conformance suite of each component
               sixth compare [--json] [SIZE]        let all 48 mixes talk, with contents of SIZE bytes (default 64)

        Exit: 0 all well, 1 a check or a mix failed, 2 wrong usage.
        """

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let options = arguments.filter { $0.hasPrefix("--") }
        let words = arguments.filter { !$0.hasPrefix("--") }
        if options.contains("--help") { return print(help) }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sixth-\(UUID().uuidString)")
        var code: Int32 = 2
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            switch (words.first, words.dropFirst().first.map { Int($0) } ?? 64, options) {
            case ("conformance", _, _) where words.count == 1 && [[], ["--json"], ["--tap"]].contains(options):
                code = try await conformance(in: folder.path, options.first)
            case ("compare", let size?, _) where (1...10_000).contains(size) && [[], ["--json"]].contains(options):
                code = try await compare(in: folder.path, size, isJSON: !options.isEmpty)
            default: FileHandle.standardError.write(Data((help + "\n").utf8))
            }
        } catch {
            FileHandle.standardError.write(Data("sixth: \(error)\n".utf8))
            code = 1
        }
        exit(code)
    }

    private static func conformance(in folder: String, _ form: String?) async throws -> Int32 {
        let reports = try await Suites.run(in: folder)
        switch form {
        case "--json": for report in reports { print(report.json.printed()) }
        case "--tap": print(Report.tap(reports))
        default: for report in reports { print("\(report)\n") }
        }
        return reports.allSatisfy(\.isPassed) ? 0 : 1
    }

    private static func compare(in folder: String, _ size: Int, isJSON: Bool) async throws -> Int32 {
        let trial = try Trial(in: folder)
        if !isJSON { print("first contact  per content  of \(size) bytes, over") }
        for mix in Mix.all {
            let cost = try await trial.run(mix, contentSize: size)
            if isJSON {
                let line: JSON = [
                    "suite": .string(mix.description), "contentBytes": JSON(size),
                    "firstContactBytes": JSON(cost.firstContact), "bytesPerContent": JSON(Int(cost.perContent)),
                ]
                print(line.printed())
            } else {
                let columns = [13, 11].enumerated().map { index, width in
                    let text = "\(index == 0 ? cost.firstContact : Int(cost.perContent))"
                    return String(repeating: " ", count: max(0, width - text.count)) + text
                }
                print(columns.joined(separator: "  ") + "  " + mix.description)
            }
        }
        return 0
    }
}
