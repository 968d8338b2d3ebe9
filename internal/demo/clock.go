package demo

import (
	"sync"
	"time"
)

// Clock is the demo's business clock: the real one, moved by an offset. It only ever moves forward, and is safe for
// use by many goroutines.
type Clock struct {
	real func() time.Time

	mu     sync.Mutex
	offset time.Duration
}

// NewClock makes a clock that stands offset away from the real one.
func NewClock(real func() time.Time, offset time.Duration) *Clock {
	return &Clock{real: real, offset: offset}
}

// Now is the present instant by the moved clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.real().Add(c.offset)
}

// Offset is how far the clock stands from the real one, negative when it is behind.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// To moves the clock to the instant at, or leaves it when that has passed.
func (c *Clock) To(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Offsets are differences of wall time: the monotonic reading stands still while a laptop sleeps.
	offset := at.Round(0).Sub(c.real().Round(0))
	c.offset = max(c.offset, offset)
}
