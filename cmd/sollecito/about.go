package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"sollecito/internal/config"
)

func configCommand(p program, args []string) error {
	u := newUsage("config [--table] [flags]", "Shows every setting as it is in force, secrets hidden, and says what is wrong with them.").withSettings()
	table := u.Bool("table", false, "print the documented table of all settings instead, in Markdown")
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	if *table {
		return config.Table(p.out)
	}
	c, faults := u.configuration(p)
	for _, name := range config.Unknown(os.Environ()) {
		fmt.Fprintf(p.err, "Warning: there is no setting %s; it changes nothing.\n", name)
	}
	return errors.Join(c.Print(p.out), faults)
}

func healthcheckCommand(p program, args []string) error {
	u := newUsage("healthcheck [flags]", "Asks the portal that runs on this machine, at SOLLECITO_LISTEN, whether it is ready. Exit code 0 means yes.").withSettings()
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	c, err := u.configuration(p, "LISTEN")
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return err
	}
	ip := net.ParseIP(host)
	if host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	return askReady(ctx, p, "http://"+net.JoinHostPort(host, port)+"/readyz")
}

func askReady(ctx context.Context, p program, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("nothing answers at %s: %w", address, err)
	}
	defer resp.Body.Close()
	var said struct {
		Status string `json:"status"`
		Reason string `json:"reason"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&said)
	if err != nil || said.Reason == "" {
		said.Reason = resp.Status
	}
	if resp.StatusCode == http.StatusOK {
		if said.Status == "degraded" {
			fmt.Fprintf(p.out, "ready, but degraded: %s\n", said.Reason)
			return nil
		}
		fmt.Fprintln(p.out, "ready")
		return nil
	}
	return fmt.Errorf("%s answers that it is not ready: %s", address, said.Reason)
}

func versionCommand(p program, args []string) error {
	u := newUsage("version", "Says which release this is and what it was built with.")
	err := u.parseNone(p, args)
	if err != nil {
		return err
	}
	version, revision := "(devel)", ""
	info, ok := debug.ReadBuildInfo()
	if ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	if version == "" {
		version = "(devel)"
	}
	_, err = fmt.Fprintf(p.out, "sollecito %s%s %s %s/%s\n", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
