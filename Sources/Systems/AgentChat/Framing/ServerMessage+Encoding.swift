import ChatCodec

extension ServerMessage {
    func write(into writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .ready(let ready): ready.write(into: &writer)
            case .run(let job, let message):
                writer.field("type", "run")
                writer.field("job_id", job)
                writer.field("message_id", message)
            case .stream(let stream): stream.write(into: &writer)
            case .streamResume(let resume): resume.write(into: &writer)
            case .chatHistory(let history): history.write(into: &writer)
            case .done(let job, let message):
                writer.field("type", "done")
                writer.optional("job_id", job)
                writer.optional("message_id", message)
            case .cancel(let job):
                writer.field("type", "cancel")
                writer.optional("job_id", job)
            case .error(let failure): failure.write(into: &writer)
            case .clarifyRequest(let request): request.write(into: &writer)
            case .injectAck(let job, let inject):
                writer.field("type", "inject_ack")
                writer.field("job_id", job)
                writer.field("inject_id", inject)
            case .injectSplit(let split): split.write(into: &writer)
            }
        }
    }
}

extension ServerMessage.Ready {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.field("type", "ready")
        writer.optional("chat_id", chat)
        writer.optional("protocol", version)
        switch activeJob {
        case nil: break
        case ServerMessage.ActiveJob.none?: writer.field("active_job", .null)
        case .job(let job, let message)?:
            writer.key("active_job")
            writer.object { writer in
                writer.field("job_id", job)
                writer.field("message_id", message)
            }
        }
    }
}

extension ServerMessage.Stream {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.field("type", "stream")
        writer.field("message_id", message)
        writer.key("delta")
        delta.write(into: &writer)
        writer.optional("consolidated", consolidated)
        writer.optional("job_id", job)
        writer.optional("seq", sequence)
    }
}

extension ServerMessage.StreamResume {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.field("type", "stream_resume")
        writer.field("message_id", message)
        writer.optional("job_id", job)
        writer.optional("seq", sequence)
        writer.list("parts", parts) { $0.write(into: &$1) }
    }
}

extension ServerMessage.ChatHistory {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.field("type", "chat_history")
        writer.optional("chat_id", chat)
        writer.list("initialPath", initialPath) { $0.write(into: &$1) }
        if let messages { writer.list("messages", messages) { $0.write(into: &$1) } }
    }
}

extension ServerMessage.Failure {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.field("type", "error")
        writer.optional("message", message)
        writer.optional("error", error)
        writer.optional("code", code)
        writer.optional("job_id", job)
    }
}

extension ServerMessage.ClarifyRequest {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.field("type", "clarify_request")
        writer.field("job_id", job)
        writer.field("request_id", request)
        writer.list("questions", questions) { question, writer in
            writer.object { writer in
                writer.field("id", question.id)
                writer.field("text", question.text)
                if let options = question.options {
                    writer.list("options", options) { option, writer in
                        writer.object { writer in
                            writer.field("id", option.id)
                            writer.field("label", option.label)
                        }
                    }
                }
                writer.optional("multiple", question.multiple)
            }
        }
    }
}

extension ServerMessage.InjectSplit {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.field("type", "inject_split")
        writer.field("job_id", job)
        writer.field("inject_id", inject)
        writer.field("message_id", closed)
        writer.field("user_message_id", user)
        writer.field("new_message_id", new)
    }
}
