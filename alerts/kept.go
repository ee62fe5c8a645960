package alerts

import (
	"encoding/json"
	"fmt"

	"picket/evidence"
)

// Kept is the Store on disk: episodes as package evidence keeps them, the
// outbox as JSON beside them.
type Kept struct{ *evidence.Store }

var _ Store = Kept{}

// PutAlert implements Outbox.
func (k Kept) PutAlert(a Alert) error {
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("alert %s: %w", a.Key, err)
	}
	return k.PutBlob(a.Key, body)
}

// DeleteAlert implements Outbox.
func (k Kept) DeleteAlert(key string) error { return k.DeleteBlob(key) }

// Alerts implements Outbox.
func (k Kept) Alerts(after string, limit int) ([]Alert, error) {
	var out []Alert
	err := k.Blobs(after, limit, func(key string, body []byte) error {
		var a Alert
		if err := json.Unmarshal(body, &a); err != nil {
			return fmt.Errorf("alert %s: %w", key, err)
		}
		out = append(out, a)
		return nil
	})
	return out, err
}
