import ChatCodec
import ChatCrypto
import ChatModel

/// The page: one file with its style and its scripts, made of the files of the folder `Page`.
///
/// The Content-Security-Policy lets its own script and style run, and nothing else: no other source, no frame, no form,
/// no text that becomes a script. It speaks to its own service alone.
struct Page: Sendable {
    private let before: [UInt8]
    private let style = PackageResources.page_css
    private let script = PackageResources.protocol_js + PackageResources.view_js + PackageResources.app_js

    init() { before = PackageResources.page_html }

    /// The page under a nonce of its own.
    func response() -> Response {
        var random: any RandomSource = SystemRandom()
        let nonce = Base64URL.encode(random.bytes(16, for: .nonce))
        let policy = [
            "default-src 'none'", "script-src 'nonce-\(nonce)'", "style-src 'nonce-\(nonce)'", "connect-src 'self'",
            "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ]
        var html = before
        html += Array("\n<style nonce=\"\(nonce)\">\n".utf8) + style + Array("</style>\n".utf8)
        html += Array("<script nonce=\"\(nonce)\">\n".utf8) + script + Array("</script>\n".utf8)
        return Response(html: html, policy: policy.joined(separator: "; "))
    }
}
