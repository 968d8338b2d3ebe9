package portal_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"
)

// A body that does not arrive is waited for ten seconds, then refused, and nothing of it is kept.
func TestASlowEventIsCutOff(t *testing.T) {
	t.Parallel()
	h := open(t)
	conn, err := net.Dial("tcp", h.config.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	fmt.Fprintf(conn, "POST /webhooks/stripe HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\nStripe-Signature: t=1,v1=00\r\n\r\n{", h.config.Listen)
	err = conn.SetReadDeadline(began.Add(20 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer after %s: %v", time.Since(began), err)
	}
	resp.Body.Close()
	if took := time.Since(began); resp.StatusCode != http.StatusBadRequest || took < 8*time.Second || took > 15*time.Second {
		t.Errorf("answered %d after %s", resp.StatusCode, took)
	}
	if got := h.events("1=1"); got != 0 {
		t.Errorf("%d events were kept", got)
	}
}
