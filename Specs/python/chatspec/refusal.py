"""How bytes from outside are refused (Specs/framing.md, "How it fails").

Every decoder of this package returns a value or raises `Refused`, whatever it is given, and an
operation that raises has changed nothing.
"""

CODES = (
    "malformed",  # not a valid encoding, or a field of the wrong size
    "unsupported",  # well-formed, of a kind or version that is not known here
    "authentication_failed",  # a signature, a tag or a hash that does not fit
    "unknown_ephemeral_key",  # an invite for a key that was never issued, or is used up
    "replay",  # a message that was already received
    "too_many_skipped",  # a gap in the numbers that is too wide
    "invalid_header",  # a key or number that the sender's chain cannot have
    "weak_key",  # a Diffie-Hellman result of zeros
    "too_large",  # a named limit was passed
    "invalid_state",  # nothing can be sent now
    "expired",  # its time is over
    "foreign",  # a message of another channel
)


class Refused(Exception):
    """Bytes that were refused, with the code of the reason and a line for people."""

    def __init__(self, code: str, message: str):
        assert code in CODES, code
        super().__init__(message)
        self.code = code

    def __str__(self) -> str:
        return f"{self.code}: {self.args[0]}"


def require(condition: bool, code: str, message: str) -> None:
    """Refuses unless the condition holds."""
    if not condition:
        raise Refused(code, message)
