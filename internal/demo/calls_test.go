package demo

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// bounded is an answer that has to be written in time.
type bounded struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (b *bounded) SetWriteDeadline(until time.Time) error {
	b.until = until
	return nil
}

// A call that takes longer than the server's patience with slow readers is answered all the same.
func TestALongCallIsAnswered(t *testing.T) {
	t.Parallel()
	d := &Demo{}
	d.risen.Store(true)
	w := &bounded{httptest.NewRecorder(), time.Now().Add(time.Minute)}
	err := d.begin(w, httptest.NewRequest(http.MethodPost, "/demo/clock", nil))
	if err != nil || !w.until.IsZero() {
		t.Errorf("it has to be answered by %s: %v", w.until, err)
	}
}
