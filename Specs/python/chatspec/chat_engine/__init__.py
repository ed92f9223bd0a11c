"""Chat Engine, framing `engine-ndjson` and its machines, written from Specs/chat-engine.md, section by section.

`readers` and `values` have the rules of decoding, `streams` both streams, `tree` the messages of a session, `calls`
breaker, retries and timeouts, `sessions` shares, reactions, capabilities and tokens, `search` words and stems. A
decoder returns a value or raises `Violation` with the id of a rule, whatever it is given; a step that raises has
changed nothing.
"""


class Violation(Exception):
    """A rule was broken; `status` is that of the answer where a request broke it."""

    def __init__(self, rule: str, reason: str, status: int = 400):
        super().__init__(f"{rule}: {reason}")
        self.rule = rule
        self.status = status
