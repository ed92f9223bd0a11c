# Everything a newcomer types. `make` alone lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup sqlite python release demo picture files test quick soak vectors outside chat-engine chat-engine-test chat-engine-bench agent-chat agent-chat-test agent-chat-bench packet-hub packet-hub-test packet-hub-bench bench bench-udp interop spec docs lint fuzz tsan asan

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 25

setup: # libsodium and its headers, the one dependency
	@pkg-config --exists libsodium 2>/dev/null || \
	{ echo "installing libsodium-dev"; apt-get update -qq && apt-get install -y -qq libsodium-dev pkg-config; } || \
	{ echo "libsodium is missing: install libsodium-dev (Debian) or libsodium (Homebrew)" >&2; exit 1; }

release: setup ## build the libraries and binaries, optimized
	swift build -c release

demo: release ## two peers exchange a text over a relay, and one is killed in the middle
	.build/release/chat-demo

picture: release ## draw README's picture of a chat: two peers in terminals, as one of them shows it
	python3 Tests/Tools/chat_picture.py .build/release Specs/pictures/chat.svg

files: release ## two peers send each other 5 MiB through losses, and one is killed in the middle
	.build/release/chat-demo --files

# Each of these keeps every processor busy for minutes and runs by itself, so that tests which wait do not wait for it.
HEAVY := ChatSimulationTests ChatSimulatorTests ChatConformanceTests ChatVectorsTests FuzzTests

# Whole programs and sockets; the rest takes 100 s on two cores once it is built.
SLOW := ProtocolTests ChatShimTests ChatDeliveryServiceTests

quick: setup ## run the tests without whole programs, sockets, simulation and conformance; few repetitions
	CHAT_QUICK=1 swift test $(foreach suite,$(HEAVY) $(SLOW),--skip $(suite))

# Runs all suites; $(1) are further options of `swift test`.
define suites
swift test $(1) $(foreach suite,$(HEAVY),--skip $(suite))
@for suite in $(HEAVY); do swift test $(1) --skip-build --filter $$suite || exit; done
endef

test: setup ## run the whole test suite: vectors, conformance, components from outside in 48 mixes
	$(call suites,)
	@$(MAKE) --no-print-directory vectors
	@$(MAKE) --no-print-directory outside

# Built in the same folder, so that the framework is not compiled twice. SwiftPM keeps one build plan in a folder
# and trusts it, so the plan of the one package is thrown away before the other is built.
outside: setup ## test the components written from outside, alone and in 48 mixes with the built-in ones
	@rm -f .build/debug.yaml
	swift test --package-path Examples/SixthVariant --scratch-path .build; code=$$?; rm -f .build/debug.yaml; exit $$code

# Servers, with the packages that they need, are built in a folder of their own.
SERVERS := .build-examples
SERVER := --package-path Examples/ChatEngine --scratch-path $(SERVERS)

sqlite: # SQLite and its headers, which the server's storage needs
	@pkg-config --exists sqlite3 2>/dev/null || \
	{ echo "installing libsqlite3-dev"; apt-get update -qq && apt-get install -y -qq libsqlite3-dev; } || \
	{ echo "SQLite is missing: install libsqlite3-dev (Debian)" >&2; exit 1; }

chat-engine: setup sqlite ## run a Chat Engine and a backend; a conversation with a branch and two variants
	@rm -f $(SERVERS)/debug.yaml
	swift build $(SERVER) --product chat-engine
	@Examples/ChatEngine/Tools/demo.sh "$$(swift build $(SERVER) --show-bin-path)/chat-engine"

chat-engine-test: setup sqlite ## test the Chat Engine server: sockets, kill -9, schemathesis, the page in a browser
	@rm -f $(SERVERS)/debug.yaml
	swift build --build-tests $(SERVER)
	Examples/ChatEngine/Tools/test.sh

# Optimized, beside what the tests are built from: what servers share is compiled once.
chat-engine-bench: setup sqlite ## compare the engine with a bare proxy of the same streams; storing, search, memory
	@rm -f $(SERVERS)/release.yaml
	swift build -c release $(SERVER) --product chat-engine
	swift build -c release $(SERVER) --product chat-engine-bench
	python3 Examples/ChatEngine/Tools/bench.py "$$(swift build -c release $(SERVER) --show-bin-path)"

agent-chat: setup ## serve a page on which an agent books a table; PORT=8080, AGENT=echo, DATA=folder
	@rm -f $(SERVERS)/debug.yaml
	swift build --package-path Examples/AgentChat --scratch-path $(SERVERS) --product agent-chat
	@Examples/AgentChat/run.sh --port $(or $(PORT),8080) --data $(or $(DATA),$(SERVERS)/agent-chat-data) \
	--agent "$(or $(AGENT),script:Examples/AgentChat/Scripts/booking.json)"

agent-chat-test: setup ## test the agent chat over WebSocket: in Swift, by a client in Python, and in a browser
	@rm -f $(SERVERS)/debug.yaml
	swift test --package-path Examples/AgentChat --scratch-path $(SERVERS)
	Examples/AgentChat/Tests/python/run.sh

agent-chat-bench: setup ## measure the agent chat with 1,000 sockets next to a bare echo; ARGS="--sockets 200"
	@rm -f $(SERVERS)/release.yaml
	swift build -c release --package-path Examples/AgentChat --scratch-path $(SERVERS) --product agent-chat-bench
	$(SERVERS)/release/agent-chat-bench $(ARGS)

packet-hub: setup ## run a hub and two steps that chat through it; one is killed in the middle
	@rm -f $(SERVERS)/debug.yaml
	swift build --package-path Examples/PacketHub --scratch-path $(SERVERS) --product packet-hub
	@Examples/PacketHub/Tools/demo.sh $(SERVERS)/debug/packet-hub

packet-hub-test: setup ## test the packet hub with peers in Python: grpcio, 64 MiB, kill -9, hand-over, certificates
	@rm -f $(SERVERS)/debug.yaml
	swift build --package-path Examples/PacketHub --scratch-path $(SERVERS) --product packet-hub
	Examples/PacketHub/Tests/python/run.sh

packet-hub-bench: setup ## compare the hub with a bare gRPC stream of the same bytes; ARGS="--count 5000"
	@rm -f $(SERVERS)/release.yaml
	swift build -c release --package-path Examples/PacketHub --scratch-path $(SERVERS) --product packet-hub
	$(SERVERS)/release/packet-hub bench $(ARGS)

vectors: setup ## make every vector file again, compare, and check them; FILES="…" checks others
	swift build --product chat-vectors
	@made=$$(mktemp -d) && trap 'rm -rf "$$made"' EXIT && tool="$$(swift build --show-bin-path)/chat-vectors" && \
	"$$tool" generate --output "$$made" && diff -r --exclude=schema --exclude=README.md "$$made" Specs/vectors && \
	"$$tool" generate chat-engine --output "$$made" && cmp "$$made/made.json" Specs/chat-engine/made.json && \
	"$$tool" verify --quiet $(or $(FILES),Specs/vectors Specs/agent-chat Specs/chat-engine Specs/packet-stream)

soak: release ## simulate 20,000 seeds of each reliable type on all cores; SEEDS=1000 for fewer
	@for suite in links/open-invite/plain-reliable/memory/plain links/inbox-v1/private-v1-compact/memory/envelope-v1 \
	links/inbox-v1/private-v1/memory/envelope-v1; do echo "$$suite"; \
	.build/release/chat-sim --suite $$suite --seeds 0..$(or $(SEEDS),20000) --jobs "$$(getconf _NPROCESSORS_ONLN)" \
	--time 24h --progress || exit; done

bench: release ## compare the hot paths with the libsodium calls they cannot do without, parity with zfec, packets with protobuf
	.build/release/chat-bench
	@{ [ -d .build/zfec ] || python3 -m venv .build/zfec && .build/zfec/bin/pip install -q zfec; } 2>/dev/null; \
	PATH="$(CURDIR)/.build/zfec/bin:$$PATH" python3 Tests/Tools/parity_vs_zfec.py .build/release/chat-bench
	@PATH="$(CURDIR)/.build/python/bin:$$PATH" python3 Tests/Tools/packets_vs_protobuf.py .build/release/chat-bench

bench-udp: release ## compare relay and clients with a bare relay loop and nats-server; ARGS="--sizes 64 --rounds 1"
	@python3 Tests/Tools/bench-udp/bench.py "$$(swift build -c release --show-bin-path)" $(ARGS)

python: # what Specs/python needs, unless it is installed
	@python3 -c 'import nacl, jsonschema, google.protobuf' 2>/dev/null || \
	.build/python/bin/python3 -c 'import nacl, jsonschema, google.protobuf' 2>/dev/null || \
	{ python3 -m venv .build/python && .build/python/bin/pip install -q -r Specs/python/requirements.txt; } || \
	{ rm -rf .build/python; echo "no Python environment: install python3-venv (Debian)" >&2; exit 1; }

interop: release python ## run this package and the Python implementation against each other
	PATH="$(CURDIR)/.build/release:$(CURDIR)/.build/python/bin:$$PATH" chat-interop Examples/interop.json

spec: python ## check the Python implementation of the documents, and the vector files with it
	cd Specs/python && PATH="$(CURDIR)/.build/python/bin:$$PATH" python3 -m unittest discover -s tests -t .

docs: setup ## build the documentation of the libraries into .build/docs; a broken link is an error
	Tests/Tools/docs.sh

lint: ## check the format of every source file
	swift format lint --strict -r Package.swift Sources Tests Examples

fuzz: setup ## build the fuzzers; RUN=60 runs each for a minute, FUZZ=json only one
	CHAT_FUZZ=1 swift build -c release --sanitize fuzzer --product chat-fuzz --scratch-path .build/fuzz
	@[ -z "$(RUN)" ] || Tests/Fuzz/run.sh "$(RUN)" $(FUZZ)

# Only the tests whose names match FILTER, if it is given; with all of them, a sanitizer takes half an hour or more.
# One test runs at a time: slowed down and beside a thousand others, those that wait for a socket would wait in vain.
TSAN := --sanitize thread --scratch-path .build/tsan --no-parallel
ASAN := --sanitize address --scratch-path .build/asan --no-parallel

tsan: export CHAT_TSAN := 1
tsan: export TSAN_OPTIONS := halt_on_error=0 exitcode=66 $(TSAN_OPTIONS)
tsan: setup ## run the test suite under ThreadSanitizer; FILTER=… only some
	$(if $(FILTER),swift test $(TSAN) --filter '$(FILTER)',$(call suites,$(TSAN)))

asan: export ASAN_OPTIONS := detect_leaks=0 $(ASAN_OPTIONS)
asan: setup ## run the test suite under AddressSanitizer; FILTER=… only some
	$(if $(FILTER),swift test $(ASAN) --filter '$(FILTER)',$(call suites,$(ASAN)))
