package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"sollecito/internal/databasetest"
)

// plan is what one run is asked to do.
type plan struct {
	Kills    int
	Backlog  int // reminders that wait at the least when a life begins
	Seed     uint64
	Database string // DATABASE_URL of an empty database
	Program  string // the portal's program
	Folder   string // for what the programs write

	Server *databasetest.Server // the database's own, which is killed instead of the portal; nil to kill the portal
	Freeze time.Duration        // for so long it is frozen each time instead of killed; 0 to kill it
}

// connections is how many mails the portal may have under way at once: its own default, or as many as a backlog keeps busy.
func (p plan) connections() int {
	if p.Backlog > 0 {
		return 16
	}
	return 4
}

// slowest is how long the mail server takes to answer at most: long, so that kills strike in the middle of a dialogue, or
// short, so that they strike in the middle of a crowd.
func (p plan) slowest() time.Duration {
	if p.Backlog > 0 {
		return 20 * time.Millisecond
	}
	return 200 * time.Millisecond
}

// mute is of how many mails one is taken and then not answered for, so that a life ends in the midst of it.
func (p plan) mute() int {
	if p.Backlog > 0 || p.Server != nil || p.Freeze > 0 {
		return 0
	}
	return 6
}

const restWithin = 7 * time.Minute // for the last life to deal with everything; the sandbox tells again what was not taken after five at most

// run kills the portal as often as asked while everybody uses it, lets it come to rest, and answers what was seen.
func run(ctx context.Context, p plan) (report, error) {
	dice := rand.New(rand.NewPCG(p.Seed, 0))
	post, err := openPostOffice(p.Seed, p.slowest(), p.mute())
	if err != nil {
		return report{}, err
	}
	defer post.close()
	app, err := openApp(p.Seed)
	if err != nil {
		return report{}, err
	}
	defer app.close()
	box, settings, err := startSandbox(ctx, p)
	if err != nil {
		return report{}, err
	}
	defer box.kill()
	base, settings, err := settingsFor(p, settings, post.address)
	if err != nil {
		return report{}, err
	}
	err = app.subscribe(ctx, p.Database, settings)
	if err != nil {
		return report{}, err
	}
	crowd := newCrowd(p.Seed, base, settings, post)
	err = crowd.register(ctx)
	if err != nil {
		return report{}, err
	}

	working, noMore := context.WithCancel(ctx)
	defer noMore()
	living, asleep := context.WithCancel(ctx)
	defer asleep()
	var work, life errgroup.Group
	work.Go(func() error { return crowd.work(working) })
	life.Go(func() error { return crowd.live(living) })
	owed, err := newBacklog(p)
	if err != nil {
		return report{}, err
	}
	r := report{plan: p}
	books := ledger{address: p.Database}
	attack := &attack{plan: p, settings: settings, base: base, dice: dice, post: post, books: books, report: &r}
	defer attack.end()
	for range p.Kills {
		err = owed.fill(ctx)
		if err == nil {
			err = attack.once(ctx)
		}
		if err != nil {
			return report{}, err
		}
	}
	attack.end()
	noMore()
	err = work.Wait()
	if err != nil {
		return report{}, err
	}

	err = attack.live(ctx)
	if err != nil {
		return report{}, fmt.Errorf("after the last time: %w", err)
	}
	portal := attack.portal
	err = books.waitForRest(ctx, crowd.failed()+owed.made)
	if err == nil {
		err = crowd.waitUntilDone(ctx)
	}
	if err == nil {
		asleep()
		err = life.Wait()
	}
	if err == nil {
		err = books.waitForRest(ctx, crowd.failed()+owed.made)
	}
	if err != nil {
		return report{}, fmt.Errorf("%w\n%s", err, portal.said())
	}
	portal.kill()
	slices.Sort(r.Recoveries)
	err = books.compare(ctx, &r, crowd, post, app)
	if err != nil {
		return report{}, err
	}
	return r, crowd.countCharges(ctx, &r)
}

// isReady reports whether the portal takes requests.
func isReady(ctx context.Context, base string) bool {
	ctx, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
