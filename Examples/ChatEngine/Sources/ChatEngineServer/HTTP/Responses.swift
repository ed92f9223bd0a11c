import ChatEngine
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// A JSON object.
    static func json(_ value: some EngineValue, status: Int = 200) -> Response {
        var response = Response(
            status: .init(code: status), headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: EngineJSON().encode(value))))
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }

    /// An error, under its code's status or another one.
    static func error(_ error: ErrorBody, status: Int? = nil) -> Response {
        var response = json(error, status: status ?? error.code.status)
        if error.code == .authRequired { response.headers[.wwwAuthenticate] = "Bearer" }
        if let seconds = error.details?.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        return response
    }

    /// A file that was made elsewhere.
    static func bytes(_ bytes: some Sequence<UInt8>, _ contentType: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: contentType, .xContentTypeOptions: "nosniff"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The lines of an answer, as they come. To close the connection is to cut the answer.
    static func stream(_ answer: Answer, on channel: any Channel) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "application/x-ndjson", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody { writer in
                let watch = channel.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(5), delay: .seconds(5)) { _ in
                    if answer.outbox.isStalled(at: now()) { channel.close(promise: nil) }
                }
                defer { watch.cancel() }
                do {
                    while let bytes = await answer.outbox.next(atMost: 65_536) {
                        try await writer.write(bytes)
                        answer.outbox.taken(bytes.readableBytes)
                    }
                    try await writer.finish(nil)
                } catch {
                    answer.cut(.closed)
                    throw error
                }
            })
    }
}
