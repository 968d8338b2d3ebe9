package webhook

import (
	"hash/fnv"
	"strconv"
	"time"
)

// Status says what became of a delivery.
type Status string

// The states. A delivered or failed one can be ordered again, and is pending then.
const (
	Pending   Status = "pending"   // to be tried, or tried again, at its time
	Delivered Status = "delivered" // the endpoint has taken it
	Failed    Status = "failed"    // given up
)

// Delivery is one message to one endpoint. Whoever keeps a fact makes it in the same transaction; it is tried until it is taken
// or given up, and forgotten a month later. Instants are unix seconds of business time but for the lease, which is real.
type Delivery struct {
	ID         string
	MessageID  string // the webhook-id
	EndpointID string
	CustomerID string // "" for a test
	Type       Type
	Body       string
	Status     Status
	Attempts   int
	Code       int    // the last answer's, 0 for none
	Reason     string // why the last try failed, in our words
	CreatedAt  int64
	DueAt      int64
	TriedAt    int64
	SettledAt  int64

	leaseUntil int64
}

// waits are how long after a try that failed the next one comes: from five seconds to a day, three days in all, as the
// specification proposes.
var waits = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// MostAttempts is how often a message is tried before it is given up.
var MostAttempts = len(waits) + 1

// next answers when a delivery is tried again that failed now for so many times in all, and false when it is given up. What
// failed together does not come back at once: up to a tenth is added, by the delivery's own id.
func (d Delivery) next(attempts int, now time.Time) (time.Time, bool) {
	if attempts > len(waits) {
		return time.Time{}, false
	}
	wait := waits[max(attempts, 1)-1]
	h := fnv.New32a()
	h.Write([]byte(d.ID + strconv.Itoa(attempts)))
	return now.Add(wait + wait/10*time.Duration(h.Sum32()%1000)/1000), true
}
