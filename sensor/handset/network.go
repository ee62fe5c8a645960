package handset

// Network is what is known about the address behind which a device sits.
type Network struct {
	SharedAddress bool // several devices are known to stand behind the address
	// LeaseholderKnown says that DHCP was seen for the address. It makes
	// nobody certain by itself: behind a shared address only a maker that
	// the DHCP evidence in the dossier names can be.
	LeaseholderKnown bool
}
