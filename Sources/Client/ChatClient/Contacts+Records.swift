internal import ChatModel

// How contacts are stored: a record for each, for each payload that is sent again, for each content that waits.
extension Contacts.Entry {
    var encoded: Bytes {
        var writer = RecordWriter(version: 1)
        writer.write(id.number)
        writer.write(type.name)
        writer.write(conversation.text)
        writer.write(isMember)
        writer.write(isPending)
        writer.write(isInvited)
        return writer.record
    }

    init(_ record: Record) throws(Refusal) {
        var reader = try RecordReader(record, version: 1)
        id = ContactID(try reader.counter())
        type = ConversationType(try reader.text())
        conversation = ConversationID(try reader.text())
        (isMember, isPending, isInvited) = (try reader.flag(), try reader.flag(), try reader.flag())
        try reader.end()
    }
}

extension Contacts.Repeat {
    var encoded: Bytes {
        var writer = RecordWriter(version: 1, size: routed.payload.count + 256)
        writer.write(number)
        writer.write(contact.number)
        writer.write(due.milliseconds)
        writer.write(UInt64(count))
        writer.write(routed.address.text)
        writer.write(routed.route.id)
        writer.write(routed.route.secret?.lend { Bytes(copying: $0) } ?? [])
        writer.write(routed.sequence)
        writer.write(UInt64(routed.headers.count))
        for header in routed.headers {
            writer.write(header.name)
            writer.write(header.value)
        }
        writer.write(routed.replyAddress?.text)
        writer.write(routed.payload)
        return writer.record
    }

    init(_ record: Record) throws(Refusal) {
        var reader = try RecordReader(record, version: 1)
        number = try reader.counter()
        contact = ContactID(try reader.counter())
        due = Timestamp(milliseconds: try reader.number())
        count = try reader.count()
        let address = DeliveryAddress(try reader.text())
        let (id, secret) = (try reader.text(), try reader.field())
        let sequence = try reader.number()
        var headers: [Header] = []
        for _ in 0..<(try reader.count()) { headers.append(Header(try reader.text(), try reader.text())) }
        let reply = try reader.optionalText().map { DeliveryAddress($0) }
        let route = Route(id, secret: secret.isEmpty ? nil : Secret(copying: secret.span))
        routed = Routed(
            address, route, payload: try reader.field(), sequence: sequence, headers: headers, replyAddress: reply)
        try reader.end()
    }
}

extension Contacts.Waiting {
    var encoded: Bytes {
        var writer = RecordWriter(version: 1, size: content.count + 96)
        writer.write(id.number)
        writer.write(conversation.text)
        writer.write(content)
        return writer.record
    }

    init(_ record: Record) throws(Refusal) {
        var reader = try RecordReader(record, version: 1)
        id = ContentID(try reader.counter())
        conversation = ConversationID(try reader.text())
        content = try reader.field()
        try reader.end()
    }
}
