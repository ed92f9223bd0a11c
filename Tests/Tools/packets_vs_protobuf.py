#!/usr/bin/env python3
"""Runs the packet benchmarks next to other protobuf libraries and prints the ratios.

Usage: packets_vs_protobuf.py PATH-TO-CHAT-BENCH [PROTOBUF-ROOT]

Python's library (pip install protobuf; its engine is upb) codes the same messages and, for the envelope, their JSON by
the standard library. C++ codes the protobuf layer alone, where protoc, g++ and libprotobuf-dev are installed, or lie
under PROTOBUF-ROOT as `dpkg -x` leaves them. What is missing is left out. All take turns, and of each the least time
counts, so that a machine which others use changes the ratios little.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCHEMA = """
syntax = "proto3";
package transport.v1;
import "google/protobuf/struct.proto";
message AudioFrame {
  bytes pcm = 1; int32 sample_rate_hz = 2; int32 channels = 3; string codec = 4; uint64 timestamp_ms = 5;
}
message VideoFrame {
  bytes payload = 1; string codec = 2; uint32 width = 3; uint32 height = 4; uint64 timestamp_ms = 5; bool raw = 6;
}
message BinaryFrame { bytes payload = 1; string mime_type = 2; uint64 timestamp_ms = 3; }
message TypedConfig { string transport_ref = 1; string mode_reason = 2; }
message TransportDescriptor { string name = 1; string kind = 2; string mode = 3; TypedConfig typed_config = 5; }
message StreamEnvelope {
  string stream_id = 1; uint64 sequence = 2; string partition = 3; string chunk_id = 4;
  uint32 chunk_index = 5; uint32 chunk_count = 6; uint32 chunk_bytes = 7; uint32 total_bytes = 8;
}
message DataPacket {
  map<string, string> metadata = 1; google.protobuf.Struct payload = 2; google.protobuf.Struct inputs = 3;
  repeated TransportDescriptor transports = 4;
  oneof frame { AudioFrame audio = 5; VideoFrame video = 6; BinaryFrame binary = 7; }
  StreamEnvelope envelope = 8;
}
"""
PROGRAM = r"""
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include "packet.pb.h"
template <class Body> double best(Body body) {
  double least = 1e9;
  for (int round = 0; round < 9; round++) {
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 20000; i++) body();
    std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    least = std::min(least, took.count() / 20000);
  }
  return least;
}
int main(int argc, char** argv) {
  for (int i = 1; i < argc; i++) {
    std::ifstream file(argv[i], std::ios::binary);
    std::string data((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    transport::v1::DataPacket packet;
    if (!packet.ParseFromString(data)) return 1;
    volatile size_t sink = 0;
    double encode = best([&] { std::string out; packet.SerializeToString(&out); sink += out.size(); });
    double decode = best([&] { transport::v1::DataPacket one; one.ParseFromString(data); sink += one.has_binary(); });
    std::printf("%f %f\n", encode, decode);
  }
}
"""


def samples():
    """The packets of the benchmark, as protobuf has them."""
    text = "the sun was shining on the sea, " * 28
    envelope = {
        "version": "v1", "kind": "chat.message.v1", "messageId": "m-1", "timestampMs": 1770000000000,
        "metadata": {"type": "chat.message.v1"}, "payload": {"text": text, "sender": "saro"},
    }
    yield "envelope-1k", envelope, None
    yield "audio-10k", None, {"pcm": bytes([7]) * (10 << 10), "sample_rate_hz": 16000, "channels": 1}


def build(packet, envelope, audio):
    packet.envelope.stream_id, packet.envelope.sequence, packet.envelope.partition = "s1", 7, "p0"
    if envelope is not None:
        packet.binary.payload = json.dumps(envelope, separators=(",", ":")).encode()
        packet.binary.mime_type = "application/vnd.bubu.packet+json"
        packet.binary.timestamp_ms = envelope["timestampMs"]
    else:
        packet.audio.pcm, packet.audio.sample_rate_hz, packet.audio.channels = audio["pcm"], 16000, 1
        packet.payload["room"] = "r1"
        packet.metadata["bubu.envelope.kind"] = "speech.audio.v1"
        packet.metadata["bubu.envelope.message_id"] = "m-2"
    return packet


ROUNDS = 3


def best(body, count=2000):
    least = float("inf")
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(count):
            body()
        least = min(least, (time.perf_counter() - start) / count * 1e9)
    return least


def message_kind(protoc, folder):
    """The class of Python's library for the packet."""
    subprocess.run([protoc, f"-I{folder}", f"-I{include(protoc)}", f"--descriptor_set_out={folder}/packet.bin",
                    "--include_imports", f"{folder}/packet.proto"], check=True)
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2  # noqa: F401
    pool = descriptor_pool.Default()
    for file in descriptor_pb2.FileDescriptorSet.FromString(Path(f"{folder}/packet.bin").read_bytes()).file:
        if file.name == "packet.proto":
            pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("transport.v1.DataPacket"))


def python_rows(kind, folder):
    """Nanoseconds of Python's library."""
    for name, envelope, audio in samples():
        data = Path(f"{folder}/{name}").read_bytes()
        packet = kind.FromString(data)
        yield f"{name}/protobuf-encode", best(packet.SerializeToString)
        yield f"{name}/protobuf-decode", best(lambda: kind.FromString(data))
        yield f"{name}/encode", best(lambda: build(kind(), envelope, audio).SerializeToString())
        if envelope is not None:
            yield f"{name}/decode", best(lambda: json.loads(kind.FromString(data).binary.payload))
        else:
            yield f"{name}/decode", best(lambda: kind.FromString(data).audio.pcm)


def include(protoc):
    return Path(protoc).resolve().parent.parent / "include"


def build_cpp(protoc, folder):
    """The program in C++; None where something is missing."""
    root = Path(protoc).resolve().parent.parent
    libraries = next(iter(root.glob("lib/*/libprotobuf.a")), None)
    if libraries is None or not shutil.which("g++"):
        return None
    paths = [f"-I{folder}", f"-I{root}/include"]
    subprocess.run([protoc, *paths, f"--cpp_out={folder}", f"{folder}/packet.proto"], check=True)
    Path(f"{folder}/main.cc").write_text(PROGRAM)
    subprocess.run(
        ["g++", "-O2", "-DNDEBUG", "-std=c++17", f"-I{root}/include", f"-I{folder}", f"{folder}/main.cc",
         f"{folder}/packet.pb.cc", str(libraries), "-lpthread", "-o", f"{folder}/bench"], check=True)
    return f"{folder}/bench"


def cpp_rows(program, folder):
    """Nanoseconds of C++."""
    names = [name for name, _, _ in samples()]
    command = [program, *(f"{folder}/{name}" for name in names)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for name, line in zip(names, lines):
        encode, decode = map(float, line.split())
        yield f"{name}/protobuf-encode", encode
        yield f"{name}/protobuf-decode", decode


def ours():
    command = [sys.argv[1], "--json", "--filter", "packet-stream/"]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        row = json.loads(line)
        yield row["name"].removeprefix("packet-stream/"), row["ns"]


def main():
    root = Path(sys.argv[2]) / "usr" if len(sys.argv) > 2 else None
    protoc = str(root / "bin/protoc") if root else shutil.which("protoc")
    if root:
        os.environ["LD_LIBRARY_PATH"] = ":".join(map(str, root.glob("lib/*")))
    if protoc is None:
        print("protoc is not installed (protobuf-compiler); the comparison is left out")
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(f"{folder}/packet.proto").write_text(SCHEMA)
        try:
            kind = message_kind(protoc, folder)
        except ImportError:
            print("Python's protobuf is not installed (pip install protobuf); the comparison is left out")
            return
        for name, envelope, audio in samples():
            Path(f"{folder}/{name}").write_bytes(build(kind(), envelope, audio).SerializeToString(deterministic=True))
        program = build_cpp(protoc, folder)
        swift, python, cpp = {}, {}, {}
        for _ in range(ROUNDS):
            keep_least(swift, ours())
            keep_least(python, python_rows(kind, folder))
            keep_least(cpp, cpp_rows(program, folder) if program else ())
        for name, nanoseconds in swift.items():
            line = f"packet-stream/{name:<30} {nanoseconds:>9.0f} ns"
            for library, rows in (("upb in Python", python), ("C++", cpp)):
                if name in rows:
                    line += f"   {library} {rows[name]:>8.0f} ns, ratio {rows[name] / nanoseconds:.2f}"
            print(line)


def keep_least(rows, more):
    for name, nanoseconds in more:
        rows[name] = min(nanoseconds, rows.get(name, nanoseconds))


if __name__ == "__main__":
    main()
