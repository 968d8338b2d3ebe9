package demo

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A call that takes longer than the server's patience with slow readers is answered all the same.
func TestALongCallIsAnswered(t *testing.T) {
	t.Parallel()
	d := &Demo{}
	d.risen.Store(true)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := d.begin(w, r)
		if err != nil {
			t.Error(err)
		}
		time.Sleep(150 * time.Millisecond)
		w.WriteHeader(http.StatusNoContent)
	}))
	server.Config.WriteTimeout = 50 * time.Millisecond
	server.Start()
	defer server.Close()
	answer, err := http.Post(server.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Errorf("answered %s", answer.Status)
	}
}
