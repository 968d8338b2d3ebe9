package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sollecito/internal/databasetest"
)

// TestMain puts the program on the tests' PATH, as the command people type, and tells everything on both engines.
func TestMain(m *testing.M) {
	testscript.Main(onBoth{m}, map[string]func(){"sollecito": main})
}

type onBoth struct{ m *testing.M }

func (b onBoth) Run() int { return databasetest.Main(b.m) }

// TestScripts tells stories of the whole program as its user types them, in testdata/script. Beside testscript's own
// commands they have:
//
//	start WORD… : run sollecito with these words beside the script, until it says that it stands; what the sandbox
//	              prints becomes the script's environment, and serve gets a free port; METRICS is where its
//	              figures are
//	end WORD    : end it gently, and find that it ends well
//	call STATUS METHOD ADDRESS [name=value…] : make a request with the sandbox's key; the answer is stdout
//	keep NAME PATTERN : keep the first group of what the pattern finds in the last answer
//	usage sollecito WORD… : run it and find that it ends with 2, which says that it was not understood
//	private FILE : find that its owner alone may read it
//	[unshare]   : before a command: only where a disk of one's own can be made
//	[postgres]  : before a command: only where the story is told on PostgreSQL, and [!postgres] only where it is not
//	mail ADDRESS PATTERN : wait until such a subject has come; the mail's text is stdout
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[storyKey{}] = &story{running: map[string]*exec.Cmd{}}
			if databasetest.OnPostgres() {
				env.Setenv("SOLLECITO_DATABASE_URL", databasetest.URL(t))
			}
			return nil
		},
		Condition: func(word string) (bool, error) {
			if word == "unshare" {
				return exec.Command("unshare", "-rm", "true").Run() == nil, nil
			}
			return word == "postgres" && databasetest.OnPostgres(), nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"start": startCommand, "end": endCommand, "call": callCommand, "keep": keepCommand, "mail": mailCommand, "usage": usageCommand, "private": privateCommand,
		},
	})
}

// story is what a script remembers from command to command.
type story struct {
	running map[string]*exec.Cmd
	browser *http.Client
	last    string // answer
}

type storyKey struct{}

func storyOf(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

func refuseNegation(ts *testscript.TestScript, neg bool) {
	if neg {
		ts.Fatalf("this command cannot be negated")
	}
}

// patience for what has to happen without anybody waiting for a clock.
const storyPatience = 30 * time.Second

func startCommand(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	if args[0] == "serve" {
		address := freeAddress(ts)
		ts.Setenv("SOLLECITO_LISTEN", address)
		ts.Setenv("SOLLECITO_BASE_URL", "http://"+address)
	}
	path, err := exec.LookPath("sollecito")
	ts.Check(err)
	cmd := exec.Command(path, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = environment(ts)
	cmd.Stderr = os.Stderr
	if !testing.Verbose() {
		cmd.Stderr = io.Discard
	}
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	storyOf(ts).running[args[0]] = cmd
	ts.Defer(func() {
		// After a stop this finds nothing left to kill.
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		name, value, isSetting := strings.Cut(lines.Text(), "=")
		if isSetting && strings.HasPrefix(name, "SOLLECITO_") {
			ts.Setenv(name, value)
		}
		figures, isFigures := strings.CutPrefix(lines.Text(), "Metrics are at ")
		if isFigures {
			ts.Setenv("METRICS", figures)
		}
		if name == "SOLLECITO_EMBED_ORIGINS" || strings.HasPrefix(lines.Text(), "Sollecito listens on http://") {
			go io.Copy(io.Discard, out)
			return
		}
	}
	ts.Fatalf("sollecito %s ended before it stood", args[0])
}

// environment is the script's, which testscript hands out only name by name.
func environment(ts *testscript.TestScript) []string {
	var all []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		all = append(all, name+"="+ts.Getenv(name))
	}
	for _, name := range settingNames() {
		value := ts.Getenv("SOLLECITO_" + name)
		if value != "" {
			all = append(all, "SOLLECITO_"+name+"="+value)
		}
	}
	return all
}

func freeAddress(ts *testscript.TestScript) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	return l.Addr().String()
}

func endCommand(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	cmd := storyOf(ts).running[args[0]]
	if cmd == nil {
		ts.Fatalf("%s does not run", args[0])
	}
	ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		ts.Check(err)
	case <-time.After(storyPatience):
		ts.Fatalf("%s does not end", args[0])
	}
}

func usageCommand(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = environment(ts)
	cmd.Stderr = ts.Stderr()
	err = cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != exitUsage {
		ts.Fatalf("%q ends with %v, want exit code %d", args, err, exitUsage)
	}
}

func privateCommand(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if info.Mode().Perm() != 0o600 {
		ts.Fatalf("%s has mode %s", args[0], info.Mode())
	}
}

func callCommand(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	s := storyOf(ts)
	if s.browser == nil {
		jar, err := cookiejar.New(nil)
		ts.Check(err)
		s.browser = &http.Client{Jar: jar, Timeout: storyPatience}
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	form := url.Values{}
	for _, pair := range args[3:] {
		name, value, _ := strings.Cut(pair, "=")
		form.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(context.Background(), storyPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, args[1], args[2], strings.NewReader(form.Encode()))
	ts.Check(err)
	if strings.HasPrefix(args[2], ts.Getenv("SOLLECITO_STRIPE_API_URL")) {
		req.SetBasicAuth(ts.Getenv("SOLLECITO_STRIPE_SECRET_KEY"), "")
	}
	if args[1] == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := s.browser.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	s.last = resp.Request.URL.Path + "\n" + string(body)
	fmt.Fprint(ts.Stdout(), s.last)
	if resp.StatusCode != want {
		ts.Fatalf("%s %s answers %d, want %d: %s", args[1], args[2], resp.StatusCode, want, body)
	}
}

func keepCommand(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	found := regexp.MustCompile(args[1]).FindStringSubmatch(storyOf(ts).last)
	if len(found) < 2 {
		ts.Fatalf("the last answer does not hold %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

func mailCommand(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	subject := regexp.MustCompile(args[1])
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(storyPatience); ; <-tick.C {
		var seen []string
		for _, mail := range caughtMails(ts) {
			if mail.To == args[0] && subject.MatchString(mail.Subject) {
				storyOf(ts).last = mail.Text
				fmt.Fprint(ts.Stdout(), mail.Text)
				return
			}
			seen = append(seen, mail.To+": "+mail.Subject)
		}
		if time.Now().After(deadline) {
			ts.Fatalf("no mail to %s with %s came; there are %q", args[0], args[1], seen)
		}
	}
}

func caughtMails(ts *testscript.TestScript) []caught {
	resp, err := http.Get(ts.Getenv("SOLLECITO_STRIPE_API_URL") + "/inbox.json")
	ts.Check(err)
	defer resp.Body.Close()
	var all []caught
	ts.Check(json.NewDecoder(resp.Body).Decode(&all))
	return all
}

// settingNames are those of all settings, from the program's own table.
func settingNames() []string {
	var out strings.Builder
	run(context.Background(), []string{"config", "--table"}, func(string) (string, bool) { return "", false }, nil, &out, io.Discard)
	var names []string
	for _, row := range regexp.MustCompile("`SOLLECITO_(\\w+)`").FindAllStringSubmatch(out.String(), -1) {
		names = append(names, row[1])
	}
	return names
}

type caught struct{ To, Subject, Text string }
