package handset

// Network is what is known about the address behind which a device sits.
type Network struct {
	SharedAddress    bool // several devices are known to stand behind the address
	LeaseholderKnown bool // DHCP identifies the device that holds the address
}
