package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stopping is a portal that is answering a request when it is told to stop.
type stopping struct {
	*process
	file string
	conn net.Conn
}

func beginStopping(t *testing.T) stopping {
	t.Helper()
	box := begin(t, nil, "sandbox", "--listen", "127.0.0.1:0", "--smtp", "127.0.0.1:0")
	s := stopping{file: filepath.Join(t.TempDir(), "sollecito.db")}
	env := []string{"SOLLECITO_LISTEN=127.0.0.1:0", "SOLLECITO_DATABASE_URL=sqlite:" + s.file}
	for range 17 {
		line, ok := <-box.lines
		if !ok {
			t.Fatalf("sandbox ended: %s", box.stderr)
		}
		if !strings.HasPrefix(line, "SOLLECITO_LISTEN=") {
			env = append(env, line)
		}
	}
	s.process = begin(t, env, "serve")
	for line := range s.lines {
		address, stands := strings.CutPrefix(line, "Sollecito listens on http://")
		if !stands {
			continue
		}
		var err error
		s.conn, err = net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.conn.Close() })
		fmt.Fprint(s.conn, "POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
		// The portal asks for the body: it is answering now.
		first := make([]byte, len("HTTP/1.1 100"))
		_, err = s.conn.Read(first)
		if err != nil || string(first) != "HTTP/1.1 100" {
			t.Fatalf("the portal asks for the body: %q, %v", first, err)
		}
		return s
	}
	t.Fatalf("serve ended: %s", s.stderr)
	return s
}

func (s stopping) signal(t *testing.T) {
	t.Helper()
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if err != nil {
		t.Fatal(err)
	}
}

// timeout(1) signals a program and then its group, so that the program hears it twice: it still ends gently.
func TestOneStopThatIsHeardTwiceIsGentle(t *testing.T) {
	t.Parallel()
	s := beginStopping(t)
	s.signal(t)
	time.Sleep(50 * time.Millisecond)
	s.signal(t)
	time.Sleep(50 * time.Millisecond)
	fmt.Fprint(s.conn, "{}")
	answers := bufio.NewReader(s.conn)
	_, err := answers.ReadString('\n') // what is left of 100 Continue
	if err != nil {
		t.Fatalf("the request that was under way: %v", err)
	}
	_, err = answers.ReadString('\n')
	if err != nil {
		t.Fatalf("the request that was under way: %v", err)
	}
	answer, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatalf("the request that was under way: %v", err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("the request that was under way is answered %d", answer.StatusCode)
	}
	err = s.cmd.Wait()
	if err != nil {
		t.Errorf("it ends with %v: %s", err, s.stderr)
	}
	_, err = os.Stat(s.file + "-wal")
	if !os.IsNotExist(err) {
		t.Errorf("the database was not closed: %v", err)
	}
}

// Whoever asks again means at once.
func TestASecondStopEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := beginStopping(t)
	s.signal(t)
	time.Sleep(oneStop + oneStop/2)
	s.signal(t)
	told := time.Now()
	err := s.cmd.Wait()
	status, ok := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || time.Since(told) > 5*time.Second {
		t.Errorf("it ends with %v after %s", err, time.Since(told))
	}
}
