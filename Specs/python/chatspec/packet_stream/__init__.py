"""Streaming packets, framing `packet-v1` and the machines around it, written from Specs/packet-stream.md.

`wire` is the protobuf layer, `bounds` and `contract` have the rules of decoding, `encoding` those of encoding,
`machines` what delivers packets. A decoder returns a value or raises `Violation` with the id of a rule, whatever it is
given; a step that raises has changed nothing.
"""


class Violation(Exception):
    """A rule was broken."""

    def __init__(self, rule: str, reason: str):
        super().__init__(f"{rule}: {reason}")
        self.rule = rule
