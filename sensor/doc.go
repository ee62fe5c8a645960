// Package sensor turns frames into what is known of devices: workers run
// the packet path (capture → packet → flow → wire) and hand observations
// over one bounded channel to the identifier, which asks device and handset
// who it was and what it is. It knows no country and no policy.
package sensor
