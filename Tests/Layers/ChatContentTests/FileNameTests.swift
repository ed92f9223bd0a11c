import ChatContent
import ChatModel
import TestSupport
import Testing

private func safe(_ name: String) -> String { FileContent(name: name, bytes: []).safeName }

@Test(arguments: [
    ("walrus.txt", "walrus.txt"), ("Ünïcödé ✓.png", "Ünïcödé ✓.png"), ("a b.tar.gz", "a b.tar.gz"),
    ("../../etc/passwd", "passwd"), ("/etc/shadow", "shadow"), ("..", "file"), (".", "file"), ("", "file"),
    ("/", "file"), ("a/", "file"), ("..\\..\\boot.ini", "boot.ini"), ("C:\\x", "x"), ("C:x", "C_x"),
    (".bashrc", "bashrc"), ("...hidden", "hidden"), (" . x . ", "x"), ("-rf", "_rf"), ("a\0b", "ab"),
    ("a\nb\u{1B}[2Jc", "ab[2Jc"), ("evil\u{202E}gpj.exe", "evilgpj.exe"), ("a\u{200B}\u{FEFF}b", "ab"),
    ("<a|b>\"?*", "_a_b____"), ("\u{2028}\u{2029}", "file"), ("NUL\u{0}/..\u{0}", "file"),
])
func `a hostile name becomes one harmless component of a path (CFR-4)`(name: String, expected: String) {
    #expect(safe(name) == expected)
}

@Test func `a long name is cut and keeps its ending (CFR-4)`() {
    let long = safe(String(repeating: "ä", count: 127) + ".jpeg")
    #expect(long.utf8.count <= FileContent.maximumSafeName)
    #expect(long.hasPrefix("ää") && long.hasSuffix("ä.jpeg"))
    // One character of 255 bytes, and an ending that is all there is.
    let zalgo = safe("a" + String(repeating: "\u{301}", count: 127))
    #expect(zalgo.utf8.count <= FileContent.maximumSafeName && zalgo.unicodeScalars.first == "a")
    #expect(safe("a." + String(repeating: "b", count: 250)).utf8.count == FileContent.maximumSafeName)
}

@Test func `no name of random characters leads out of a directory (CFR-4)`() {
    var random = SplitMix64(seed: 5)
    let alphabet = Array("./\\\0\n-: ab\u{202E}\u{301}ä~").map { $0.unicodeScalars.first ?? "x" }
    for _ in 0..<20_000 {
        var name = ""
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            name.unicodeScalars.append(alphabet.randomElement(using: &random) ?? "x")
        }
        let made = safe(name)
        let isHarmless =
            !made.isEmpty && !made.unicodeScalars.contains { "/\\\0".unicodeScalars.contains($0) }
            && made.unicodeScalars.first != "."
        #expect(isHarmless, "\(name.debugDescription)")
    }
}
