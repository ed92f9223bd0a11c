import Testing

@testable import ChatTool

/// The codes were made by another program, python3-qrcode, with the same mask.
struct QRCodeTests {
    private func rows(_ code: QRCode) -> [String] {
        (0..<code.size).map { row in (0..<code.size).map { code[row, $0] ? "#" : "." }.joined() }
    }

    private func text(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(ascii: "a") + UInt8($0 * 7 % 26) } }

    @Test func `a small code is the same, module by module`() throws {
        let code = try #require(QRCode(Array("logos".utf8), mask: 0))
        #expect(
            rows(code) == [
                "#######..#.##.#######",
                "#.....#..###..#.....#",
                "#.###.#.##.##.#.###.#",
                "#.###.#..#.#..#.###.#",
                "#.###.#...#.#.#.###.#",
                "#.....#.....#.#.....#",
                "#######.#.#.#.#######",
                "........##.##........",
                "###.########.##...#..",
                "#####..#......#...###",
                "##...##...#.#...##.##",
                "##.#.#.#..#...#....#.",
                "..##.###....#.#.#..#.",
                "........##.#.#.#...##",
                "#######.####.###.#.##",
                "#.....#.#.####.##....",
                "#.###.#.##.#.###...##",
                "#.###.#..#....##..##.",
                "#.###.#.###.#...##..#",
                "#.....#.#.#...#.#..#.",
                "#######.###.#.#.##.##",
            ])
    }

    @Test(arguments: [
        (60, 1, 33, 0x2c820487ec13da5f as UInt64),
        (150, 2, 45, 0x2edf5e2d5889c447 as UInt64),
        (197, 3, 53, 0xb5e9dc61cd969e34 as UInt64),
        (250, 4, 57, 0x7b5f8addd615773f as UInt64),
        (330, 5, 65, 0x747683e8fdbe10de as UInt64),
        (458, 6, 73, 0x7178945d1a693c7d as UInt64),
    ])
    func `codes of several versions are the same`(count: Int, mask: Int, size: Int, hash: UInt64) throws {
        let code = try #require(QRCode(text(count), mask: mask))
        #expect(code.size == size)
        let found = rows(code).joined().utf8.reduce(14_695_981_039_346_656_037 as UInt64) {
            ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        #expect(found == hash)
    }

    @Test func `the largest has 458 bytes, and lines have a margin of four modules`() throws {
        #expect(QRCode(text(458)) != nil && QRCode(text(459)) == nil)
        let code = try #require(QRCode([]))
        #expect(code.lines.count == 15 && code.lines.allSatisfy { $0.count == 29 })
        #expect(code.lines[0] == String(repeating: "█", count: 29))
    }
}
