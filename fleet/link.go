package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Streams and buckets, and the share of max_store that each may fill.
const (
	StateStream   = "PICKET_STATE"   // the latest of each device and episode of each sensor
	EventStream   = "PICKET_EVENTS"  // lines for others to read
	SensorBucket  = "picket_sensors" // health of each sensor
	ClaimBucket   = "picket_claims"  // which sensor tells people of an episode
	stateShare    = 2                // one half
	eventShare    = 4                // a quarter
	claimShare    = 16
	sensorShare   = 32
	stateAge      = 7 * 24 * time.Hour
	eventAge      = 7 * 24 * time.Hour
	claimAge      = 8 * 24 * time.Hour // longer than an episode is continued
	sensorAge     = 24 * time.Hour
	duplicates    = 2 * time.Minute
	ensureTimeout = 10 * time.Second
)

// connect joins the cluster: in memory where the server is inside us. With
// on, it returns at once and goes on trying while nobody answers, or refuses
// us: somebody may be mending that.
func connect(c Config, inside *server.Server, token string, on *linkEvents) (*nats.Conn, error) {
	opts := []nats.Option{nats.Name("picket " + c.Name), nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2), nats.ReconnectBufSize(-1)}
	if on != nil {
		opts = append(opts, nats.MaxReconnects(-1), nats.ReconnectWait(500*time.Millisecond), nats.RetryOnFailedConnect(true), nats.IgnoreAuthErrorAbort(),
			nats.ConnectHandler(on.changed), nats.ReconnectHandler(on.changed), nats.ReconnectErrHandler(on.failed), nats.ErrorHandler(on.trouble))
	}
	if token != "" {
		opts = append(opts, nats.Token(token))
	}
	urls := ""
	if inside != nil {
		opts = append(opts, nats.InProcessServer(inside))
	} else {
		for i, u := range c.URLs {
			if i > 0 {
				urls += ","
			}
			urls += u
		}
		if c.Credentials != "" {
			opts = append(opts, nats.UserCredentials(c.Credentials))
		}
	}
	tc, err := c.TLS.client()
	if err != nil {
		return nil, err
	}
	if tc != nil {
		opts = append(opts, nats.Secure(tc))
	}
	nc, err := nats.Connect(urls, opts...)
	if err != nil {
		return nil, fmt.Errorf("fleet: no connection to %s: %w", urls, err)
	}
	return nc, nil
}

// linkEvents takes what becomes of a connection.
type linkEvents struct {
	where  string
	wake   chan struct{}
	last   atomic.Pointer[error] // why the latest attempt failed
	report func(error)
}

func (l *linkEvents) changed(*nats.Conn) { wake(l.wake) }

func (l *linkEvents) failed(_ *nats.Conn, err error) {
	l.last.Store(&err)
	wake(l.wake)
}

// trouble is what the server said while we were connected: that we may not do
// something, or are too slow.
func (l *linkEvents) trouble(_ *nats.Conn, s *nats.Subscription, err error) {
	l.report(fmt.Errorf("fleet: %s: %w", l.where, err))
}

// why says why there is no connection.
func (l *linkEvents) why() error {
	err := errAlone
	if last := l.last.Load(); last != nil {
		err = *last
	}
	return fmt.Errorf("fleet: no connection to %s: %w", l.where, err)
}

// stores are the streams and buckets, once they are there.
type stores struct {
	js      jetstream.JetStream
	state   jetstream.Stream
	sensors jetstream.KeyValue
	claims  jetstream.KeyValue
}

// ensure finds the streams and buckets, or makes them. What another sensor
// made is left as it is, but for a number of copies lower than ours.
func ensure(ctx context.Context, js jetstream.JetStream, c Config) (*stores, error) {
	ctx, cancel := context.WithTimeout(ctx, ensureTimeout)
	defer cancel()
	out := &stores{js: js}
	var err error
	if out.state, err = ensureStream(ctx, js, jetstream.StreamConfig{
		Name: StateStream, Description: "picket: the latest state of each device and episode of each sensor",
		Subjects: stateSubjects(), MaxMsgsPerSubject: 1,
		MaxBytes: int64(c.MaxStore) / stateShare, MaxAge: stateAge, MaxMsgSize: maxMessage + 4096, Discard: jetstream.DiscardOld,
		Duplicates: duplicates, Replicas: c.Replicas, AllowDirect: true,
	}); err != nil {
		return nil, err
	}
	if _, err = ensureStream(ctx, js, jetstream.StreamConfig{
		Name: EventStream, Description: "picket: lines for log stores and SIEMs", Subjects: []string{prefix + string(KindEvent) + ".>"},
		MaxBytes: int64(c.MaxStore) / eventShare, MaxAge: eventAge, MaxMsgSize: maxMessage + 4096, Discard: jetstream.DiscardOld,
		Duplicates: duplicates, Replicas: c.Replicas,
	}); err != nil {
		return nil, err
	}
	if out.sensors, err = ensureBucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: SensorBucket, Description: "picket: health of each sensor", TTL: sensorAge, MaxBytes: int64(c.MaxStore) / sensorShare, Replicas: c.Replicas,
	}); err != nil {
		return nil, err
	}
	out.claims, err = ensureBucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: ClaimBucket, Description: "picket: who tells people of an episode", TTL: claimAge, MaxBytes: int64(c.MaxStore) / claimShare, Replicas: c.Replicas,
	})
	return out, err
}

func stateSubjects() []string {
	var out []string
	for _, k := range [...]Kind{KindDevice, KindBatch, KindEpisode, KindForget, KindPartial} {
		out = append(out, prefix+string(k)+".>")
	}
	return out
}

func ensureStream(ctx context.Context, js jetstream.JetStream, c jetstream.StreamConfig) (jetstream.Stream, error) {
	s, err := js.Stream(ctx, c.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = js.CreateStream(ctx, c)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another sensor was quicker
			s, err = js.Stream(ctx, c.Name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: stream %s: %w", c.Name, err)
	}
	there := s.CachedInfo().Config
	missing := slices.DeleteFunc(slices.Clone(c.Subjects), func(w string) bool { return slices.Contains(there.Subjects, w) })
	if there.Replicas < c.Replicas || len(missing) > 0 { // made by a sensor of an earlier version, too
		there.Replicas, there.Subjects = max(there.Replicas, c.Replicas), append(there.Subjects, missing...)
		if s, err = js.UpdateStream(ctx, there); err != nil {
			return nil, fmt.Errorf("fleet: stream %s: %w", c.Name, err)
		}
	}
	return s, nil
}

func ensureBucket(ctx context.Context, js jetstream.JetStream, c jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	kv, err := js.KeyValue(ctx, c.Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = js.CreateKeyValue(ctx, c)
		if errors.Is(err, jetstream.ErrBucketExists) {
			kv, err = js.KeyValue(ctx, c.Bucket)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: bucket %s: %w", c.Bucket, err)
	}
	return kv, nil
}
