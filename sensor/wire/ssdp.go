package wire

// ParseSSDP reads one datagram of UDP port 1900: M-SEARCH, NOTIFY, or the
// answer to a search (UPnP Device Architecture 2.0, section 1). Of a message
// that lacks its end, as many do, what is there is read and Partial is set.
func (h *HTTP) ParseSSDP(b []byte) error {
	switch _, s := h.Parse(b); s {
	case More:
		if h.PartialHead(b) != Whole {
			return ErrTruncated
		}
	case Other:
		return ErrOther
	}
	switch {
	case h.Response && h.Code == 200, string(h.Method) == "M-SEARCH", string(h.Method) == "NOTIFY":
		return nil
	}
	return ErrOther
}
