package jobs

import (
	"testing"
	"testing/synctest"
	"time"

	"sollecito/internal/outbox"
)

// A batch ends, however long the mail server takes and however much is due: after a while nothing more is claimed for it.
func TestABatchClaimsNothingMoreAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSupply(&Sender{Connections: 4, Real: time.Now}, 4) // without a database: to claim would be a panic
		p.open.Store(1)
		time.Sleep(sendLease / 2)
		claimed := make(chan []outbox.Notice, 1)
		go func() { claimed <- p.more(t.Context()) }()
		time.Sleep(10 * slowDialogue)
		p.finished()
		if more := <-claimed; len(more) > 0 {
			t.Errorf("%d more were claimed", len(more))
		}
	})
}
