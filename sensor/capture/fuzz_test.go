package capture

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// FuzzFile: whatever the bytes, reading ends, lends no more than was there,
// and copying nothing stays within the window.
func FuzzFile(f *testing.F) {
	f.Add(pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 1, 0, three...))
	f.Add(pcapBytes(binary.BigEndian, 0xa1b23c4d, 4, 101, 0, three...))
	f.Add(pcapBytes(binary.LittleEndian, 0xa1b2cd34, 4, 1, 8, three...))
	f.Add(pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 4, 1, 8, three...))
	f.Add(pcapBytes(binary.LittleEndian, 0xa1b2c3d4, 2, 1, 0, three...))
	f.Add(ngBytes(binary.LittleEndian))
	f.Add(append(ngBytes(binary.BigEndian), ngBytes(binary.LittleEndian)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1 && data[0] == 0x1f || len(data) > 3 && isZstd(data) {
			return // the decompressors are others' work
		}
		r, err := NewFile("fuzz", bytes.NewReader(data), 0)
		if err != nil {
			return
		}
		defer r.Close()
		batch := make([]Frame, 4)
		for seen := 0; ; {
			n, err := r.Next(batch)
			for _, fr := range batch[:n] {
				if seen += len(fr.Data); fr.Wire < len(fr.Data) {
					t.Fatalf("wire %d, captured %d", fr.Wire, len(fr.Data))
				}
			}
			if seen > len(data) {
				t.Fatalf("%d bytes lent of a file of %d", seen, len(data))
			}
			if err != nil {
				return
			}
			if n == 0 {
				t.Fatal("no frames and no error")
			}
		}
	})
}
