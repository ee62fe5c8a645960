package wire

// MiPush is what a client's first packets to Xiaomi's push service say in
// clear. Its slices refer to the input.
type MiPush struct {
	Model   []byte // "Redmi Note 9 Pro"
	Version []byte // of the push client, or of MIUI
	Host    []byte // the front end the client believes to talk to
	System  []byte // OS name and version as sent
}

// Parse reads one packet of the stream (magic C2 FE 00 05) and returns how
// many bytes it took.
func (m *MiPush) Parse(b []byte) (n int, s Status) { return 0, Other }
