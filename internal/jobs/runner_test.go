package jobs

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What one task does makes those look whose work it may be; what time alone brings work is left asleep until its own time,
// however busy the others are, and until somebody wakes everything.
func TestWorkOfOthersDoesNotWakeWhatTimeAloneBrings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		left, looked := 50, map[string]int{}
		task := func(name string, work int, alone bool) Task {
			return Task{Name: name, Every: time.Minute, Alone: alone, RunOnce: func(context.Context) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				looked[name]++
				if work == 0 || left == 0 {
					return 0, nil
				}
				left--
				return work, nil
			}}
		}
		r := NewRunner(time.Now, slog.New(slog.DiscardHandler), task("busy", 1, false), task("next", 0, false), task("sweep", 0, true))
		ctx, stop := context.WithCancel(t.Context())
		r.Start(ctx)
		so := func() map[string]int {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return maps.Clone(looked)
		}
		if n := so(); n["busy"] < 51 || n["next"] < 2 || n["sweep"] != 1 {
			t.Errorf("after 50 batches of one task they had looked %v", n)
		}
		r.Wake()
		if n := so(); n["sweep"] != 2 {
			t.Errorf("who wakes everything woke %v", n)
		}
		time.Sleep(time.Minute)
		if n := so(); n["sweep"] != 3 {
			t.Errorf("after its own time it had looked %v", n)
		}
		stop()
		r.Wait()
	})
}

// A task that fails is left alone for a second, whoever wakes it meanwhile: the log says it once and not for each webhook.
func TestATaskThatFailsDoesNotFailForEachWhoWakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		r := NewRunner(time.Now, slog.New(slog.DiscardHandler), Task{Name: "broken", Every: time.Minute, RunOnce: func(context.Context) (int, error) {
			tries++
			return 0, errors.New("broken")
		}})
		ctx, stop := context.WithCancel(t.Context())
		r.Start(ctx)
		for range 100 {
			time.Sleep(95 * time.Millisecond)
			r.Wake()
			synctest.Wait()
		}
		if tries < 5 || tries > 11 {
			t.Errorf("it was tried %d times in ten seconds", tries)
		}
		stop()
		r.Wait()
	})
}

// A task is late by its own interval: on a quiet day nobody wakes the one that looks each hour, and the program is well.
func TestATaskIsLateByItsOwnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
		idle := func(context.Context) (int, error) { return 0, nil }
		r := NewRunner(time.Now, slog.New(slog.DiscardHandler),
			Task{Name: "hourly", Every: time.Hour, Alone: true, RunOnce: idle}, Task{Name: "often", Every: time.Second, RunOnce: idle}, Task{Name: "stuck", Every: time.Second, RunOnce: stuck})
		ctx, stop := context.WithCancel(t.Context())
		r.Start(ctx)
		time.Sleep(50 * time.Minute)
		for _, s := range r.Standings() {
			if s.Late(10*time.Minute) != (s.Name == "stuck") {
				t.Errorf("%s late: %v", s.Name, s.Late(10*time.Minute))
			}
		}
		stop()
		r.Wait()
	})
}
