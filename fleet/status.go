package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Status asks the cluster for every sensor's health, by the configuration of
// one of them. In mode embedded that sensor must listen.
func Status(ctx context.Context, c Config, now time.Time) ([]Sensor, error) {
	if !c.Enabled() {
		return nil, errors.New("fleet: this sensor is alone: fleet.mode is off")
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Mode == Embedded {
		if c.Listen == "" {
			return nil, errors.New("fleet: fleet.listen is empty: nothing to ask; set it to 127.0.0.1:4222, say")
		}
		c.URLs = []string{"nats://" + c.Listen}
	}
	token, err := readSecret(c.SecretFile)
	if err != nil {
		return nil, err
	}
	nc, err := connect(c, nil, token, nil)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	kv, err := js.KeyValue(ctx, SensorBucket)
	if err != nil {
		return nil, fmt.Errorf("fleet: %s: %w", strings.Join(c.URLs, " "), err)
	}
	keys, err := kv.ListKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	out := []Sensor{}
	for key := range keys.Keys() {
		e, err := kv.Get(ctx, key)
		if err != nil {
			continue // it aged out meanwhile
		}
		var h heardOf
		var health Health
		if json.Unmarshal(e.Value(), &health) == nil && len(out) < maxSensors {
			h.take(health, now, false)
			out = append(out, h.sensor(now))
		}
	}
	slices.SortFunc(out, func(a, b Sensor) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
