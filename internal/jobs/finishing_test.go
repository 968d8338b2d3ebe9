package jobs

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A mail server may take its time. Only a program that is stopping hurries it, and only a mail it was told of.
func TestADialogueIsHurriedByAStopAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct{ stopAfter, lasts time.Duration }{
			"the program goes on": {time.Hour, longest},
			"it stops":            {time.Minute, time.Minute + dialogue},
			"it stops late":       {longest - time.Second, longest},
			"it is stopping":      {0, dialogue},
		} {
			program, stop := context.WithCancel(t.Context())
			timer := time.AfterFunc(test.stopAfter, stop)
			began := time.Now()
			sending, end := finishing(program, longest)
			<-sending.Done()
			if got := time.Since(began); got != test.lasts {
				t.Errorf("%s: a dialogue may last %v, not %v", name, got, test.lasts)
			}
			end()
			timer.Stop()
			stop()
		}
		sending, end := finishing(t.Context(), longest)
		end()
		if sending.Err() == nil {
			t.Error("a dialogue that is over holds its context")
		}
	})
	if longest >= sendLease {
		t.Error("a mail may be called uncertain while it is handed over")
	}
}
