# make run      build in release mode, start examples/quickstart.yaml: one broker, an embedded ZooKeeper, a topic
# make test     install what the tests need, run all of them;  make test ONLY=suite [FILTER=name]  runs one suite
# make bench    Vltava and Apache Kafka side by side, about 55 minutes; writes benches/RESULTS.md;  BENCH="--help" for rows and sizes
# make codec    what decoding and encoding messages and records costs
# make soak     the randomised tests, for as long as SECONDS says (default one hour)
# make fmt      format the sources
# make crds     generate the custom resource definitions and the configuration reference

CARGO ?= cargo
FILE  ?= examples/quickstart.yaml

.PHONY: run build test bench codec soak fmt crds docs

run: build
	target/release/vltava up -f $(FILE)

build:
	@tests/install build
	$(CARGO) build --release -p vltava

test:
	@ONLY="$(ONLY)" FILTER="$(FILTER)" tests/run

bench:
	@tests/install build tests
	$(CARGO) build --release -p vltava -p vltava-benches
	target/release/vltava-bench $(BENCH)

codec:
	@tests/install build
	$(CARGO) bench -p vltava-protocol --bench codec --bench records

soak:
	@tests/install build tests
	CARGO="$(CARGO)" tests/soak $(or $(SECONDS),3600)

fmt:
	$(CARGO) fmt --all

crds docs:
	$(CARGO) run -q -p vltava-operator --example crds
	$(CARGO) run -q -p vltava-settings --example reference
