package main

import (
	"fmt"
	"net/netip"
	"strings"

	"picket/sensor/observation"
	"picket/sensor/packet"
)

// Shares from which something is worth a word.
const (
	worthNaming = 0.001
	worthACall  = 0.01
)

// report turns counts into words.
func (r *surveyed) report() *surveyReport {
	s := &r.survey
	p := &surveyReport{Frames: s.Frames, Bytes: s.Bytes, Seconds: float64(s.Last-s.First) / 1e9, Findings: []finding{}, Can: []string{}, Cannot: []string{}, Commands: []string{}}
	if s.Frames == 0 {
		p.add("bad", "no frame arrived", "Is the monitor session up, and the cable in the right port? `ip -s link` counts frames even without picket.")
		return p
	}
	if s.Talk > 0 {
		r.directions(p)
		r.losses(p)
	} else {
		p.add("bad", "no conversation between two addresses was seen: broadcasts and multicasts alone arrive, as at any port that mirrors nothing",
			"Is the monitor session up, and this its destination? Was it a quiet hour?")
	}
	r.shape(p)
	if s.Talk > 0 {
		r.homes(p)
	}
	r.position(p)
	r.sources(p)
	r.settings(p)
	return p
}

func (p *surveyReport) add(grade, text, remedy string) {
	p.Findings = append(p.Findings, finding{grade, text, remedy})
}

func share(n, all uint64) float64 {
	if all == 0 {
		return 0
	}
	return float64(n) / float64(all)
}

// directions: both, one, or each frame twice.
func (r *surveyed) directions(p *surveyReport) {
	f := &r.stats.Flow
	if f.OneWay {
		p.add("bad", "only one direction of conversations is seen", "Mirror both directions (rx and tx) of the port, or ingress of both sides; meanwhile flows are marked one-way.")
	} else {
		p.add("good", "both directions of conversations are seen, as far as a short look tells", "")
	}
	if f.Doubled || share(f.Duplicates, f.Frames) > worthACall {
		p.add("note", fmt.Sprintf("frames come twice (%d copies): they are counted once", f.Duplicates), "Mirror one side of the router only, or ingress alone on all ports: it halves the load.")
	}
}

// losses: before the span, in the switch, and here.
func (r *surveyed) losses(p *surveyReport) {
	missed := share(r.stats.MissedBytes, r.survey.Bytes)
	switch {
	case missed > worthACall:
		p.add("bad", fmt.Sprintf("%.1f %% of the bytes were acknowledged and never seen: the span drops frames", 100*missed), "The mirror port is oversubscribed: a faster port, fewer mirrored ports, or a tap.")
	case missed > worthNaming:
		p.add("note", fmt.Sprintf("%.2f %% of the bytes were acknowledged and never seen", 100*missed), "Watch picket's metric of missed bytes at the busiest hour.")
	default:
		p.add("good", "nothing was lost upstream of the span, by the acknowledgements", "")
	}
	if n := r.lost.DroppedKernel + r.lost.DroppedInterface + r.lost.DroppedSoftnet; n > 0 {
		p.add("bad", fmt.Sprintf("%d frames were dropped by this machine: %d ring, %d interface, %d backlog", n, r.lost.DroppedKernel, r.lost.DroppedInterface, r.lost.DroppedSoftnet),
			"A larger capture.ring_size, more limits.workers, and the largest receive ring: ethtool -G "+r.name+" rx MAX (ethtool -g shows it).")
	}
}

// shape: tags, tunnels, cut and merged frames.
func (r *surveyed) shape(p *surveyReport) {
	s := &r.survey
	var tags []string
	for id, n := range s.VLANs {
		if n > 0 && id != 0 && len(tags) < 32 {
			tags = append(tags, fmt.Sprintf("%d (%.1f %%)", id, 100*share(n, s.Frames)))
		}
	}
	if len(tags) > 0 {
		p.add("good", "VLANs: "+strings.Join(tags, ", "), "")
	} else {
		p.add("note", "no VLAN tags: where a device is, and networks that share addresses, cannot be told apart by VLAN", "")
	}
	for l, n := range s.Layers {
		if layer := packet.Layer(l); n > 0 && layer != packet.VLAN && layer != packet.NoLayer {
			p.add("note", fmt.Sprintf("encapsulation %s in %.1f %% of the frames: it is looked into", layer, 100*share(n, s.Frames)), "")
		}
	}
	if f := share(s.Cut, s.Frames); f > worthNaming {
		p.add("bad", fmt.Sprintf("%.1f %% of the frames were cut short", 100*f), "Raise the snap length, here and of the mirror (\"truncate\", \"max-frame\"): names at the end of a ClientHello are lost.")
	}
	if f := share(s.Super, s.Frames); f > worthNaming {
		p.add("note", fmt.Sprintf("%.1f %% are super-frames, up to %d bytes: an offload merged them", 100*f, s.Largest), "Turn it off with the ethtool line below; counts stay right either way.")
	}
	for i, n := range s.Stops {
		reason := packet.Reason(i)
		if reason != packet.Decoded && reason != packet.Control && share(n, s.Frames) > worthACall {
			p.add("note", fmt.Sprintf("%.1f %% of the frames go no further: %s", 100*share(n, s.Frames), reason), "")
		}
	}
}

// homes: which networks are ours.
func (r *surveyed) homes(p *surveyReport) {
	f := &r.stats.Flow
	lost := share(f.NoHome, f.Bytes)
	strays := r.strays.Prefixes()
	if lost > worthACall && len(strays) > 0 {
		p.add("bad", fmt.Sprintf("%.1f %% of the bytes have no end in home_networks", 100*lost), "These look like home: "+prefixWords(strays)+"; the configuration below adds them.")
		return
	}
	p.add("good", fmt.Sprintf("home_networks fit: %.1f %% of the bytes have an end there", 100*(1-lost)), "")
}

// position: where in the network the span is.
func (r *surveyed) position(p *surveyReport) {
	s := &r.survey
	macs, addrs, most := s.Senders()
	switch {
	case macs == 0:
		p.add("note", "no hardware addresses of devices are seen", "")
	case macs <= 2 && addrs >= 8:
		p.add("bad", fmt.Sprintf("%d addresses at home share %d hardware addresses: the span is behind a router", addrs, macs), "Tap before the first router (docs/tap.md), or feed leases, RADIUS or a controller to picket.")
	case most >= 64:
		p.add("note", fmt.Sprintf("one hardware address sends for %d addresses: a router is among the %d senders", most, macs), "")
	default:
		p.add("good", fmt.Sprintf("%d hardware addresses send from %d addresses: the span is at the devices' own link", macs, addrs), "")
	}
	if s.Behind > s.Direct {
		p.add("note", "most connections from home have passed a router already", "")
	}
	if n := s.Translators(); n > 0 {
		p.add("note", fmt.Sprintf("%d addresses at home send for several systems: translation (NAT) or phones that share their connection", n), "Their devices are not told apart, and nobody among them can be `certain`.")
	}
	if s.CGNAT > 0 {
		p.add("note", "addresses of 100.64.0.0/10: a carrier's or a controller's translation is near", "Add 100.64.0.0/10 to home_networks where these are devices of yours.")
	}
	if s.NAT64 > 0 {
		p.add("note", "IPv6 addresses of NAT64 (64:ff9b::/96): the IPv4 inside is judged", "A translator with a prefix of its own goes to geo.nat64.")
	}
}

func prefixWords(list []netip.Prefix) string {
	var words []string
	for _, p := range list {
		words = append(words, p.String())
	}
	return strings.Join(words, ", ")
}

// sources: which evidence this span can give.
func (r *surveyed) sources(p *surveyReport) {
	s := &r.survey
	macs, addrs, _ := s.Senders()
	can := func(seen bool, yes, no string) {
		if seen {
			p.Can = append(p.Can, yes)
		} else {
			p.Cannot = append(p.Cannot, no)
		}
	}
	can(macs > 2 || macs > 0 && addrs < 8, "maker by hardware address, where it is not randomised", "maker by hardware address: routers' addresses alone are seen")
	can(s.Seen(observation.DHCP) > 0, fmt.Sprintf("devices by DHCP (%d messages, %d leases)", s.Seen(observation.DHCP), s.Leases), "devices by DHCP: mirror the clients' VLAN before the relay, or give picket the server's leases")
	if s.IPv6 > 0 {
		can(s.Seen(observation.ND) > 0, "IPv6 addresses of one device joined (neighbour discovery)", "IPv6 addresses of one device joined: no neighbour discovery is seen")
	}
	can(s.RADIUS > 0, "who and where by RADIUS accounting", "where a device is by RADIUS: no accounting is seen")
	asks, talks := s.Askers(), s.Talkers()
	switch {
	case asks > 2 && asks*4 >= talks:
		p.Can = append(p.Can, fmt.Sprintf("names by the clients' own DNS (%d clients)", asks))
	case asks > 0 && talks > 4*asks:
		p.Cannot = append(p.Cannot, fmt.Sprintf("who asked a name: %d addresses ask for %d clients, a resolver is in front of the span", asks, talks))
	case asks > 0:
		p.Can = append(p.Can, fmt.Sprintf("names by DNS (%d clients: too few to tell whether a resolver is in front)", asks))
	default:
		p.Cannot = append(p.Cannot, "names by DNS: none is seen; encrypted, or answered before the span")
	}
	can(talks > 0, fmt.Sprintf("names by TLS and QUIC (%d hellos)", s.Seen(observation.TLS)+s.Seen(observation.QUIC)), "names by TLS and QUIC: no hello is seen")
	if s.ECH > 0 {
		p.Cannot = append(p.Cannot, fmt.Sprintf("names of %d connections with encrypted ClientHello", s.ECH))
	}
	can(s.Talk > 0 && !r.stats.Flow.OneWay, "bytes sent, and whether anybody answered", or(map[bool]string{false: "bytes sent: no conversation is seen"}[s.Talk > 0], "whether anybody answered: one direction only"))
}

// settings: what to write and to run.
func (r *surveyed) settings(p *surveyReport) {
	var b strings.Builder
	if r.name != "" {
		fmt.Fprintf(&b, "interfaces: [%s]\n", r.name)
	}
	home := r.cfg.Home()
	if lost := share(r.stats.Flow.NoHome, r.stats.Flow.Bytes); lost > worthACall {
		home = append(home, r.strays.Prefixes()...)
	}
	fmt.Fprintf(&b, "home_networks: [%s]\n", prefixWords(home))
	for _, t := range [...]struct {
		layer packet.Layer
		name  string
	}{{packet.ERSPAN, "erspan"}, {packet.VXLAN, "vxlan"}, {packet.CAPWAP, "capwap"}, {packet.GRE, "gre"}} {
		if share(r.survey.Layers[t.layer], r.survey.Frames) > 0.5 {
			fmt.Fprintf(&b, "capture: {tunnel: %s}\n", t.name)
			break
		}
	}
	p.Config = b.String()
	if len(r.on) > 0 {
		for _, o := range r.on {
			p.add("note", "offload "+o.name+" is on: it "+o.harm, "")
		}
		p.Commands = append(p.Commands, offloadLine(r.name, r.on))
	}
	if r.name != "" {
		p.Commands = append(p.Commands,
			fmt.Sprintf("ip link set dev %s arp off multicast off up && ip addr flush dev %s", r.name, r.name),
			fmt.Sprintf("sysctl -w net.ipv6.conf.%s.disable_ipv6=1", r.name))
		if r.onErr != nil {
			p.add("note", "offloads cannot be read: "+r.onErr.Error(), "")
		}
	}
}
