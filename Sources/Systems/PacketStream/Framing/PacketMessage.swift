/// The six messages that carry a packet: the same eight fields under three sets of numbers (PS-2).
public enum PacketMessage: String, Hashable, Sendable, CaseIterable {
    /// What a hub exchanges with steps, inside ``ProcessMessage``.
    case dataPacket = "DataPacket"
    /// What a hub answers to a connector.
    case hubPushResponse = "HubPushResponse"
    /// What a connector gives to a hub.
    case hubPushRequest = "HubPushRequest"
    /// What a step publishes through its connector.
    case publishRequest = "PublishRequest"
    /// What a step sends on its connector's data stream.
    case dataRequest = "DataRequest"
    /// What a step receives on its connector's data stream.
    case dataResponse = "DataResponse"

    /// Field numbers of one layout.
    struct Numbers: Sendable {
        let metadata, payload, inputs, transports, audio, video, binary: Int
        /// The same in all layouts.
        let envelope = 8
    }

    private static var hub: Numbers {
        Numbers(metadata: 1, payload: 2, inputs: 3, transports: 4, audio: 5, video: 6, binary: 7)
    }
    private static var push: Numbers {
        Numbers(metadata: 1, payload: 2, inputs: 3, transports: 7, audio: 4, video: 5, binary: 6)
    }
    private static var connector: Numbers {
        Numbers(metadata: 4, payload: 5, inputs: 6, transports: 7, audio: 1, video: 2, binary: 3)
    }

    /// The numbers of this message's fields.
    var numbers: Numbers {
        switch self {
        case .dataPacket, .hubPushResponse: Self.hub
        case .hubPushRequest: Self.push
        case .publishRequest, .dataRequest, .dataResponse: Self.connector
        }
    }
}
