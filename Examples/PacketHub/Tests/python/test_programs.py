"""The programs: steps at our hub and at a hub in Python, options, exit codes, certificates."""

import concurrent.futures
import datetime
import ipaddress
import json
import queue
import signal
import subprocess
import threading
import time
import unittest

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from peer import LARGE, PROGRAM, HubTest, Program, opaque, pb, says, structured, stubs, text, until

Code = grpc.StatusCode


class PythonHub(stubs.HubServiceServicer, stubs.TransportConnectorServiceServicer):
    """A hub in Python for one step: says what a test wants it to say."""

    def __init__(self, ready=({"startup.capabilities": "none"},), then=()):
        self.ready, self.then = ready, then
        self.packets, self.directives, self.to_step = queue.Queue(), queue.Queue(), queue.Queue()
        self.metadata = []
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), options=LARGE)
        stubs.add_HubServiceServicer_to_server(self, self.server)
        stubs.add_TransportConnectorServiceServicer_to_server(self, self.server)
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()
        self.control_out = queue.Queue()

    def Process(self, requests, context):
        self.metadata.append(dict(context.invocation_metadata()))

        def read():
            try:
                for request in requests:
                    self.packets.put(request)
            except grpc.RpcError:
                pass

        threading.Thread(target=read, daemon=True).start()
        yield from iter(self.to_step.get, None)

    def Control(self, requests, context):
        def read():
            try:
                for request in requests:
                    self.directives.put(request)
            except grpc.RpcError:
                pass

        threading.Thread(target=read, daemon=True).start()
        for metadata in self.ready:
            message = pb.ControlResponse(action=9)
            message.metadata.update(metadata)
            yield message
        yield from self.then
        yield from iter(self.control_out.get, None)

    def close(self):
        self.to_step.put(None)
        self.control_out.put(None)
        self.server.stop(0)


class Steps(HubTest):
    arguments = ("--mode", "canonical")

    def step(self, *arguments, hub=None, **options):
        step = self.program("step", arguments[0], "--hub", (hub or self.hub).address, *arguments[1:], **options)
        if hub is None:
            name = arguments[arguments.index("--step") + 1]
            until(lambda: sum(one["step"] == name for one in self.hub.events("joined")) == 2, f"{name} is there")
        return step

    def python_hub(self, **options):
        hub = PythonHub(**options)
        self.addCleanup(hub.close)
        return hub

    def test_echo_answers_before_it_is_done(self):
        self.step("echo", "--step", "bot")
        saro = self.peer("saro")
        saro.send(says("hello", 1))
        saro.send(opaque(b"\1\2", 2))
        answer = saro.next()
        self.assertEqual((text(answer), json.loads(answer.binary.payload)["kind"]), ("hello", "chat.response.v1"))
        time.sleep(0.3)
        self.assertEqual(saro.receipts, [], "its answer has no receipt")
        saro.done(answer)
        until(lambda: saro.receipts == [("s", 1)], "the receipt")
        self.assertEqual(saro.next().binary.payload, b"\1\2")

    def test_transform(self):
        self.step("transform", "--step", "upper", "tr a-z A-Z | sed 's/TEXT/text/'")
        saro = self.peer("saro")
        saro.send(says("hello", 1))
        self.assertEqual(text(saro.next()), "HELLO")
        saro.send(opaque(b"bytes", 2))
        self.assertEqual(saro.next().binary.payload, b"BYTES")

    def test_transform_that_fails_sends_an_error(self):
        self.step("transform", "--step", "fails", "exit 3")
        self.step("transform", "--step", "slow", "--limit", "1", "sleep 100")
        saro = self.peer("saro")
        saro.send(says("hello", 1))
        came = [json.loads(saro.next().binary.payload) for _ in range(2)]
        errors = sorted(one["payload"].get("exitCode", -1) for one in came if one["kind"] == "error")
        self.assertEqual(errors, [-1, 3], came)

    def test_a_command_that_runs_is_ended_by_SIGTERM_and_its_packet_comes_again(self):
        started = self.folder() / "started"
        step = self.step("transform", "--step", "slow", f"touch {started}; sleep 100")
        saro = self.peer("saro")
        saro.send(says("hello", 1))
        until(started.exists, "the command runs")
        begin = time.monotonic()
        self.assertEqual(step.stop(), 0)
        self.assertLess(time.monotonic() - begin, 25, "the command's limit is 30 s")
        self.assertEqual(saro.receipts, [])
        raya = self.peer("slow")
        self.assertEqual(text(raya.next()), "hello")

    def test_a_command_that_does_not_read(self):
        step = self.step("transform", "--step", "deaf", "exit 1")
        saro = self.peer("saro")
        saro.send(opaque(b"x" * 900_000, 1))
        self.assertEqual(json.loads(saro.next().binary.payload)["kind"], "error")
        self.assertIsNone(step.process.poll())

    def test_every_stream(self):
        for stream in ["process", "data", "push"]:
            self.step("echo", "--step", f"bot-{stream}", "--stream", stream, "--run", f"default/{stream}")
            saro = self.peer("saro", metadata=())
            saro.close()
            saro = Run(self, stream)
            saro.send(says("hello", 1))
            self.assertEqual(text(saro.next()), "hello")

    def test_interop_of_the_step_with_a_hub_in_python(self):
        hub = self.python_hub()
        self.step("echo", "--step", "bot", "--retries=-1", hub=hub)
        hub.to_step.put(pb.ProcessResponse(packet=says("hello", 1)))
        request = until(lambda: not hub.packets.empty() and hub.packets.get(), "the answer")
        while not request.HasField("packet"):
            request = hub.packets.get(timeout=30)
        self.assertEqual(text(request.packet), "hello")
        self.assertEqual(hub.metadata[0]["bubu-transport-protocol"], "1.0.0")
        receipt = pb.ControlResponse(custom_action="downstream.delivered")
        receipt.metadata.update({"stream_id": request.packet.envelope.stream_id, "sequence": "1", "partition": ""})
        hub.control_out.put(receipt)

        def confirmed():
            message = hub.directives.get(timeout=30)
            return message.custom_action == "downstream.delivered" and message.metadata["sequence"] == "1"

        until(confirmed, "the step's own receipt")

    def test_PS8_a_step_sends_no_more_than_its_credit(self):
        hub = self.python_hub()
        chat = self.step("chat", "--step", "saro", "--stay", hub=hub, stdin=subprocess.PIPE)
        for number in range(150):
            chat.type(f"line {number}")
        until(lambda: hub.packets.qsize() >= 100, "the first hundred")
        time.sleep(0.5)
        self.assertEqual(hub.packets.qsize(), 100)

    def test_SA60_starts_that_the_step_refuses(self):
        for ready in [({},), ({"startup.capabilities": "perhaps"},)]:
            hub = self.python_hub(ready=ready)
            step = self.step("echo", "--step", "bot", hub=hub)
            self.assertEqual(step.wait(), 3, step.log)
            self.assertIn("SA-60", step.log[-1])

    def test_SA60_capabilities_that_do_not_come(self):
        hub = self.python_hub(ready=({"startup.capabilities": " Required "},))
        step = self.step("echo", "--step", "bot", "--start-limit", "1", hub=hub)
        self.assertEqual(step.wait(), 3, step.log)
        self.assertIn("SA-60", step.log[-1])
        told = pb.ControlResponse(action=10)
        hub = self.python_hub(ready=({"startup.capabilities": "required"},), then=(told,))
        self.step("echo", "--step", "bot", hub=hub)
        hub.to_step.put(pb.ProcessResponse(packet=says("hello", 1)))
        until(lambda: not hub.packets.empty(), "the answer")

    def test_SA12_a_step_refuses_what_its_hub_mirrors(self):
        hub = self.python_hub()
        step = self.step("echo", "--step", "bot", hub=hub)
        packet = says("hello", 1)
        packet.payload.update({"text": "hello"})
        hub.to_step.put(pb.ProcessResponse(packet=packet))
        self.assertEqual(step.wait(), 3)
        self.assertIn("SA-12", step.log[-1])
        hub = self.python_hub()
        self.step("echo", "--step", "bot", "--mode", "interop", hub=hub)
        hub.to_step.put(pb.ProcessResponse(packet=packet))
        until(lambda: not hub.packets.empty(), "the answer")

    def test_what_others_say_stays_one_line_in_a_terminal(self):
        chat = self.step("chat", "--step", "raya", "--stay", stdin=subprocess.PIPE)
        saro = self.peer("saro")
        saro.send(says("a\x1b]0;b\x07c\u202ed\u2028e\u2066f\u200dg", 1))
        until(lambda: chat.output, "the line")
        self.assertEqual(chat.output, ["chat.message.v1: a ]0;b c d e f\u200dg"])

    def test_a_chat_from_a_pipe_ends_when_all_has_receipts(self):
        self.step("chat", "--step", "raya", "--stay", stdin=subprocess.PIPE)
        chat = self.step("chat", "--step", "saro", stdin=subprocess.PIPE)
        chat.type("only this")
        chat.process.stdin.close()
        chat.process.stdin = None
        self.assertEqual(chat.wait(), 0, chat.log)

    def test_the_binding_of_the_environment(self):
        binding = {"name": "hub", "namespace": "test", "binding": {
            "transport_ref": "t", "driver": "grpc", "endpoint": self.hub.address, "password": "x"}}
        self.program("step", "echo", "--step", "bot", environment={"BUBU_TRANSPORT_BINDING": json.dumps(binding)})
        saro = self.peer("saro")
        saro.send(says("hello", 1))
        self.assertEqual(text(saro.next()), "hello")


def Run(test, run):
    """A peer in another run."""
    from peer import Peer

    class Other(Peer):
        def open_control(self):
            self.keys = [(key, run if key == "storyrun-name" else value) for key, value in self.keys]
            super().open_control()

    peer = Other(test.hub, "saro")
    test.addCleanup(peer.close)
    return peer


class Doors(HubTest):
    def setUp(self):
        pass

    def test_token(self):
        path = self.folder() / "token"
        path.write_text("0123456789abcdef0123456789abcdef\n")
        self.hub = self.start_hub("--token-file", str(path))
        for metadata in [(), (("authorization", "Bearer wrong"),), (("authorization", "0123456789abcdef0123456789abcdef"),)]:
            self.assertEqual(self.peer("saro", metadata=metadata).ending("control")[0], Code.UNAUTHENTICATED)
        saro = self.peer("saro", metadata=(("authorization", "Bearer 0123456789abcdef0123456789abcdef"),))
        self.program("step", "echo", "--step", "bot", "--hub", self.hub.address, "--token-file", str(path))
        saro.send(says("hello", 1))
        self.assertEqual(text(saro.next()), "hello")
        wrong = self.program("step", "echo", "--step", "pax", "--hub", self.hub.address)
        self.assertEqual(wrong.wait(), 3)
        self.assertNotIn("0123456789abcdef", "\n".join(self.hub.log + wrong.log))

    def test_mutual_TLS(self):
        folder = self.folder()
        certificates(folder)
        self.hub = self.start_hub(
            "--certificate", f"{folder}/hub.pem", "--key", f"{folder}/hub.key", "--client-authority", f"{folder}/ca.pem")
        read = {name: (folder / name).read_bytes() for name in ["ca.pem", "step.pem", "step.key"]}
        known = grpc.ssl_channel_credentials(read["ca.pem"], read["step.key"], read["step.pem"])
        stranger = grpc.ssl_channel_credentials(read["ca.pem"])
        self.assertEqual(self.peer("saro", credentials=stranger).ending("control")[0], Code.UNAVAILABLE)
        saro = self.peer("saro", credentials=known)
        self.program(
            "step", "echo", "--step", "bot", "--hub", f"localhost:{self.hub.port}", "--authority", f"{folder}/ca.pem",
            "--certificate", f"{folder}/step.pem", "--key", f"{folder}/step.key")
        saro.send(says("hello", 1))
        self.assertEqual(text(saro.next()), "hello")


def certificates(folder):
    """An authority, and what it signed for the hub and for a step."""
    now = datetime.datetime.now(datetime.timezone.utc)
    keys, names = {}, {}
    for name in ["ca", "hub", "step"]:
        keys[name] = ec.generate_private_key(ec.SECP256R1())
        names[name] = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (
            x509.CertificateBuilder().subject_name(names[name]).issuer_name(names["ca"])
            .public_key(keys[name].public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name == "ca", path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .sign(keys["ca"], hashes.SHA256()))
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.key").write_bytes(keys[name].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


class Options(unittest.TestCase):
    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)

    def test_help_and_wrong_usage(self):
        for arguments in [["--help"], ["serve", "--help"], ["step", "--help"], ["step", "transform", "--help"]]:
            done = self.run_program(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.run_program("serve", "--dance").returncode, 64)
        self.assertEqual(self.run_program("step", "echo").returncode, 64)

    def test_what_cannot_start_says_what_to_do(self):
        cases = {
            ("serve", "--route", "saro"): "FROM:TO", ("serve", "--host", "0.0.0.0"): "--token-file",
            ("serve", "--overflow", "drop_oldest"): "best_effort", ("serve", "--certificate", "x"): "--key",
            ("serve", "--token-file", "/nowhere"): "first line", ("serve", "--messages", "0"): "--messages",
            ("serve", "--port", "99999"): "--port 99999: give a number from 0 to 65535",
            ("serve", "--statistics", str(2**63 - 1)): "--statistics",
            ("step", "echo", "--step", "bot", "--hub", "127.0.0.1:1", "--start-limit", str(2**63 - 1)): "--start-limit",
            ("step", "transform", "--step", "bot", "--hub", "127.0.0.1:1", "--limit", "0", "cat"): "--limit",
            ("serve", "--downstreams", "1", "--route", "a:b", "--route", "a:c"): "--downstreams",
            ("step", "echo", "--step", "bot"): "--hub", ("step", "echo", "--step", "bot", "--hub", "nowhere"): "HOST:PORT",
            ("step", "echo", "--step", "bot", "--hub", "127.0.0.1:1", "--run", "x"): "NAMESPACE/NAME"}
        for arguments, word in cases.items():
            done = self.run_program(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(word, done.stderr, arguments)

    def test_a_port_that_is_taken(self):
        hub = Program("serve", "--port", "0")
        self.addCleanup(hub.stop)
        until(lambda: hub.output, "the hub listens")
        done = self.run_program("serve", "--port", hub.output[0].rpartition(":")[2])
        self.assertEqual(done.returncode, 2)
        self.assertIn("--port", done.stderr)

    def test_a_hub_that_is_not_there(self):
        done = self.run_program("step", "echo", "--step", "bot", "--hub", "127.0.0.1:1", "--retries", "1")
        self.assertEqual(done.returncode, 4, done.stderr)

    def test_SIGTERM_ends_both_cleanly(self):
        hub = Program("serve", "--port", "0")
        until(lambda: hub.output, "the hub listens")
        step = Program("step", "echo", "--step", "bot", "--hub", hub.output[0].removeprefix("listening on "))
        until(lambda: hub.events("joined"), "the step is there")
        began = time.monotonic()
        self.assertEqual(hub.stop(), 0)
        self.assertLess(time.monotonic() - began, 20)
        self.assertTrue(hub.events("stopped"))
        until(lambda: step.events("session_lost"), "the step tells")
        self.assertEqual(step.stop(signal.SIGINT), 0)


if __name__ == "__main__":
    unittest.main()
