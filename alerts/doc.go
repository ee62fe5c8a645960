// Package alerts turns what devices did into pages that an officer acts on:
// policy (pure), judge, episodes, metrics, Alertmanager.
//
// A Policy says which devices may not send how much to which places. Judge
// is the sensor's Sink: it places every server, asks every policy, and keeps
// one episode per device and policy from the first byte to quiet. What it
// opens goes to the Store, the Metrics and the Notifier, which tells every
// Alertmanager and forgets nothing while they are down.
//
// Reading order: policy.go, match.go, account.go, judge.go, notifier.go.
package alerts
