// Package fleet makes several sensors one, over NATS JetStream: they share
// what they know of the devices that a policy concerns, tell people of one
// device under one policy once, and show each other's health.
//
// JetStream is transport and shared cache, never the only copy: a sensor
// commits what it has to say to its own disk first (spool) and publishes it
// under a message id until it is acknowledged. Every message is the whole
// present state of one thing, versioned by the sensor that says it; so order,
// repetition and partitions do not matter. docs/fleet.md lists subjects,
// streams and limits.
package fleet
