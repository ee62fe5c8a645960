package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Item is one device within a batch: a Message of KindDevice without what all
// of the batch have in common.
type Item struct {
	ID      string          `json:"id"`
	Version int64           `json:"version"`
	At      time.Time       `json:"at"`
	Gone    bool            `json:"gone,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
}

const (
	// maxItems bounds the devices of one batch, maxBatch their bodies in
	// bytes: JetStream's cost is by message, ours by device.
	maxItems = 256
	maxBatch = 256 << 10
	// maxUnpacked bounds what a packed message may become, in bytes.
	maxUnpacked = 4 << 20
)

// zstdMagic begins a packed message (RFC 8878, section 3.1.1).
var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// packer packs and unpacks messages. It is safe for concurrent use.
type packer struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newPacker() (*packer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(512<<10), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	return &packer{enc, dec}, nil
}

// encode writes a message as it is published, batches packed.
func (p *packer) encode(m *Message) ([]byte, error) {
	b, err := encode(m)
	if err != nil || m.Kind != KindBatch {
		return b, err
	}
	return p.enc.EncodeAll(b, nil), nil
}

// decode reads a message as it was published.
func (p *packer) decode(b []byte) (*Message, error) {
	if len(b) > maxMessage {
		return nil, ErrMessage
	}
	if !bytes.HasPrefix(b, zstdMagic) {
		return decode(b)
	}
	plain, err := p.dec.DecodeAll(b, nil)
	if err != nil {
		return nil, ErrMessage
	}
	return decode(plain)
}

// devices are the messages that a batch stands for.
func (m *Message) devices() []*Message {
	out := make([]*Message, 0, len(m.Items))
	for i := range m.Items {
		it := &m.Items[i]
		out = append(out, &Message{
			Schema: m.Schema, Readable: m.Readable, Source: m.Source, Kind: KindDevice, Scope: m.Scope, ID: it.ID,
			Version: it.Version, At: it.At, Key: m.Key, Gone: it.Gone, Body: it.Body,
		})
	}
	return out
}

func (m *Message) goodItems() bool {
	if len(m.Items) > 0 && m.Kind != KindBatch || len(m.Items) > 4*maxItems {
		return false
	}
	for i := range m.Items {
		if it := &m.Items[i]; !goodName().MatchString(it.ID) || it.Version <= 0 || it.At.IsZero() {
			return false
		}
	}
	return true
}
