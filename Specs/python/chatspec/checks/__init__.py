"""How a case of a vector file is checked, by kind of file (format logos-chat-vectors/1, Specs/vectors/README.md).

A checker returns if the case agrees with this implementation, and raises `Mismatch` with the difference,
or `NotApplicable` for what this implementation does not do. Any other exception is a failure too.
"""

from typing import Any, Callable

from . import (
    channels, conversations, erasure, framings, hops, invites, keys, layouts, names, packets, pipelines, transcripts,
)
from .common import NotApplicable, by_operation

MESSAGE_OPERATIONS = {"roundtrip": layouts.check_roundtrip, "decode": layouts.check_decode}

KINDS: dict[str, Callable[[dict], None]] = {
    "kdf": keys.check_kdf,
    "xeddsa": by_operation({"sign": keys.check_sign, "verify": keys.check_verify}),
    "intro_bundle": by_operation({"create": keys.check_create, "parse": keys.check_parse}),
    "handshake": by_operation({
        "agree": conversations.check_agree, "initiate": conversations.check_initiate, "open": conversations.check_open,
    }),
    "ratchet": transcripts.check_ratchet,
    "messages": by_operation(MESSAGE_OPERATIONS),
    "segmentation": by_operation({"split": layouts.check_split, "reassemble": layouts.check_reassemble}),
    "sds": by_operation(MESSAGE_OPERATIONS | {
        "message_id": transcripts.check_message_id, "transcript": transcripts.check_sds_transcript,
    }),
    "sds_channel": by_operation(MESSAGE_OPERATIONS | {
        "filter": channels.check_filter, "probe": channels.check_probe, "repair_times": channels.check_repair_times,
        "transcript": channels.check_channel,
    }),
    "private_v1": pipelines.check_private_v1,
    "suite": conversations.check_suite,
    **erasure.KINDS, **framings.KINDS, **hops.KINDS, **invites.KINDS, **names.KINDS, **packets.KINDS,
}


def check(kind: Any, case: dict) -> None:
    """Checks one case of a file of that kind."""
    if kind not in KINDS:
        raise NotApplicable(f"kind {kind}")
    KINDS[kind](case)
