"""Values of the protocol (sections 3 to 6): objects are closed, and lenient readers drop what they do not know.

>>> decode("common/Role", "user")
'user'
>>> decode("common/TextContent", {"type": "text", "text": "hi", "mood": 1}, "lenient")
{'type': 'text', 'text': 'hi'}
>>> decode("common/TextContent", {"type": "text", "text": "hi", "mood": 1})
Traceback (most recent call last):
chatspec.chat_engine.Violation: CE-05: mood is not known here
"""

import re
from typing import Any

from . import Violation
from .readers import (
    LARGEST, MAXIMUM_LINE, UUID, Reader, always, anything, closed, duration, identifier, moment, nullable,
    read, several, text, truth, under, url, whole, word,
)

# Section 4.

KINDS = {"text": "text", "code": "code", "image": "image_id", "audio": "audio_id", "video": "video_id",
         "document": "document_id"}
SESSION, MESSAGE, TYPE = identifier("session"), identifier("message"), identifier("session_type")
FILE = identifier("uuid")
ROLE = word("user", "assistant", "system")
KIND = word(*KINDS)
CODES = ("AUTH_REQUIRED", "SESSION_NOT_FOUND", "MESSAGE_NOT_FOUND", "INVALID_REQUEST", "BACKEND_TIMEOUT",
         "BACKEND_ERROR", "RATE_LIMIT_EXCEEDED", "INTERNAL_ERROR")
CODE = word(*CODES)
REACTION = word("like", "dislike", "none")
STATUSES = dict(zip(CODES, (401, 404, 404, 400, 504, 502, 429, 500)))


def mime(kind: str) -> Reader:
    def reader(value: Any, mode: str) -> str:
        if not text()(value, mode).startswith(kind + "/"):
            raise Violation("CE-11", f"is no type of {kind}")
        return value

    return reader


PARTS = {
    "text": closed(type=KIND, text=text(1)),
    "code": closed(type=KIND, code=text(1), language_=text()),
    "image": closed(type=KIND, image_id=FILE, mime_type_=mime("image")),
    "audio": closed(type=KIND, audio_id=FILE, mime_type_=mime("audio"), duration_seconds_=duration),
    "video": closed(type=KIND, video_id=FILE, mime_type_=mime("video"), duration_seconds_=duration),
    "document": closed(type=KIND, document_id=FILE, mime_type_=text(), filename_=text(1)),
}


def part(value: Any, mode: str) -> dict:
    kind = KIND(anything(value, mode).get("type"), mode)
    for other, payload in KINDS.items():
        if other != kind and payload in value:
            raise Violation("CE-11", f"{payload} is not for {kind}")
    return PARTS[kind](value, mode)


PART = under("CE-11", part)


def usage(value: Any, mode: str, may_lack_total: bool = False) -> dict:
    count = whole(0)
    fields = {"input_tokens": count, "output_tokens": count}
    read_counts = closed(**fields, **{"total_tokens_" if may_lack_total else "total_tokens": count})
    counts = under("CE-15", read_counts)(value, mode)
    total = counts["input_tokens"] + counts["output_tokens"]
    if counts.get("total_tokens", total) != total:
        raise Violation("CE-15", "is not the sum")
    return counts


def metadata(value: Any, mode: str, may_lack_total: bool = False) -> dict:
    """Open; `usage` is null or counts, and the counts of a stream may lack their total."""
    if anything(value, mode).get("usage") is not None:
        usage(value["usage"], mode, may_lack_total)
    return value


def stream_metadata(value: Any, mode: str) -> dict:
    return metadata(value, mode, may_lack_total=True)


def files(most: int | None = None) -> Reader:
    def reader(value: Any, mode: str) -> list:
        several(lambda one, mode: one)(value, mode)
        ids = under("CE-10", several(FILE))(value, mode)
        if most is not None and (len(ids) > most or len(set(ids)) != len(ids)):
            raise Violation("CE-10", "has too many files, or one twice")
        return ids

    return reader


def content(least: int) -> Reader:
    def reader(value: Any, mode: str) -> Any:
        if isinstance(value, str):
            return text(1, "CE-09")(value, mode)
        return several(PART, least, "CE-09")(value, mode)

    return reader


CAPABILITY = closed(id=text(1), name=text(1), description_=text(), enabled_by_default=truth)
VARIANT = closed(
    variant_index=whole(0, rule="CE-17"), total_variants=whole(1, rule="CE-17"), parent_message_id_=nullable(FILE)
)
MESSAGE_FIELDS = dict(
    message_id=MESSAGE, session_id=SESSION, role=ROLE, file_ids_=files(), parent_message_id_=nullable(MESSAGE),
    variant_info_=nullable(VARIANT), metadata_=metadata, created_at=moment,
)
PLACED = closed(
    **MESSAGE_FIELDS, content=content(0), variant_index=whole(0, rule="CE-17"), is_active=truth, is_complete=truth
)
PUBLISHED = closed(**MESSAGE_FIELDS, content=content(1))


def message(value: Any, mode: str) -> dict:
    """With its place in the tree, as an engine writes it, or without, as the published schema has it (CE-G20)."""
    placed = isinstance(value, dict) and not {"variant_index", "is_active", "is_complete"}.isdisjoint(value)
    return (PLACED if placed else PUBLISHED)(value, mode)


CAPABILITIES = several(CAPABILITY)
MESSAGES = several(message)
ENABLED = several(text())
SETTINGS_FIELDS = dict(
    max_length=whole(50, 1000), focus=word("general", "technical", "decisions", "action_items"),
    include_timestamps=truth, enabled=truth, service_url=url,
)


def settings(value: Any, mode: str) -> dict:
    for name, reader in SETTINGS_FIELDS.items():
        if name in anything(value, mode):
            reader(value[name], mode)
    return value


def session_type_id(value: Any, mode: str) -> str:
    """The published schema still has a UUID here (CE-G03)."""
    return TYPE(value, "uuidIds")


DETAIL_OWNERS = {
    "validation_errors": {"INVALID_REQUEST"}, "timeout_ms": {"BACKEND_TIMEOUT"},
    "retry_after_seconds": {"RATE_LIMIT_EXCEEDED"}, "limit_type": {"RATE_LIMIT_EXCEEDED"},
    "quota_reset_at": {"RATE_LIMIT_EXCEEDED"}, "resource_id": {"SESSION_NOT_FOUND", "MESSAGE_NOT_FOUND"},
}


def trace(value: Any, mode: str) -> str:
    if not re.fullmatch("[A-Za-z0-9_-]+", text()(value, mode)):
        raise Violation("CE-16", "has other characters")
    return value


DETAILS = under("CE-16", closed(
    trace_id_=trace, validation_errors_=several(closed(field=text(), message=text(), code_=text())),
    retry_after_seconds_=whole(0), limit_type_=word("per_second", "per_minute", "per_hour", "per_day", "concurrent"),
    quota_reset_at_=moment, timeout_ms_=whole(0), resource_id_=FILE,
), but=("CE-07", "CE-08"))


def own_details(code: str, details: dict | None) -> None:
    for name in details or {}:
        if code not in DETAIL_OWNERS.get(name, {code}):
            raise Violation("CE-16", f"{name} is not for {code}")


def error_body(value: Any, mode: str) -> dict:
    body = closed(error_code=CODE, message=text(1), details_=DETAILS)(value, mode)
    own_details(body["error_code"], body.get("details"))
    return body


# Section 6: a stream to a client, and one from a backend.

def chunk(value: Any, mode: str) -> dict:
    if mode == "interop" and isinstance(value, dict) and "content" not in value:
        return PART(value, mode)
    piece = under("CE-12", closed(type=KIND, content=text()), but=("CE-07",))(value, mode)
    if piece["type"] not in ("text", "code") and not re.fullmatch(UUID, piece["content"]):
        raise Violation("CE-12", "a file is named by its UUID")
    return piece


START = closed(type=text(), message_id=MESSAGE)
CHUNK = closed(type=text(), message_id=MESSAGE, chunk=chunk)
COMPLETE = closed(type=text(), message_id=MESSAGE, metadata_=stream_metadata)
ERROR = closed(type=text(), message_id=MESSAGE, error_code=CODE, message=text(1), details_=DETAILS)
EVENTS = {"start": START, "chunk": CHUNK, "complete": COMPLETE, "error": ERROR}
BACKEND_EVENTS = {
    "chunk": closed(type=text(), message_id_=MESSAGE, chunk=chunk),
    "complete": closed(type=text(), message_id_=MESSAGE, metadata_=stream_metadata),
    "error": closed(type=text(), message_id_=MESSAGE, error_code=text(), message=text(1), details_=DETAILS),
}


def named(key: str, readers: dict[str, Reader]) -> Reader:
    """An object whose kind a field tells (CE-03)."""
    def reader(value: Any, mode: str) -> dict:
        if key not in anything(value, mode):
            raise Violation("CE-04", f"{key} is missing")
        if text()(value[key], mode) not in readers:
            raise Violation("CE-03", f"{value[key]!r:.64} is not known")
        return readers[value[key]](value, mode)

    return reader


def event(value: Any, mode: str) -> dict:
    read_event = named("type", EVENTS)(value, mode)
    if read_event["type"] == "error":
        own_details(read_event["error_code"], read_event.get("details"))
    return read_event


def backend_event(value: Any, mode: str) -> dict:
    if isinstance(value, dict) and value.get("type") == "start":
        raise Violation("CE-21", "only an engine says start")
    return named("type", BACKEND_EVENTS)(value, mode)


# Section 7.

def hook(**fields: Reader) -> Reader:
    return closed(event=text(), timestamp=moment, **fields)


DRAFT = closed(role=ROLE, content=content(0), file_ids_=files())
WEBHOOKS = {
    "session.created": hook(session_id=SESSION, session_type_id=TYPE, client_id=text(1)),
    "message.new": hook(
        session_id=SESSION, message_id=MESSAGE, session_metadata_=anything, enabled_capabilities_=CAPABILITIES,
        message=DRAFT, history=MESSAGES),
    "message.recreate": hook(
        session_id=SESSION, message_id=MESSAGE, enabled_capabilities_=CAPABILITIES, history=MESSAGES),
    "message.aborted": hook(session_id=SESSION, message_id=MESSAGE, partial_content=several(PART)),
    "session.deleted": hook(session_id=SESSION),
    "session.summary": hook(
        session_id=SESSION, enabled_capabilities_=CAPABILITIES, history=MESSAGES,
        summarization_settings_=nullable(settings)),
    "session_type.health_check": hook(session_type_id=TYPE),
    "message.reaction": hook(
        session_id=SESSION, message_id=MESSAGE, user_id=text(1), reaction_type=REACTION,
        previous_reaction_type_=nullable(REACTION)),
}
WEBHOOK = named("event", WEBHOOKS)


def whole_reply(value: Any, mode: str) -> dict:
    reply = closed(
        message_id=MESSAGE, role=ROLE, content=several(PART, 1, "CE-18"), metadata_=metadata
    )(value, mode)
    if reply["role"] != "assistant":
        raise Violation("CE-18", "is not assistant")
    return reply


def variants(value: Any, mode: str) -> dict:
    answer = closed(variants=several(message, 1, "CE-17"), current_index=whole(0, rule="CE-17"))(value, mode)
    if answer["current_index"] >= len(answer["variants"]):
        raise Violation("CE-17", "there is no such variant")
    return answer


TOKEN = text(32, "CE-14")
SEND = closed(
    session_id=SESSION, content=lambda value, mode: text(1, "CE-09")(value, mode), file_ids_=files(10),
    parent_message_id_=MESSAGE, enabled_capabilities_=ENABLED)
ENABLE = closed(enabled_capabilities_=ENABLED)
BODIES = {
    "createSession": closed(session_type_id=TYPE, client_id=text(1)),
    "switchSessionType": closed(new_session_type_id=TYPE),
    "exportSession": closed(format=word("json", "markdown", "txt"), scope=word("active", "all")),
    "shareSession": closed(expires_at_=moment), "sendMessage": SEND, "recreateMessage": ENABLE,
    "summarizeSession": ENABLE, "reactToMessage": closed(reaction_type=REACTION),
}
SESSION_FIELDS = dict(
    session_id=SESSION, client_id=text(1), session_type_id=TYPE, available_capabilities=CAPABILITIES,
    metadata_=anything, created_at=moment, updated_at_=moment, share_token_=nullable(TOKEN))
HIT = closed(message_id=MESSAGE, content=text(), context=text(), created_at_=moment)

# By the names of the published schemas.
SCHEMAS: dict[str, Reader] = {
    "common/Capability": CAPABILITY, "common/ContentPart": PART, "common/ErrorCode": CODE,
    **{f"common/{kind.capitalize()}Content": PART for kind in KINDS},
    "common/ErrorDetails": DETAILS, "common/ExportFormat": word("json", "markdown", "txt"),
    "common/ExportScope": word("active", "all"), "common/GtsMessageId": MESSAGE, "common/GtsSessionId": SESSION,
    "common/GtsSessionTypeId": TYPE, "common/Message": message, "common/ReactionType": REACTION, "common/Role": ROLE,
    "common/Session": closed(**SESSION_FIELDS), "common/SummarizationSettings": settings,
    "common/SessionType": closed(
        session_type_id=session_type_id, name=text(1), description_=text(), webhook_url=url,
        capabilities=CAPABILITIES, timeout_seconds_=whole(1, 300, "CE-34"), summarization_settings_=settings),
    "common/Usage": usage, "common/VariantInfo": VARIANT,
    "http/MessageSendRequest": SEND, "http/MessageRecreateRequest": ENABLE, "http/SessionSummarizeRequest": ENABLE,
    "message/MessageReactionRequest": BODIES["reactToMessage"],
    "message/MessageReactionResponse": closed(message_id=MESSAGE, reaction_type=REACTION, applied=truth),
    "message/MessageListResponse": closed(messages=MESSAGES),
    "message/MessageGetVariantsResponse": variants,
    "session/SessionCreateRequest": BODIES["createSession"],
    "session/SessionCreateResponse": closed(session_id=SESSION, available_capabilities=CAPABILITIES),
    "session/SessionDeleteResponse": closed(deleted=always),
    "session/SessionShareResponse": closed(share_token=TOKEN, share_url=url),
    "session/SessionAccessSharedResponse": closed(
        session_id=SESSION, messages=MESSAGES, read_only=always, metadata_=anything),
    "session/SessionExportResponse": closed(download_url=url, expires_at=moment),
    "session/SessionSwitchTypeResponse": closed(session_id=SESSION, session_type_id=TYPE),
    "session/SessionGetResponse": closed(**SESSION_FIELDS),
    "streaming/StreamingStartEvent": event, "streaming/StreamingChunkEvent": event,
    "streaming/StreamingCompleteEvent": event, "streaming/StreamingErrorEvent": event,
    "webhook/SessionCreatedEvent": WEBHOOK, "webhook/MessageNewEvent": WEBHOOK,
    "webhook/MessageRecreateEvent": WEBHOOK, "webhook/MessageAbortedEvent": WEBHOOK,
    "webhook/SessionDeletedEvent": WEBHOOK, "webhook/SessionSummaryEvent": WEBHOOK,
    "webhook/SessionTypeHealthCheckEvent": WEBHOOK, "webhook/MessageReactionEvent": WEBHOOK,
    "webhook/SessionCreatedResponse": closed(available_capabilities=CAPABILITIES),
    "webhook/MessageNewResponse": whole_reply, "webhook/MessageRecreateResponse": whole_reply,
    "webhook/SessionSummaryResponse": closed(summary=text(1), metadata_=anything),
    "webhook/SessionTypeHealthCheckResponse": closed(
        status=word("healthy", "degraded", "unhealthy"), version=text(1), capabilities=CAPABILITIES),
}


# Section 13: lines of a client and of an engine over any delivery service.

REQUEST = closed(request=whole(1), operation=text(1), id_=text(), body_=anything)
CLOSE = closed(request=whole(1), close=always)
ANSWER = closed(request=whole(1), status=whole(100, 599, "CE-40"), body=anything)
NUMBERED = closed(request=whole(1), number=whole(0), event=event)


def line(value: Any, mode: str) -> dict:
    """A line of either side; which one it is, its fields tell."""
    kinds = {"operation": REQUEST, "close": CLOSE, "status": ANSWER, "event": NUMBERED}
    for name, reader in kinds.items():
        if name in anything(value, mode):
            return reader(value, mode)
    raise Violation("CE-03", "is no line")


def decode(schema: str, value: Any, mode: str = "strict") -> Any:
    """A value, as a published schema names it."""
    return SCHEMAS[schema](value, mode)


def query(parameters: dict[str, str]) -> tuple[str, int, int]:
    """The parameters of a search (CE-13)."""
    def number(name: str, default: int, low: int, high: int) -> int:
        digits = parameters.get(name, str(default))
        if not re.fullmatch("-?[0-9]+", digits) or len(digits) > 20 or not low <= int(digits) <= high:
            raise Violation("CE-13", f"{name} is not from {low} to {high}")
        return int(digits)

    if not parameters.get("query"):
        raise Violation("CE-13", "there is no query")
    return parameters["query"], number("limit", 20, 1, 100), number("offset", 0, 0, LARGEST)
