"""What belongs to sessions: capabilities, reactions, shares, tokens, routes (sections 6, 9 and 10)."""

import re
from typing import Any

from . import Violation

OPERATIONS = {
    "createSession": ("POST", "/sessions"), "getSession": ("GET", "/sessions/*"),
    "deleteSession": ("DELETE", "/sessions/*"), "switchSessionType": ("PATCH", "/sessions/*/type"),
    "exportSession": ("POST", "/sessions/*/export"), "shareSession": ("POST", "/sessions/*/share"),
    "accessSharedSession": ("GET", "/share/*"), "searchSession": ("GET", "/sessions/*/search"),
    "searchAllSessions": ("GET", "/search"), "sendMessage": ("POST", "/messages/send"),
    "recreateMessage": ("POST", "/messages/*/recreate"), "summarizeSession": ("POST", "/sessions/*/summarize"),
    "listMessages": ("GET", "/sessions/*/messages"), "getMessage": ("GET", "/messages/*"),
    "getMessageVariants": ("GET", "/messages/*/variants"), "reactToMessage": ("POST", "/messages/*/reaction"),
    "listSessionTypes": ("GET", "/session-types"), "revokeShare": ("DELETE", "/sessions/*/share/*"),
    "readExport": ("GET", "/exports/*"),
}


def route(method: str, path: str) -> str | int:
    """The operation of a request, or 404 or 405."""
    status = 404
    for name, (known, pattern) in OPERATIONS.items():
        if re.fullmatch(pattern.replace("*", "[^/]+"), path):
            if known == method:
                return name
            status = 405
    return status


class Owners:
    """Whose sessions and messages are: what is another client's is as if it did not exist (CE-23, CE-24)."""

    def __init__(self) -> None:
        self.sessions: dict[str, str] = {}
        self.messages: dict[str, str] = {}
        self.types = {"known"}

    def create(self, session: str, client: str) -> None:
        self.sessions[session] = client

    def delete(self, session: str) -> None:
        del self.sessions[session]

    def ask(self, operation: str, target: str, client: str, session_type: str = "known") -> str | None:
        """The code of the refusal, if the operation is refused; the target is what its path or body names."""
        if operation == "accessSharedSession":
            return "SESSION_NOT_FOUND"  # no token is known here
        if OPERATIONS[operation][1].startswith("/messages/*"):
            session = self.messages.get(target, "")
            return None if self.sessions.get(session) == client else "MESSAGE_NOT_FOUND"
        if operation != "createSession" and self.sessions.get(target) != client:
            return "SESSION_NOT_FOUND"
        needs_type = operation in ("createSession", "switchSessionType")
        return "INVALID_REQUEST" if needs_type and session_type not in self.types else None


def enabled(ids: Any, available: list[dict]) -> list[str]:
    """The capabilities that a backend gets (CE-27)."""
    if ids is None:
        return [one["id"] for one in available if one["enabled_by_default"]]
    known = {one["id"] for one in available}
    if not isinstance(ids, list) or any(not isinstance(one, str) or one not in known for one in ids):
        raise Violation("CE-27", "no capability of the session")
    return list(dict.fromkeys(ids))


class Reactions:
    """One for each person and message (CE-30)."""

    def __init__(self) -> None:
        self.reactions: dict[Any, str] = {}

    def react(self, key: Any, reaction: str) -> tuple[bool, str | None]:
        """Whether it is applied, and what the webhook says was before: `no webhook` where there is none."""
        before = self.reactions.pop(key, None)
        if reaction != "none":
            self.reactions[key] = reaction
            return True, before
        return False, before or "no webhook"


class Shares:
    """Tokens of one session; times are seconds (CE-35)."""

    def __init__(self) -> None:
        self.tokens: list[float | None] = []

    def share(self, expires: float | None, now: float) -> None:
        if expires is not None and expires <= now:
            raise Violation("CE-35", "not in the future")
        self.tokens.append(float("inf") if expires is None else expires)

    def good(self, number: int, now: float) -> None:
        expires = self.tokens[number]
        if expires is None or now >= expires:
            raise Violation("CE-35", "no such token", 404)

    def revoke(self, number: int) -> None:
        if self.tokens[number] is None:
            raise Violation("CE-35", "no such token", 404)
        self.tokens[number] = None


def client(scheme: str, header: dict, claims: dict, now: float) -> str:
    """Whose a request is, by a token whose signature is good (CE-23)."""
    def number(value: Any) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    good = scheme.lower() == "bearer" and header.get("alg") == "HS256" and "crit" not in header
    good = good and number(claims.get("exp")) and claims["exp"] > now
    good = good and ("nbf" not in claims or number(claims["nbf"]) and claims["nbf"] <= now)
    if not good or any(not isinstance(claims.get(name), str) or not claims[name] for name in ("sub", "client_id")):
        raise Violation("CE-23", "no good token", 401)
    return claims["client_id"]
