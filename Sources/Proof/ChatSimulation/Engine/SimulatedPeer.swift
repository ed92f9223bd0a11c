import ChatClient
import ChatModel

/// One peer: its core, what it has stored, what waits for it, and the application above it.
struct SimulatedPeer: Sendable {
    /// Whether the process runs; its client is no longer of any meaning when it does not.
    var isUp = false
    var disk = Disk()
    var clock = PeerClock()
    /// Counts starts of the process.
    var life: UInt32 = 0

    // What waits for the next step.
    var isStepping = false
    var mailbox: [Int32] = []
    var notices: [Notice] = []
    var answers: [Answer] = []
    /// Answers that the service has given and that have not arrived.
    var answersUnderWay: [Answer] = []
    var tasks: [Task] = []
    /// Tasks that the client took in this step and has not stored.
    var unstored: [Task] = []
    /// What the client said after its last step: whether it takes nothing more, and when it wants to be woken.
    var isFull = false
    var nextAlarm: Timestamp?
    /// When the alarm is set that rings next.
    var alarm = VirtualTime.never
    var crashPoint: CrashPoint?
    /// How long it stays down after a crash.
    var downTime = VirtualTime.zero

    // Its connection.
    /// Reasons for which it has no link.
    var absences = 0
    var isOnline: Bool { absences == 0 }
    /// Whatever was sent to it before is lost.
    var connectedSince = VirtualTime.zero
    /// Whether the service holds more for it than it has taken.
    var isBehind = false
    var side = 0
    var channels: [Int] = []
    var lastArrival = VirtualTime.zero
    var sendingUntil = VirtualTime.zero
    var receivingUntil = VirtualTime.zero
    var quota = (epoch: VirtualTime.zero, used: 0)

    /// Peers whose payloads do not reach it, with the number of outages.
    var deafTo: [Int: Int] = [:]

    // The application.
    /// Reasons for which it does not read events.
    var pauses = 0
    var lastBatch: EventBatch?
    var lastBatchNumber: UInt64 = 0
    /// Numbers of contents in the ledger, by the client's content ids.
    var contents: [Int32] = []

    /// What is on the disk, and what the application knows beside it: a copy of a device.
    struct Copy: Sendable {
        let disk: Disk
        let lastBatch: EventBatch?
        let lastBatchNumber: UInt64
        let contents: [Int32]
    }

    var copy: Copy { Copy(disk: disk, lastBatch: lastBatch, lastBatchNumber: lastBatchNumber, contents: contents) }

    /// Puts an old copy in place of what is there.
    mutating func restore(_ copy: Copy) {
        (disk, contents) = (copy.disk, copy.contents)
        (lastBatch, lastBatchNumber) = (copy.lastBatch, copy.lastBatchNumber)
    }

    /// Forgets everything that is in the process and not on the disk.
    mutating func endProcess() {
        isUp = false
        life += 1
        (isStepping, alarm, crashPoint) = (false, .never, nil)
        (mailbox, notices, answers, answersUnderWay, unstored) = ([], [], [], [], [])
        (channels, isBehind) = ([], false)
    }

    /// What the service answered to payloads that were published together.
    struct Answer: Sendable {
        let payloads: [OutboundPayload]
        let results: [Result<Receipt, DeliveryError>]
    }

    /// What the application is about to ask for.
    enum Task: Sendable {
        case begin(thread: Int, IntroductionBundle)
        case found(thread: Int, [IntroductionBundle])
        case speak(thread: Int)
    }
}

/// A payload on its way to one or more peers.
struct Parcel: Sendable {
    var addressed: Addressed
    /// Its place in the history of its channel.
    var sequence: UInt64
    var sent: VirtualTime
    var sender: Int32
    /// Copies under way.
    var copies: Int32
    /// Names it in a trace.
    var serial: UInt32
}
