/// One step of a machine: what it may use, and where it leaves what it wants.
///
/// A machine speaks through its step alone; it does no I/O, reads no clock and draws no randomness
/// elsewhere. Whatever a step holds at its end is carried out, whoever left it there (STEP-3). A machine around
/// another one lends it the step (``lend(header:_:)``) and takes from what it left what it wants.
public struct Step: Sendable {
    /// The current time, which never goes back.
    public let now: Timestamp
    /// The largest payload in bytes that the layers below take.
    public private(set) var maximumPayload: Int
    /// Bytes that the layers below write in front of a payload; reserving them saves a copy.
    public private(set) var headRoom: Int
    /// Bytes that wait for the delivery service already, on the machine's own address and of all machines: who sends
    /// something again need not add to them, since what was sent first is still on its way.
    public var waiting: (own: Int, all: Int) = (0, 0)
    /// The source of randomness; labelled draws make steps reproducible in vectors.
    public var random: any RandomSource
    /// The output of the machine so far.
    public private(set) var output = Output()

    /// Begins a step.
    public init(now: Timestamp, maximumPayload: Int = .max, headRoom: Int = 0, random: any RandomSource) {
        (self.now, self.maximumPayload, self.headRoom, self.random) = (now, maximumPayload, headRoom, random)
    }

    /// Payloads to send, oldest first.
    public var sends: [Send] { output.sends }
    /// Openings, which go into invites.
    public var openings: [Opening] { output.openings }
    /// Conversations to begin.
    public var seeds: [ConversationSeed] { output.seeds }
    /// Contacts that have ended.
    public var endings: [ContactEnding] { output.endings }
    /// Events for the application, in order.
    public var events: [Event] { output.events }

    /// Sends a payload, perhaps on behalf of a content.
    ///
    /// The client reports a content as sent when the service took every payload that names it, and as
    /// failed when it refused one for good, unless the type reports more itself.
    ///
    /// - Parameters:
    ///   - routed: the payload, with its address and route.
    ///   - content: on whose behalf.
    ///   - contact: the client sends the payload again, under a new payload id and with growing pauses, until this
    ///     contact ends (`Specs/contracts.md`, CONTACT-5).
    ///   - lane: payloads of one lane keep their order and wait for each other; nil for the lane of the address.
    ///   - isTransient: not written to disk: it is lost if the process ends before the service has it (DURABLE-2).
    public mutating func send(
        _ routed: consuming Routed, for content: ContentID? = nil, until contact: ContactID? = nil,
        lane: DeliveryAddress? = nil, isTransient: Bool = false
    ) {
        output.sends.append(
            Send(routed: routed, content: content, contact: contact, lane: lane, isTransient: isTransient))
    }

    /// Says something in the invite of a conversation instead of sending it.
    ///
    /// - Parameters:
    ///   - payload: the frame.
    ///   - contact: whose invite; nil for the one with which the conversation began.
    ///   - content: the content that it carries.
    public mutating func open(_ payload: consuming Payload, to contact: ContactID? = nil, for content: ContentID? = nil)
    {
        output.openings.append(Opening(payload: payload, contact: contact, content: content))
    }

    /// Begins a conversation from a seed; one that names a contact of this client continues it.
    public mutating func start(_ seed: ConversationSeed) {
        output.seeds.append(seed)
    }

    /// Ends a contact: it failed for a reason, or needs nothing sent again any more.
    public mutating func finish(_ contact: ContactID, _ refusal: Refusal? = nil) {
        output.endings.append(ContactEnding(contact: contact, refusal: refusal))
    }

    /// Drops the payloads of a content that have not left this client.
    ///
    /// A type whose payloads are chained must not: the other side would wait for those that never come.
    public mutating func withdraw(_ content: ContentID) {
        output.withdrawals.append(content)
    }

    /// Tells the application something.
    public mutating func report(_ event: consuming Event) {
        output.events.append(event)
    }
}

extension Step {
    /// Lends the step to another machine and gives what that one left; what was left before stays. If the body throws,
    /// nothing of it is left, except that randomness was drawn.
    ///
    /// - Parameters:
    ///   - header: bytes that the lender writes in front of each payload; the borrower gets so much less room.
    ///   - body: uses the step.
    public mutating func lend<Result, E: Error>(
        header: Int = 0, _ body: (inout Step) throws(E) -> Result
    ) throws(E) -> (result: Result, output: Output) {
        let own = output
        output = Output()
        let (room, front) = (maximumPayload, headRoom)
        (maximumPayload, headRoom) = (max(0, room - header), front + header)
        defer { (maximumPayload, headRoom, output) = (room, front, own) }
        let result = try body(&self)
        return (result, output)
    }

    /// Adds what another machine left.
    public mutating func take(_ other: consuming Output) {
        output.add(other)
    }

    /// Takes out what is there.
    public mutating func takeOutput() -> Output {
        defer { output = Output() }
        return output
    }

    /// Empties the step and keeps its memory for the next step.
    public mutating func clear() {
        output.clear()
    }
}
