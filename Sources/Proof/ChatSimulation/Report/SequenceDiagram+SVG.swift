// The diagram as a picture: time goes down, an arrow falls as long as its payload was under way.
extension SequenceDiagram {
    private static let column = 220
    private static let row = 26
    private static let top = 90

    /// The diagram as an SVG document of its own.
    public var svg: String {
        // Every moment at which something is drawn has a row of its own, so that nothing is drawn over something else.
        var moments: [VirtualTime] = []
        for step in steps {
            moments.append(step.time)
            if case .arrow(_, _, _, let came, _) = step { moments.append(came) }
        }
        moments.sort()
        var rows: [VirtualTime: [Int]] = [:]
        for (row, moment) in moments.enumerated() { rows[moment, default: []].append(row) }
        func place(_ moment: VirtualTime) -> Int {
            let row = rows[moment]?.isEmpty == false ? rows[moment]?.removeFirst() : nil
            return Self.top + (row ?? 0) * Self.row
        }

        let (width, height) = (peers.count * Self.column + 40, Self.top + (moments.count + 1) * Self.row)
        var shapes: [String] = []
        for (index, peer) in peers.enumerated() {
            let x = column(index)
            shapes.append(Self.line(x, 60, x, height - 10, "life"))
            shapes.append(Self.text(x, 50, ParticipantNames.name(peer), "name"))
        }
        for step in steps {
            switch step {
            case .arrow(let from, let to, let sent, let came, let label):
                let (x, y, end, down) = (x(from), place(sent), x(to), place(came))
                shapes.append(Self.line(x, y, end, down, "arrow"))
                shapes.append(Self.text((x + end) / 2, (y + down) / 2 - 4, label, "label"))
                shapes.append(Self.text(x, y - 3, sent.description, "time"))
            case .loss(let from, let to, let time, let label):
                let (x, y) = (x(from), place(time))
                let half = (x + self.x(to)) / 2
                shapes.append(Self.line(x, y, half, y + 10, "loss"))
                shapes.append(Self.text(half, y + 15, "✕", "cross"))
                shapes.append(Self.text(half, y - 4, label, "label"))
            case .note(let peer, let time, let text):
                shapes.append(Self.text(x(peer), place(time), "\(time) \(text)", "note"))
            }
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)">
            <style>
            text { font: 11px sans-serif; text-anchor: middle; fill: #222 }
            .name { font-weight: bold; font-size: 14px } .time { fill: #888; font-size: 9px }
            .note { fill: #05a; paint-order: stroke; stroke: white; stroke-width: 4px } .cross { fill: #c00 }
            .label { paint-order: stroke; stroke: white; stroke-width: 3px }
            line { stroke: #222 } .life { stroke: #bbb; stroke-dasharray: 4 4 } .loss { stroke: #c00 }
            </style>
            <defs><marker id="head" markerWidth="8" markerHeight="8" refX="7" refY="3" orient="auto">\
            <path d="M0,0 L7,3 L0,6 z" fill="#222"/></marker></defs>
            <rect width="100%" height="100%" fill="white"/>
            \(Self.text(width / 2, 22, title, "name"))
            \(shapes.joined(separator: "\n"))
            </svg>

            """
    }

    private func column(_ index: Int) -> Int { 20 + Self.column / 2 + index * Self.column }
    private func x(_ peer: Int) -> Int { column(peers.firstIndex(of: peer) ?? 0) }

    private static func line(_ x: Int, _ y: Int, _ end: Int, _ down: Int, _ kind: String) -> String {
        let head = kind == "arrow" ? " marker-end=\"url(#head)\"" : ""
        return "<line class=\"\(kind)\" x1=\"\(x)\" y1=\"\(y)\" x2=\"\(end)\" y2=\"\(down)\"\(head)/>"
    }

    private static func text(_ x: Int, _ y: Int, _ words: String, _ kind: String) -> String {
        var escaped = ""
        for character in words {
            switch character {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            default: escaped.append(character)
            }
        }
        return "<text class=\"\(kind)\" x=\"\(x)\" y=\"\(y)\">\(escaped)</text>"
    }
}
