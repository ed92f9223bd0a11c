import ChatPeer

/// `chat-peer`: a conversation in a terminal, over a protocol composed on the command line.
@main
enum Main {
    static func main() async { await PeerProgram.main() }
}
