package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// DeliveryMode makes deliveries as bad as the real ones can be. Each number is how many of a hundred are treated so.
type DeliveryMode struct {
	// Late ones are held back until the next round: a later DeliverWebhooks, or two seconds of real time.
	Late int
	// Doubled ones are delivered twice.
	Doubled int
	// Shuffled ones are moved to a chance place among those waiting.
	Shuffled int
	// Dropped ones are never delivered; events.list shows them with delivery_success=false.
	Dropped int
}

// delivery is one event on its way to one receiver.
type delivery struct {
	Event, Endpoint       string
	Copy                  bool
	Decided, Done, Failed bool
	GivenUp               bool
	Held                  uint64 // the round it was held back in; 0 is none
	Tries                 int
	// NotBefore and Since are real time, in nanoseconds and seconds: receivers live in real time.
	NotBefore, Since int64

	inFlight bool
}

const (
	receiverTimeout = 10 * time.Second
	holdBack        = 2 * time.Second
	longestWait     = 5 * time.Minute
	giveUpAfter     = 3 * 24 * time.Hour
)

func newReceiverClient() *http.Client {
	return &http.Client{
		Timeout:   receiverTimeout,
		Transport: &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: 10 * time.Second},
		// Stripe takes a redirect for a failure.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// SetDelivery changes how deliveries behave from now on.
func (s *Server) SetDelivery(mode DeliveryMode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory.Delivering = mode
}

// DeliverWebhooks delivers what is waiting, one after another, until nothing is left that can be delivered now. What a
// receiver refuses is tried again later, after a growing wait in real time, and does not make this an error; only the
// end of ctx does.
func (s *Server) DeliverWebhooks(ctx context.Context) error {
	s.mu.Lock()
	s.round++
	round := s.round
	s.mu.Unlock()
	for {
		err := ctx.Err()
		if err != nil {
			return fmt.Errorf("deliver webhooks: %w", err)
		}
		taken, busy := s.take(round)
		if taken == nil && !busy {
			return nil
		}
		if taken == nil {
			// The loop of AutoTick has one on its way: wait for it, what it causes may be ours to deliver.
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Millisecond):
			}
			continue
		}
		s.deliver(ctx, taken)
	}
}

func (s *Server) deliverForever() {
	defer s.loops.Done()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	for ctx.Err() == nil {
		taken, _ := s.take(0)
		if taken != nil {
			s.deliver(ctx, taken)
			continue
		}
		select {
		case <-s.closed:
			return
		case <-s.woken:
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// parcel is a delivery taken out of the state, so that no lock is held on its way.
type parcel struct {
	delivery    *delivery
	url, secret string
	body        []byte
}

// take picks the next delivery. round is that of the synchronous call, 0 for the loop. busy tells of deliveries that
// somebody else has on the way.
func (s *Server) take(round uint64) (taken *parcel, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UnixNano()
	s.decideFates(now)
	s.forgetDelivered()
	for _, d := range s.memory.Deliveries {
		if d.inFlight {
			busy = true
		}
		if d.inFlight || d.Done || d.GivenUp {
			continue
		}
		released := d.Held > 0 && round > d.Held
		if d.NotBefore > now && !released {
			continue
		}
		receiver, ok := s.memory.Endpoints.get(d.Endpoint)
		event, okEvent := s.memory.Events.get(d.Event)
		if !ok || !okEvent {
			d.GivenUp = true
			continue
		}
		d.inFlight, d.Held = true, 0
		return &parcel{delivery: d, url: receiver.URL, secret: s.memory.Secret, body: encode(s.drawEvent(event, receiver.APIVersion))}, busy
	}
	return nil, busy
}

// decideFates draws once for each new delivery what the mode makes of it.
func (s *Server) decideFates(now int64) {
	mode := s.memory.Delivering
	for i := 0; i < len(s.memory.Deliveries); i++ {
		d := s.memory.Deliveries[i]
		if d.Decided {
			continue
		}
		d.Decided, d.Since = true, now/int64(time.Second)
		if s.chance(mode.Dropped) {
			d.GivenUp, d.Failed = true, true
			continue
		}
		if s.chance(mode.Late) {
			d.Held, d.NotBefore = max(s.round, 1), now+int64(holdBack)
		}
		if s.chance(mode.Doubled) {
			twin := *d
			twin.Copy = true
			s.memory.Deliveries = append(s.memory.Deliveries, &twin)
		}
		if s.chance(mode.Shuffled) {
			other := s.draw(len(s.memory.Deliveries))
			s.memory.Deliveries[i], s.memory.Deliveries[other] = s.memory.Deliveries[other], s.memory.Deliveries[i]
			if other > i {
				// What came here in its place has not been looked at yet.
				i--
			}
		}
	}
}

// draw gives a number below n, from the seed like everything else.
func (s *Server) draw(n int) int {
	drawn := 0
	for _, sign := range []byte(s.token(4)) {
		drawn = drawn*62 + int(sign)
	}
	return drawn % n
}

func (s *Server) chance(percent int) bool { return percent > 0 && s.draw(100) < percent }

// forgetDelivered keeps the list short: what is done need not be looked at again.
func (s *Server) forgetDelivered() {
	if len(s.memory.Deliveries) < 256 {
		return
	}
	s.memory.Deliveries = slices.DeleteFunc(s.memory.Deliveries, func(d *delivery) bool { return d.Done && !d.inFlight })
}

func (s *Server) deliver(ctx context.Context, p *parcel) {
	err := s.post(ctx, p)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := p.delivery
	d.inFlight = false
	d.Tries++
	if err == nil {
		d.Done, d.Failed = true, false
		return
	}
	if ctx.Err() != nil {
		return // Nobody refused it: the sandbox is ending.
	}
	d.Failed = true
	s.log.Info("a webhook was not taken", "event", d.Event, "endpoint", d.Endpoint, "tries", d.Tries, "error", err)
	if d.Copy || time.Since(time.Unix(d.Since, 0)) > giveUpAfter {
		d.GivenUp = true
		return
	}
	wait := time.Second << min(d.Tries-1, 9)
	d.NotBefore = time.Now().Add(min(wait, longestWait)).UnixNano()
}

// post sends one event with Stripe's signature over the real time.
func (s *Server) post(ctx context.Context, p *parcel) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	stamp := time.Now().Unix()
	mac := hmac.New(sha256.New, []byte(p.secret))
	fmt.Fprintf(mac, "%d.", stamp)
	mac.Write(p.body)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	request.Header.Set("Stripe-Signature", fmt.Sprintf("t=%d,v1=%s", stamp, hex.EncodeToString(mac.Sum(nil))))
	response, err := s.receivers.Do(request)
	if err != nil {
		return fmt.Errorf("reach the receiver: %w", err)
	}
	defer func() {
		err := response.Body.Close()
		if err != nil {
			s.log.Debug("a receiver's answer could not be closed", "error", err)
		}
	}()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("read the receiver's answer: %w", err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("the receiver answered %d", response.StatusCode)
	}
	return nil
}
