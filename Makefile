# Each target works by itself on a clean clone with Go, make and git.
# .ci/deps installs gcc and libpcap-dev when it may, else builds without.
CGO = $$(.ci/deps)

.PHONY: demo build test e2e fleet-sim browser soak bench deb clean

demo: build
	./picket demo $(DEMOFLAGS)

build:
	@cgo=$(CGO); echo "Building ./picket ..."; CGO_ENABLED=$$cgo go build -trimpath -o picket .

test:
	@cgo=$(CGO); CGO_ENABLED=$$cgo go test ./...

# The whole system in network namespaces, and clusters of sensors: root, some
# ten minutes, and a machine that has nothing else to do.
e2e:
	PICKET_E2E=1 go test -timeout 30m ./e2e ./fleet .

# A day of campus traffic in half an hour, without and with the race detector;
# the plots and tables of docs/reliability.md come of it.
soak:
	@cgo=$(CGO); PICKET_SOAK=30m PICKET_SOAK_RATE=8000 PICKET_SOAK_OUT=docs/soak/plain CGO_ENABLED=$$cgo go test -count=1 -run '^TestSoak$$' -v -timeout 60m .
	PICKET_SOAK=30m PICKET_SOAK_RATE=2000 PICKET_SOAK_OUT=docs/soak/race CGO_ENABLED=1 go test -race -count=1 -run '^TestSoak$$' -v -timeout 60m .

# Every page in a real browser, and the way from a notification to its
# packets: Chromium, node and npm, and root for the second. See
# docs/operations.md.
browser:
	PICKET_BROWSER=1 PICKET_E2E=1 go test -timeout 30m -v -run Browser ./web ./e2e

# Fifty simulated sensors with a million devices against a cluster of three; see
# docs/scale.md. SIMFLAGS: -sim.sensors -sim.realms -sim.devices -sim.rate -sim.time
fleet-sim:
	@cgo=$(CGO); PICKET_SIM=1 CGO_ENABLED=$$cgo go test -timeout 30m -count 1 -v -run TestSimulation ./fleet -args $(SIMFLAGS)

# Compares picket with other readers on captures of known traffic; see
# docs/performance.md. tcpdump, softflowd, argus and libndpi-bin are used when
# they are there.
bench: build
	@cgo=$(CGO); CGO_ENABLED=$$cgo go run ./bench $(BENCHFLAGS)

deb:
	systemd/package amd64
	systemd/package arm64

clean:
	rm -rf picket dist
