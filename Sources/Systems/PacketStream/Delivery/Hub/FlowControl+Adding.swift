extension FlowControl {
    /// What this one and an earlier one say together; the later signal counts.
    public func adding(_ earlier: FlowControl?) -> FlowControl {
        guard let earlier else { return self }
        var sum = earlier
        sum.ack = max(sum.ack, ack)
        sum.creditsMessages = UInt32(clamping: UInt64(sum.creditsMessages) + UInt64(creditsMessages))
        sum.creditsBytes = UInt32(clamping: UInt64(sum.creditsBytes) + UInt64(creditsBytes))
        if signalNumber != 0 { sum.signalNumber = signalNumber }
        for one in partitionAcks {
            sum.partitionAcks.removeAll { $0.partition == one.partition }
            if sum.partitionAcks.count < Bounds.maximumPartitions { sum.partitionAcks.append(one) }
        }
        return sum
    }
}
