"""Draws a chat in a terminal: runs a relay and two peers, types into them, and writes what one shows as SVG.

    python3 Tests/Tools/chat_picture.py PROGRAMS PICTURE      # `make picture`
"""

import html
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import fcntl
import time
from pathlib import Path

COLUMNS, ROWS = 96, 26
LIMIT = 120  # seconds for each step


class Peer:
    """chat-peer in a terminal of its own."""

    def __init__(self, programs: Path, relay: str, name: str):
        self.text = ""
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.environ.update(TERM="xterm", TZ="UTC")
            os.environ.pop("NO_COLOR", None)
            os.execv(programs / "chat-peer", ["chat-peer", "--relay", relay, "--name", name])
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, size)

    def wait(self, pattern: str) -> re.Match:
        """Reads until something is shown."""
        end = time.monotonic() + LIMIT
        while not (found := re.search(pattern, self.text)):
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise SystemExit(f"{pattern} is not shown; there is:\n{self.text}")
            self.text += os.read(self.terminal, 65_536).decode(errors="replace")
        return found

    def type(self, line: str) -> None:
        os.write(self.terminal, line.encode() + b"\r")

    def end(self) -> None:
        self.type("/quit")
        os.waitpid(self.child, 0)


def draw(text: str) -> str:
    """Lines of a terminal as SVG; bold and colours of the escape codes that chat-peer writes."""
    lines = [line for line in text.replace("\r", "").split("\n")]
    wrapped = []
    for line in lines:
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)
        shown = plain if len(plain) <= COLUMNS else plain[: COLUMNS - 1] + "…"
        kind = "remark" if re.search(r"\x1b\[2m", line) else "trouble" if re.search(r"\x1b\[31m", line) else "speech"
        wrapped.append((kind, shown))
    wrapped = wrapped[-ROWS:]
    width, height = COLUMNS * 8.43 + 32, len(wrapped) * 19 + 32
    rows = "\n".join(
        f'<text class="{kind}" x="16" y="{32 + 19 * row}" xml:space="preserve">{html.escape(line)}</text>'
        for row, (kind, line) in enumerate(wrapped)
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" viewBox="0 0 {width:.0f} {height}">
<style>text {{ font: 14px ui-monospace, "DejaVu Sans Mono", monospace; fill: #d8dee9 }}
.remark {{ fill: #81919f }} .trouble {{ fill: #e06c75 }}</style>
<rect width="100%" height="100%" rx="8" fill="#1b2229"/>
{rows}
</svg>
"""


def main() -> None:
    programs, picture = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    relay = subprocess.Popen([programs / "chat-relay", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        address = relay.stdout.readline().split()[-1]
        raya, saro = Peer(programs, address, "raya"), Peer(programs, address, "saro")
        link = raya.wait(r"(logos_\S+)\s").group(1)
        saro.wait("your introduction")
        saro.type(link)
        saro.wait("say something")
        saro.type("The sun was shining on the sea, shining with all his might.")
        raya.wait("shining on the sea")
        raya.type("/name Saro")
        raya.wait("you talk to Saro")
        saro.wait("delivered")
        saro.type("/name Raya")
        saro.wait("you talk to Raya")
        raya.type("And this was odd, because it was")
        saro.wait("because it was")
        saro.type("The middle of the night.")
        raya.wait("middle of the night")
        saro.wait(r"#2[^\n]* delivered")
        saro.type("/status")
        saro.wait("waiting to be sent")
        time.sleep(0.5)
        for peer in (saro, raya):
            peer.end()
    finally:
        relay.terminate()
    text = re.sub(re.escape(link), link[:40] + "…", saro.text)
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(draw(text.split("/quit")[0].rstrip()))


if __name__ == "__main__":
    main()
