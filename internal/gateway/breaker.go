package gateway

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	longWait     = 5 * time.Second  // what fails sooner costs nobody anything, and is asked again whenever it is wanted
	mostSilences = 4                // exchanges waited for in vain one after the other, after which it is Stripe and not the request
	leftAlone    = 10 * time.Second // until one more is tried
)

// errSilent is a request that was not made: Stripe takes them and does not answer.
var errSilent = errors.New("it was asked in vain again and again, and is left alone for a moment")

// breaker is a circuit breaker for a Stripe that takes requests and answers none. Each would be waited for to the end of its
// time, and what asks for many things one after the other, as time's tasks do, would stand still for as long as it lasts. So
// all fail at once but for one now and then, which finds out whether it is over. The zero breaker is ready for use.
type breaker struct {
	mu    sync.Mutex
	times int       // exchanges waited for in vain since the last answer
	until time.Time // nobody asks before
}

// allows reports whether to ask at all.
func (b *breaker) allows(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.times < mostSilences {
		return true
	}
	if now.Before(b.until) {
		return false
	}
	b.until = now.Add(leftAlone) // this one finds out
	return true
}

// answered is told of an answer, whatever it says.
func (b *breaker) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.times = 0
}

// unanswered is told of an exchange that ended without one. Whose asker left says nothing of Stripe.
func (b *breaker) unanswered(ctx context.Context, since time.Time) {
	now := time.Now()
	if now.Sub(since) < longWait || errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.times++
	b.until = now.Add(leftAlone)
}
