import Hummingbird

/// What is served outside the protocol's paths: whether the engine serves, its description, and the page for people.
enum Pages {
    static let all: [String: @Sendable () -> Response] = [
        "/healthz": { .bytes(Array(#"{"status":"ok"}"#.utf8), "application/json") },
        "/openapi.json": { .bytes(PackageResources.openapi_json, "application/json") },
        "/": { page(PackageResources.page_html, "text/html; charset=utf-8") },
        "/page.css": { page(PackageResources.page_css, "text/css; charset=utf-8") },
        "/page.js": { page(PackageResources.page_js, "text/javascript; charset=utf-8") },
    ]

    /// Nothing of the page comes from elsewhere, and nothing of it runs but its own script.
    private static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'",
        "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    private static func page(_ bytes: [UInt8], _ contentType: String) -> Response {
        var response = Response.bytes(bytes, contentType)
        response.headers[.contentSecurityPolicy] = policy
        response.headers[.cacheControl] = "no-cache"
        response.headers[.init("Referrer-Policy") ?? .cacheControl] = "no-referrer"
        return response
    }
}
