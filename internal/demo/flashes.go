package demo

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"sollecito/internal/l10n"
)

// told is what a flash tells of.
type told int

const (
	toldMoved told = iota + 1
	toldFailed
	toldPaid
)

// flash is what the act just done led to, for the page that is shown after it.
type flash struct {
	kind  told
	count int    // letters that went out
	name  string // of the customer
}

// mostFlashes is how many are remembered; older ones are forgotten.
const mostFlashes = 100

// flashes keeps what is to be told until its page is shown, under a name that the address carries. Showing the page
// changes nothing, so that it may be loaded again.
type flashes struct {
	mu    sync.Mutex
	byID  map[string]flash
	order []string
}

func (f *flashes) add(one flash) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byID == nil {
		f.byID = map[string]flash{}
	}
	id := rand.Text()[:12]
	f.byID[id] = one
	f.order = append(f.order, id)
	if len(f.order) > mostFlashes {
		delete(f.byID, f.order[0])
		f.order = f.order[1:]
	}
	return id
}

func (f *flashes) get(id string) flash {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.byID[id]
}

// words is the sentence of a flash, "" for the zero one.
func (f flash) words(l *l10n.Locale, now time.Time) string {
	switch f.kind {
	case toldMoved:
		return fmt.Sprintf("It is now %s, %s. %s.", l.Day(now), l.Clock(now), letters(f.count))
	case toldFailed:
		return fmt.Sprintf("The renewal of %s failed. %s.", f.name, letters(f.count))
	case toldPaid:
		return fmt.Sprintf("The invoice is paid. %s.", letters(f.count))
	}
	return ""
}

func letters(n int) string {
	switch n {
	case 0:
		return "No letter went out"
	case 1:
		return "One letter went out"
	}
	return fmt.Sprintf("%d letters went out", n)
}
