"""The chat formats of this repository a second time, in Python, as documentation that runs.

Written from the documents, without a look at the Swift sources: where both agree, a reader of the
documents can get the same bytes. One module for each document:

    refusal          the four ways in which bytes are refused
    proto3           Specs/wire.md, proto3 itself
    texts            Specs/wire.md, hex and base64url
    messages         chat_proto and the message layouts of the documents
    primitives       RFC 7748, 5869, 7693, 8439 and Keccak-256
    xeddsa           signatures by X25519 keys
    intro            INTRODUCTION-ENCODING, Specs/intro-links.md
    inbox            Specs/inbox-v1.md: X3DH, seed, conversation ids, invites plain and sealed
    open_invite      Specs/open-invite.md
    ratchet          the double ratchet of PRIVATE1, with both root infos
    privatev1        PRIVATE1 frames, profiles libchat and reference
    plain_conversation  Specs/plain-conversation.md
    envelope         EnvelopeV1, Specs/envelope-v1.md
    plain_framing    Specs/plain-framing.md
    rpi              Specs/rpi-v1.md
    segmentation     Specs/segmentation.md
    parity           Specs/parity.md
    sds              SCALABLE-DATA-SYNC
    content          Specs/content-frames.md
    udp, udp_messages  Specs/udp.md
    directory        Specs/directory.md
    agent_chat       Specs/agent-chat.md
    packet_stream    Specs/packet-stream.md

and three programs: `participant` is one client of profile libchat without I/O, `shim` lends it a
voice (`python3 -m chatspec.shim`), `check` verifies vector files (`python3 -m chatspec.check DIR`).

It is meant to be read and to check others by. It is not meant to keep secrets: Python neither wipes
memory nor runs in constant time.
"""
