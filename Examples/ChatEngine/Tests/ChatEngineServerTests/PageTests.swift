import ChatCodec
import ChatEngine
import Foundation
import NIOHTTP1
import Testing

@Suite struct PageTests {
    private static let specs = URL(fileURLWithPath: #filePath).pathComponents.dropLast(5).dropFirst()
        .reduce("") { $0 + "/" + $1 }

    @Test func `what is served outside the protocol: health, description and page`() async throws {
        try await Bench.run { bench in
            let root = String(bench.base.dropLast("/api/v1".count))
            let health = try await bench.call("GET", root + "/healthz", token: "")
            #expect(health.status == 200 && String(decoding: health.bytes, as: UTF8.self) == #"{"status":"ok"}"#)
            let page = try await bench.call("GET", root + "/", token: "")
            #expect(page.status == 200)
            #expect(page.headers.first(name: "content-security-policy")?.contains("default-src 'none'") == true)
            #expect(try await bench.call("GET", root + "/nowhere", token: "").status == 404)
            let served = try await bench.call("GET", root + "/openapi.json", token: "")
            let document = FileManager.default.contents(
                atPath: Self.specs + "/Specs/openapi/chat-engine.json")
            #expect(served.bytes == document.map(Array.init))
        }
    }

    @Test func `the description has the operations of the code, with their methods, paths and statuses`() throws {
        let path = Self.specs + "/Specs/openapi/chat-engine.json"
        let json = try JSON(parsing: Array(try #require(FileManager.default.contents(atPath: path))))
        var described: Set<String> = []
        for (path, methods) in json["paths"]?.members?.map({ ($0.key, $0.value) }) ?? [] {
            for member in methods.members ?? [] where member.key != "parameters" {
                guard let name = member.value["operationId"]?.text,
                    let operation = ChatEngine.Operation(rawValue: name)
                else {
                    Issue.record("\(path) is no operation of the code")
                    continue
                }
                described.insert(name)
                let pattern = path.split(separator: "/").map { $0.hasPrefix("{") ? "*" : String($0) }.joined(
                    separator: "/")
                #expect("/" + pattern == operation.route.path && member.key.uppercased() == operation.route.method)
                #expect(member.value["responses"]?["\(operation.status)"] != nil, "\(name)")
                let isOpen = member.value["security"]?.list?.isEmpty == true
                #expect(isOpen == operation.isOpen, "\(name)")
            }
        }
        #expect(described == Set(ChatEngine.Operation.allCases.map(\.rawValue)))
    }
}
