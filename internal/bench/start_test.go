package bench_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sollecito/internal/databasetest"
)

const (
	starts = 20
	idle   = time.Minute
)

// BenchmarkStart tells how large the program is, how long it takes from its start to its first page, on a database that is
// there already, and what memory it holds a minute later. SOLLECITO_TEST_PROGRAMS names others to compare it with, with
// commas between; they are started in turns.
func BenchmarkStart(b *testing.B) {
	own := filepath.Join(b.TempDir(), "sollecito")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", own, "sollecito/cmd/sollecito")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := build.CombinedOutput()
	if err != nil {
		b.Fatalf("build the program: %v: %s", err, said)
	}
	box := run(b, own, os.Environ(), "SOLLECITO_EMBED_ORIGINS=", "sandbox", "--listen", "127.0.0.1:0", "--smtp", "127.0.0.1:0")
	b.Cleanup(box.end)
	programs := []string{own}
	others := os.Getenv("SOLLECITO_TEST_PROGRAMS")
	if others != "" {
		programs = append(programs, strings.Split(others, ",")...)
	}
	settings := make([][]string, len(programs))
	took := make([][]float64, len(programs))
	for round := range starts + 1 {
		for i, program := range programs {
			if round == 0 {
				settings[i] = append(append(os.Environ(), box.said...), "SOLLECITO_LISTEN=127.0.0.1:0", "SOLLECITO_DATABASE_URL="+databasetest.URL(b))
			}
			began := time.Now()
			portal := run(b, program, settings[i], "Sollecito listens on ", "serve")
			firstPage(b, portal)
			if round > 0 { // the first makes the database
				took[i] = append(took[i], float64(time.Since(began).Microseconds())/1000)
			}
			portal.end()
		}
	}
	for i, program := range programs {
		file, err := os.Stat(program)
		if err != nil {
			b.Fatal(err)
		}
		report(b, fmt.Sprintf("ms from the start to the first page, program %d", i+1), took[i])
		b.Logf("%-11s program %d is %.1f MiB", engine(), i+1, float64(file.Size())/(1<<20))
	}
	var portals []*running
	for i, program := range programs {
		portal := run(b, program, settings[i], "Sollecito listens on ", "serve")
		firstPage(b, portal)
		portals = append(portals, portal)
	}
	time.Sleep(idle)
	for i, portal := range portals {
		b.Logf("%-11s program %d, idle for %s: %.1f MiB resident, of which %.1f are its own and %.1f the program's file", engine(), i+1, idle,
			portal.memory(b, "VmRSS"), portal.memory(b, "RssAnon"), portal.memory(b, "RssFile"))
		portal.end()
	}
	b.ReportMetric(median(took[0]), "ms")
	b.ReportMetric(0, "ns/op")
}

// running is a program that was started and has said that it is ready.
type running struct {
	*exec.Cmd
	said []string // what it said until then
}

// run starts a program and answers when it has said the line that begins with ready.
func run(b *testing.B, program string, settings []string, ready string, words ...string) *running {
	b.Helper()
	r := &running{Cmd: exec.Command(program, words...)}
	r.Env = settings
	out, err := r.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	err = r.Start()
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		r.said = append(r.said, lines.Text())
		if strings.HasPrefix(lines.Text(), ready) {
			return r
		}
	}
	r.end()
	b.Fatalf("%s ended and had said %q", words[0], r.said)
	return nil
}

func (r *running) end() {
	// An error is that it has ended already.
	_ = r.Process.Signal(syscall.SIGTERM)
	_ = r.Wait()
}

// memory is one line of what Linux says of a process, in MiB.
func (r *running) memory(b *testing.B, name string) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.Process.Pid))
	if err != nil {
		b.Skip("this system does not tell what memory a program holds")
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		b.Skipf("this system does not tell a program's %s", name)
	}
	kibibytes, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kibibytes / 1024
}

// firstPage asks for what stands behind a link that nobody has.
func firstPage(b *testing.B, portal *running) {
	b.Helper()
	base := strings.TrimPrefix(portal.said[len(portal.said)-1], "Sollecito listens on ")
	resp, err := http.Get(base + "/l/nobodys")
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusNotFound || !strings.Contains(string(page), "</html>") {
		b.Fatalf("%d, %v: %s", resp.StatusCode, err, page)
	}
}
