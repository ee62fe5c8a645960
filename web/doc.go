// Package web is the evidence page and its JSON: read only, rendered here,
// and of use without JavaScript. Nothing comes from outside, nothing is
// inline, and nothing is shown of devices that no policy concerns but how
// many there are.
package web
