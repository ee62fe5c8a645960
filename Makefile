# Each target works by itself on a clean clone with Go, make and git.
# .ci/deps installs gcc and libpcap-dev when it may, else builds without.
CGO = $$(.ci/deps)

.PHONY: demo build test bench clean

demo: build
	./picket demo $(DEMOFLAGS)

build:
	@cgo=$(CGO); echo "Building ./picket ..."; CGO_ENABLED=$$cgo go build -trimpath -o picket .

test:
	@cgo=$(CGO); CGO_ENABLED=$$cgo go test ./...

clean:
	rm -f picket
