import ChatCodec

extension MessagePart {
    func write(into writer: inout JSONWriter) {
        if case .opaque(let json) = self { return writer.value(json) }
        writer.object { writer in
            switch self {
            case .text(let part): part.write("text", into: &writer)
            case .reasoning(let part): part.write("reasoning", into: &writer)
            case .sourceURL(let part):
                writer.field("type", "source-url")
                writer.field("sourceId", part.sourceID)
                writer.field("url", part.url)
                writer.optional("title", part.title)
                writer.optional("providerMetadata", part.providerMetadata)
            case .sourceDocument(let part):
                writer.field("type", "source-document")
                writer.field("sourceId", part.sourceID)
                writer.field("mediaType", part.mediaType)
                writer.field("title", part.title)
                writer.optional("filename", part.filename)
                writer.optional("providerMetadata", part.providerMetadata)
            case .file(let part):
                writer.field("type", "file")
                writer.field("mediaType", part.mediaType)
                writer.field("url", part.url)
                writer.optional("filename", part.filename)
                writer.optional("providerMetadata", part.providerMetadata)
            case .stepStart: writer.field("type", "step-start")
            case .data(let part):
                writer.field("type", "data-\(part.name)")
                writer.optional("id", part.id)
                writer.field("data", part.data)
            case .tool(let part): part.write(into: &writer)
            case .opaque: break
            }
        }
    }
}

extension TextPart {
    fileprivate func write(_ type: String, into writer: inout JSONWriter) {
        writer.field("type", type)
        writer.field("text", text)
        writer.optional("state", state?.rawValue)
        writer.optional("providerMetadata", providerMetadata)
    }
}

extension ToolPart {
    fileprivate func write(into writer: inout JSONWriter) {
        switch name {
        case .fixed(let name): writer.field("type", "tool-\(name)")
        case .dynamic(let name):
            writer.field("type", "dynamic-tool")
            writer.field("toolName", name)
        }
        writer.field("toolCallId", callID)
        writer.field("state", "\(state.word)")
        writer.optional("title", title)
        writer.optional("providerExecuted", providerExecuted)
        state.write(into: &writer)
        writer.optional("callProviderMetadata", callProviderMetadata)
    }
}

extension ToolPart.State {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.optional("input", input)
        switch self {
        case .inputStreaming, .inputAvailable: break
        case .approvalRequested(_, let id):
            writer.key("approval")
            writer.object { $0.field("id", id) }
        case .approvalResponded(_, let approval), .outputDenied(_, let approval):
            approval.write(into: &writer)
        case .outputAvailable(_, let output, let approval, let preliminary):
            writer.field("output", output)
            writer.optional("preliminary", preliminary)
            approval?.write(into: &writer)
        case .outputError(_, let rawInput, let errorText, let approval):
            writer.optional("rawInput", rawInput)
            writer.field("errorText", errorText)
            approval?.write(into: &writer)
        }
    }
}

extension ToolPart.Approval {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.key("approval")
        writer.object { writer in
            writer.field("id", id)
            writer.field("approved", .bool(approved))
            writer.optional("reason", reason)
        }
    }
}
