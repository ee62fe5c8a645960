package alerts

import (
	"time"

	"picket/evidence"
)

// Store keeps what must outlive the process. Its methods are called from
// the judge and from the notifier, at times at once.
type Store interface {
	// SaveEpisode inserts e or replaces the one with its ID, open or closed.
	SaveEpisode(e evidence.Episode) error
	// Episodes returns the open episodes and those closed since then.
	Episodes(since time.Time) ([]evidence.Episode, error)
	Outbox
}

// Outbox is the part of the Store that holds the alerts that are not fully
// told yet: what a restart or a long outage of Alertmanager must not lose.
type Outbox interface {
	// PutAlert inserts a or replaces the one with its Key.
	PutAlert(a Alert) error
	// DeleteAlert removes the alert with this key; an absent one is no error.
	DeleteAlert(key string) error
	// Alerts returns up to limit alerts with keys after the given one, by key.
	Alerts(after string, limit int) ([]Alert, error)
}

// Announcer is told what becomes of episodes that somebody is to be told of.
// It must not block.
type Announcer interface {
	Announce(Notice)
}

// Notice is one change of an episode.
type Notice struct {
	Kind    NoticeKind
	Episode evidence.Episode
	Since   time.Time // of Opened: the first offending byte, or the verdict if that was later
}

// NoticeKind says what changed.
type NoticeKind string

// The kinds of notice.
const (
	Opened   NoticeKind = "opened"   // tell it
	Changed  NoticeKind = "changed"  // same alert, new text
	Resumed  NoticeKind = "resumed"  // open before a restart, told already
	Resolved NoticeKind = "resolved" // over, CloseReason says why
)
