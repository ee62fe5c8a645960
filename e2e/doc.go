// Package e2e proves the whole system: real phones' traffic in network
// namespaces made for the test, a span port, the real binary, a real
// Prometheus and a real Alertmanager with the shipped configurations, and a
// webhook that records what an officer would have been told.
//
// The tests need root, iproute2, dnsmasq and dhclient, and skip with a word
// where something is missing. PICKET_BINARY names a binary to test instead
// of building one; PICKET_EPISODES is how many episodes the latency is
// measured over.
package e2e
