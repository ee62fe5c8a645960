# Each target works by itself on a clean clone with Go, make and git.
# .ci/deps installs gcc and libpcap-dev when it may, else builds without.
CGO = $$(.ci/deps)
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.PHONY: demo build test bench clean

demo: build
	./picket demo $(DEMOFLAGS)

build:
	@cgo=$(CGO); echo "Building ./picket ..."; CGO_ENABLED=$$cgo go build -trimpath -ldflags '-X main.version=$(VERSION)' -o picket .

test:
	@cgo=$(CGO); CGO_ENABLED=$$cgo go test ./...

clean:
	rm -f picket
