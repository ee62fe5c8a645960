// Package flow holds the conversations that are alive: which end opened
// them and which end is ours, their bytes by direction, each once, and the
// first bytes of their streams. Time is packet time. Nothing is allocated
// for a frame of a known flow.
package flow
