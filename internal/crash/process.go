package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// process is the portal's program in a process of its own.
type process struct {
	cmd     *exec.Cmd
	errors  bytes.Buffer // its stderr; to be read when it has ended
	started time.Time
}

func start(p plan, settings []string, words ...string) (*process, error) {
	life := &process{cmd: exec.Command(p.Program, words...), started: time.Now()}
	life.cmd.Dir = p.Folder
	life.cmd.Env = append(os.Environ(), settings...)
	life.cmd.Stderr = &life.errors
	err := life.cmd.Start()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", words[0], err)
	}
	return life, nil
}

// kill ends it as a machine does, and waits until it is gone.
func (l *process) kill() {
	_ = l.cmd.Process.Kill() // it has ended by itself otherwise
	_ = l.cmd.Wait()         // the signal is the error
}

// said answers the end of what it complained of, once it is killed.
func (l *process) said() string {
	l.kill()
	text := l.errors.String()
	return text[max(0, len(text)-4000):]
}

// livesUntil waits until it has run for so long, and answers how long after its start it was ready, false when it
// was not.
func (l *process) livesUntil(ctx context.Context, base string, long time.Duration) (time.Duration, bool) {
	end := time.NewTimer(time.Until(l.started.Add(long)))
	defer end.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if isReady(ctx, base) {
			took := time.Since(l.started)
			select {
			case <-ctx.Done():
			case <-end.C:
			}
			return took, true
		}
		select {
		case <-ctx.Done():
			return 0, false
		case <-end.C:
			return 0, false
		case <-look.C:
		}
	}
}

// startSandbox starts the make-believe Stripe and answers the settings it prints.
func startSandbox(ctx context.Context, p plan) (*process, []string, error) {
	box := &process{cmd: exec.CommandContext(ctx, p.Program, "sandbox", "--listen", "127.0.0.1:0", "--smtp", "127.0.0.1:0"), started: time.Now()}
	box.cmd.Stderr = &box.errors
	out, err := box.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	err = box.cmd.Start()
	if err != nil {
		return nil, nil, fmt.Errorf("start the sandbox: %w", err)
	}
	var settings []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		settings = append(settings, lines.Text())
		if strings.HasPrefix(lines.Text(), "SOLLECITO_EMBED_ORIGINS=") { // the last
			return box, settings, nil
		}
	}
	return nil, nil, fmt.Errorf("the sandbox ended: %s", box.said())
}

// Reminders go out at any time, so that a run may be made at any time.
const contactHours, contactDays = "0-24", "mon-sun"

// settingsFor are the sandbox's settings turned to this run's portal, which is reached at base.
func settingsFor(p plan, settings []string, smtp string) (base string, all []string, err error) {
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address := door.Addr().String()
	err = door.Close()
	base = "http://" + address
	return base, append(settings, "SOLLECITO_LISTEN="+address, "SOLLECITO_BASE_URL="+base, "SOLLECITO_DATABASE_URL="+p.Database,
		"SOLLECITO_SMTP_URL=smtp://"+smtp, "SOLLECITO_CONTACT_HOURS="+contactHours, "SOLLECITO_CONTACT_DAYS="+contactDays,
		"SOLLECITO_SMTP_CONNECTIONS="+strconv.Itoa(p.connections()), "SOLLECITO_TRUSTED_PROXIES=127.0.0.1",
		"SOLLECITO_WEBHOOK_NETWORKS="+appNetwork), err
}
