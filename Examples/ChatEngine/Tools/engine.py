"""An engine, a backend and a client, for the tests in Python."""

import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

SECRET = b"a secret of at least thirty-two bytes"
TYPE = "gts.hyperspot.chat_engine.session_types.assistant.v1~"
SPECS = pathlib.Path(__file__).resolve().parents[3] / "Specs"


def token(client="saro", seconds=3600):
    """A bearer token."""
    return sign({"sub": client, "client_id": client, "exp": int(time.time()) + seconds})


def sign(claims, header=None, secret=SECRET):
    """A token with any claims and header, good or not."""
    def piece(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")
    header = header or {"alg": "HS256", "typ": "JWT"}
    text = piece(json.dumps(header).encode()) + b"." + piece(json.dumps(claims).encode())
    return (text + b"." + piece(hmac.new(secret, text, hashlib.sha256).digest())).decode()


class Backend:
    """A backend in a thread; `words` and `pause` say what it streams.

    `script` may answer a webhook in its place, with a status, a content type and pieces of a body; a piece that is an
    event is waited for. `webhooks` are all that came.
    """

    def __init__(self, words=("hel", "lo"), pause=0.0):
        self.words, self.pause = words, pause
        self.script, self.webhooks = lambda webhook: None, []
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                webhook = json.loads(self.rfile.read(int(self.headers["content-length"])))
                backend.webhooks.append(webhook)
                event, scripted = webhook["event"], backend.script(webhook)
                if scripted:
                    return self.play(*scripted)
                if event in ("message.new", "message.recreate"):
                    return self.stream()
                body = {
                    "session.created": {"available_capabilities": []},
                    "session_type.health_check": {"status": "healthy", "version": "1", "capabilities": []},
                    "session.summary": {"summary": "in short"},
                }.get(event, {})
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def play(self, status, kind, pieces):
                self.send_response(status)
                if kind:
                    self.send_header("content-type", kind)
                self.send_header("connection", "close")
                self.end_headers()
                self.close_connection = True
                for piece in pieces:
                    if isinstance(piece, threading.Event):
                        piece.wait(60)
                        continue
                    try:
                        self.wfile.write(piece)
                        self.wfile.flush()
                    except OSError:
                        return

            def stream(self):
                self.send_response(200)
                self.send_header("content-type", "application/x-ndjson")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                try:
                    for word in backend.words:
                        self.line({"type": "chunk", "chunk": {"type": "text", "content": word}})
                        time.sleep(backend.pause)
                    self.line({"type": "complete"})
                    self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    self.close_connection = True

            def line(self, event):
                data = json.dumps(event).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Engine:
    """An engine in a process, on a database that survives it."""

    def __init__(self, program, backend, types=(), options=()):
        self.options = options
        self.program, self.folder = program, pathlib.Path(tempfile.mkdtemp())
        (self.folder / "secret").write_bytes(SECRET)
        types = {"session_types": [{
            "session_type_id": TYPE, "name": "Assistant", "webhook_url": backend.url, "capabilities": [],
            "summarization_settings": {"enabled": True}}, *types]}
        (self.folder / "types.json").write_text(json.dumps(types))
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "serve", "--port", "0", "--database", self.folder / "engine.sqlite", "--jwt-secret-file",
             self.folder / "secret", "--session-types", self.folder / "types.json",
             *(self.options or ["--log-level", "warning"])],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.base = line.split()[2]
        self.root = self.base.removesuffix("/api/v1")
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """As a signal does; the exit status says that nothing was wrong."""
        self.process.terminate()
        status = self.process.wait(timeout=15)
        assert status == 0, status

    def call(self, method, path, body=None):
        """Asks for what has to be granted."""
        status, answer = self.ask(method, path, body)
        assert status < 300, (method, path, status, answer)
        return json.loads(answer)

    def ask(self, method, path, body=None, bearer=None, headers=()):
        """Status and body of an answer, whatever it is."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = path if path.startswith("http") else self.base + path
        request = urllib.request.Request(url, data, method=method)
        if bearer != "":
            request.add_header("authorization", bearer or "Bearer " + token())
        request.add_header("content-type", "application/json")
        for name, value in headers:
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def session(self):
        return self.call("POST", "/sessions", {"session_type_id": TYPE, "client_id": "saro"})["session_id"]

    def send(self, session, text, heard):
        """Says something, and appends each event to a list as it comes."""
        data = json.dumps({"session_id": session, "content": text}).encode()
        request = urllib.request.Request(self.base + "/messages/send", data, method="POST")
        request.add_header("authorization", "Bearer " + token())
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            for line in answer:
                heard.append(json.loads(line))
