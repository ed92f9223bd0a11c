"""A hub as a program, and a peer that speaks to it with grpcio and messages generated from transport.proto."""

import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import grpc
from grpc_tools import protoc

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]
PROGRAM = os.environ.get("PACKET_HUB", str(ROOT / ".build-examples/debug/packet-hub"))
ENVELOPE = "application/vnd.bubu.packet+json"
PATIENCE = 60
LARGE = [("grpc.max_send_message_length", 12 << 20), ("grpc.max_receive_message_length", 12 << 20)]


def generated():
    """The modules of transport.proto, generated where git does not look."""
    into = ROOT / ".build-examples/transport"
    into.mkdir(parents=True, exist_ok=True)
    include = pathlib.Path(protoc.__file__).parent / "_proto"
    arguments = ["", f"-I{HERE}", f"-I{include}", f"--python_out={into}", f"--grpc_python_out={into}"]
    if protoc.main(arguments + ["transport.proto"]) != 0:
        raise RuntimeError("transport.proto cannot be compiled")
    sys.path.insert(0, str(into))
    import transport_pb2
    import transport_pb2_grpc

    return transport_pb2, transport_pb2_grpc


pb, stubs = generated()


class Program:
    """A process of `packet-hub`, with its output and log as lists of lines that grow."""

    def __init__(self, *arguments, environment=None, stdin=None):
        self.process = subprocess.Popen(
            [PROGRAM, *arguments], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})})
        self.output, self.log = [], []
        self.threads = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in [(self.process.stdout, self.output), (self.process.stderr, self.log)]]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def type(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def events(self, name):
        return [one for one in (json.loads(line) for line in list(self.log) if line[:1] == "{") if one["event"] == name]

    def memory(self, key="VmRSS"):
        """Resident memory in bytes; VmHWM is the most that it ever was."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) * 1024

    def wait(self, timeout=PATIENCE):
        code = self.process.wait(timeout)
        for thread in self.threads:
            thread.join(timeout)
        return code

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.wait()
        finally:
            if self.process.poll() is None:
                self.process.kill()
            for stream in [self.process.stdin, self.process.stdout, self.process.stderr]:
                if stream:
                    stream.close()


class Hub(Program):
    def __init__(self, *arguments, port=0):
        super().__init__("serve", "--port", str(port), "--statistics", "0", *arguments)
        until(lambda: self.output, "the hub listens", lambda: self.log)
        self.address = self.output[0].removeprefix("listening on ")
        self.port = int(self.address.rpartition(":")[2])


def until(condition, what, details=lambda: ""):
    """Waits until something is so."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not in time: {what} {details()}")


class Outgoing:
    """What goes out on a stream, one after another, until it is closed."""

    def __init__(self):
        self.queue = queue.Queue()

    def __iter__(self):
        return self

    def __next__(self):
        one = self.queue.get()
        if one is None:
            raise StopIteration
        return one


PORTS = {
    "process": ("HubService", "Process", pb.ProcessRequest), "data": ("TransportConnectorService", "Data", pb.DataRequest),
    "push": ("TransportConnectorService", "HubPush", pb.HubPushRequest)}


class Peer:
    """A step at a hub: a stream of packets and a control stream."""

    def __init__(self, hub, step, port="process", connector=None, version="1.0.0", metadata=(), control=True,
                 credentials=None, answers=True, open_port=True):
        options = LARGE + [("grpc.use_local_subchannel_pool", 1)]
        address = hub.address if hasattr(hub, "address") else hub
        self.channel = (
            grpc.secure_channel(address, credentials, options) if credentials else grpc.insecure_channel(address, options))
        self.keys = [
            ("bubu.transport.binding", "default/test"), ("storyrun-namespace", "default"), ("storyrun-name", "run"),
            ("current-step-id", step)]
        if version is not None:
            self.keys.append(("bubu-transport-protocol", version))
        if connector:
            self.keys.append(("bubu.transport.connector", connector))
        self.keys += list(metadata)
        self.port, self.answers, self.stream = port, answers, None
        self.packets, self.directives, self.flows, self.receipts = queue.Queue(), [], [], []
        self.endings = {}
        self.outgoing, self.control_out = Outgoing(), Outgoing()
        if control:
            self.open_control()
            until(lambda: self.named(9) or "control" in self.endings, "connector.ready")
        if open_port:
            self.open_port()

    def open_port(self):
        service, method, self.request = PORTS[self.port]
        stub = stubs.HubServiceStub if service == "HubService" else stubs.TransportConnectorServiceStub
        self.stream = getattr(stub(self.channel), method)(self.outgoing, metadata=self.keys)
        threading.Thread(target=self._read_packets, daemon=True).start()

    def open_control(self):
        self.control = stubs.TransportConnectorServiceStub(self.channel).Control(self.control_out, metadata=self.keys)
        threading.Thread(target=self._read_control, daemon=True).start()

    def _read_packets(self):
        try:
            for message in self.stream:
                if self.port == "process":
                    if message.HasField("flow"):
                        self.flows.append(message.flow)
                    if not message.HasField("packet"):
                        continue
                    message = message.packet
                self.packets.put(message)
            self.endings["port"] = None
        except grpc.RpcError as error:
            self.endings["port"] = error

    def _read_control(self):
        try:
            for message in self.control:
                self.directives.append(message)
                if message.HasField("flow"):
                    self.flows.append(message.flow)
                if message.custom_action == "downstream.delivered":
                    self.receipts.append((message.metadata["stream_id"], int(message.metadata["sequence"])))
                if self.answers and message.action != 14:
                    self.direct(14, {"handled": "true"})
            self.endings["control"] = None
        except grpc.RpcError as error:
            self.endings["control"] = error

    def named(self, action):
        return [one for one in list(self.directives) if one.action == action]

    def send(self, fields=None, flow=None):
        """Sends a packet, given as a DataPacket or its fields, in the layout of this stream."""
        if self.port == "process":
            message = pb.ProcessRequest(flow=flow)
            if fields is not None:
                message.packet.CopyFrom(fields)
            self.outgoing.queue.put(message)
            return
        message = self.request()
        for field, value in fields.ListFields():
            if field.name == "metadata":
                message.metadata.update(value)
            elif field.name == "transports":
                message.transports.extend(value)
            else:
                getattr(message, field.name).CopyFrom(value)
        self.outgoing.queue.put(message)

    def direct(self, action=0, metadata=None, custom="", flow=None):
        message = pb.ControlRequest(action=action, custom_action=custom, flow=flow)
        message.metadata.update(metadata or {})
        self.control_out.queue.put(message)

    def done(self, packet):
        """Says that it is done with a packet, and grants as much again."""
        place = packet.envelope
        self.direct(custom="downstream.delivered", metadata={
            "stream_id": place.stream_id, "sequence": str(place.sequence), "partition": place.partition,
            "size_bytes": str(len(packet.binary.payload))})
        self.grant(1, len(packet.binary.payload))

    def grant(self, messages, size, signal=0):
        flow = pb.FlowControl(credits_messages=messages, credits_bytes=size, signal=signal)
        if self.port == "process":
            self.send(flow=flow)
        else:
            self.direct(1, flow=flow)

    def next(self, timeout=PATIENCE):
        try:
            return self.packets.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no packet came; {self.endings}") from None

    def has_none(self, seconds=0.4):
        """Whether nothing more comes for a while."""
        try:
            return self.packets.get(timeout=seconds) is None
        except queue.Empty:
            return True

    def ending(self, stream="port"):
        """Code, rule and text with which a stream ended."""
        until(lambda: stream in self.endings, f"the {stream} stream ends")
        error = self.endings[stream]
        if error is None:
            return grpc.StatusCode.OK, None, ""
        trailers = dict(error.trailing_metadata() or ())
        return error.code(), trailers.get("bubu-rule"), error.details()

    def close(self):
        self.outgoing.queue.put(None)
        self.control_out.queue.put(None)
        if self.stream:
            self.stream.cancel()
        self.channel.close()


def structured(envelope, sequence=0, stream="s", **fields):
    """A packet whose content is an envelope."""
    text = json.dumps({"version": "v1", **envelope}, separators=(",", ":")).encode()
    frame = pb.BinaryFrame(payload=text, mime_type=ENVELOPE, timestamp_ms=envelope.get("timestampMs", 0))
    return placed(pb.DataPacket(binary=frame, **fields), sequence, stream)


def opaque(payload, sequence=0, stream="s", mime="application/octet-stream"):
    return placed(pb.DataPacket(binary=pb.BinaryFrame(payload=payload, mime_type=mime)), sequence, stream)


def placed(packet, sequence, stream):
    if sequence:
        packet.envelope.stream_id = stream
        packet.envelope.sequence = sequence
    return packet


def says(text, sequence=0, stream="s", kind="chat.message.v1"):
    return structured({"kind": kind, "messageId": f"{stream}-{text}", "payload": {"text": text}}, sequence, stream)


def text(packet):
    return json.loads(packet.binary.payload)["payload"]["text"]


class HubTest(unittest.TestCase):
    """A test with a hub, and peers that are closed behind it."""

    arguments = ()

    def setUp(self):
        self.hub = self.start_hub(*self.arguments)

    def start_hub(self, *arguments, port=0):
        hub = Hub(*arguments, port=port)
        self.addCleanup(hub.stop)
        return hub

    def peer(self, step, **options):
        peer = Peer(options.pop("hub", self.hub), step, **options)
        self.addCleanup(peer.close)
        return peer

    def program(self, *arguments, **options):
        program = Program(*arguments, **options)
        self.addCleanup(program.stop)
        return program

    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)
