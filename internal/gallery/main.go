package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"sollecito/internal/browsertest"
	"sollecito/internal/demo"
)

func main() {
	docs := flag.String("docs", "docs", "folder that gets states.md and its pictures; \"\" for neither")
	langs := flag.String("langs", "en,it,de,ja,ar", "languages to look at, the first is the one of the pictures")
	only := flag.String("only", "", "situations to look at, comma-separated; all when left out")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	clean, err := run(ctx, *docs, strings.Split(*langs, ","), *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
	if !clean {
		os.Exit(1)
	}
}

// state is a situation as /demo/states.json tells of it.
type state struct {
	Name, Title, See, Address, Method string
	Presses                           int
}

// run looks at everything and writes what it saw; false when anything was wrong.
func run(ctx context.Context, docs string, langs []string, only string) (clean bool, err error) {
	ctx, end := context.WithCancel(ctx)
	stage, err := demo.Start(ctx, demo.Options{Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		end()
		return false, err
	}
	defer func() {
		end()
		err = errors.Join(err, stage.Wait())
	}()
	states, err := listed(ctx, stage.Base())
	if err != nil {
		return false, err
	}
	if only != "" {
		states = slices.DeleteFunc(states, func(s state) bool { return !slices.Contains(strings.Split(only, ","), s.Name) })
	}
	profile, err := os.MkdirTemp("", "gallery-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(profile)
	tab, closeTab, err := browsertest.Launch(ctx, profile)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, closeTab()) }()
	complaints, err := browsertest.Complaints(tab)
	if err != nil {
		return false, err
	}
	w := &walk{tab: tab, base: stage.Base(), docs: docs, complaints: complaints}
	began := time.Now()
	for _, s := range states {
		seen := row{state: s}
		for i, lang := range langs {
			err = w.look(&seen, lang, i == 0)
			if err != nil {
				return false, fmt.Errorf("%s in %s: %w", s.Name, lang, err)
			}
		}
		fmt.Printf("%-20s %3d forms, %d findings\n", s.Name, seen.forms, len(seen.findings))
		for _, finding := range seen.findings {
			fmt.Println("   ", finding)
		}
		w.rows = append(w.rows, seen)
	}
	forms, findings := w.sums()
	fmt.Printf("%d situations, %d forms, %d findings, in %s\n", len(w.rows), forms, findings, time.Since(began).Round(time.Second))
	if docs != "" {
		err = w.write(langs)
	}
	return findings == 0, err
}

// listed waits until the demo's story has been told and answers its situations.
func listed(ctx context.Context, base string) ([]state, error) {
	for {
		states, err := ask(ctx, base+"/demo/states.json")
		if err != nil || states != nil {
			return states, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// ask answers nil while the demo is not there yet.
func ask(ctx context.Context, address string) ([]state, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the demo for its situations: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusServiceUnavailable {
		return nil, nil
	}
	var all []state
	err = json.NewDecoder(resp.Body).Decode(&all)
	if err != nil {
		return nil, fmt.Errorf("ask the demo for its situations: %w", err)
	}
	return all, nil
}
