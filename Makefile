# Each target works by itself on a clean clone with Go, make and git.
# .ci/deps installs gcc and libpcap-dev when it may, else builds without.
CGO = $$(.ci/deps)

.PHONY: demo build test e2e bench deb clean

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
