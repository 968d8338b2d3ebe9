package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/webhook"
)

// merchantApp is the merchant's app, which is told what happens by webhooks. It stands in this process and remembers what it
// was told.
type merchantApp struct {
	address string
	server  *http.Server

	mu    sync.Mutex
	dice  *rand.Rand
	told  map[string][sha256.Size]byte // the body, by webhook-id
	times int                          // messages, those that came again too
	mixed int                          // messages that came again with another body
}

// appNetwork is where it lies.
const appNetwork = "127.0.0.0/8"

func openApp(seed uint64) (*merchantApp, error) {
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &merchantApp{address: "http://" + door.Addr().String() + "/hooks", dice: rand.New(rand.NewPCG(seed, 2)), told: map[string][sha256.Size]byte{}}
	a.server = &http.Server{Handler: a}
	go a.server.Serve(door) // ends with close
	return a, nil
}

func (a *merchantApp) close() { a.server.Close() }

// ServeHTTP implements http.Handler: a message is heard when all of it has come, whether or not our answer arrives.
func (a *merchantApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	id, sum := r.Header.Get("webhook-id"), sha256.Sum256(body)
	a.mu.Lock()
	before, again := a.told[id]
	if again && before != sum {
		a.mixed++
	}
	a.told[id] = sum
	a.times++
	wait := time.Duration(a.dice.Int64N(int64(300 * time.Millisecond)))
	a.mu.Unlock()
	time.Sleep(wait) // an app's own time, not a test's wait
	w.WriteHeader(http.StatusNoContent)
}

// subscribe has the portal tell the app everything, before its first life.
func (a *merchantApp) subscribe(ctx context.Context, store string, settings []string) error {
	key := ""
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		if name == "SOLLECITO_SESSION_KEY" {
			key = value
		}
	}
	endpoints, err := webhook.NewEndpoints(key, webhook.Networks{netip.MustParsePrefix(appNetwork)})
	if err != nil {
		return err
	}
	db, err := database.Open(ctx, store)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Migrate(ctx)
	if err != nil {
		return err
	}
	var all []string
	for _, t := range webhook.Types() {
		all = append(all, string(t))
	}
	err = db.Do(ctx, func(tx *sql.Tx) error {
		_, _, err := endpoints.Add(ctx, tx, a.address, all, time.Now())
		return err
	})
	if err != nil {
		return fmt.Errorf("have the app be told: %w", err)
	}
	return nil
}

// compare holds what the portal keeps of its messages against what the app was told.
func (a *merchantApp) compare(ctx context.Context, tx *sql.Tx, r *report) error {
	kept, err := texts(ctx, tx, `SELECT message_id FROM webhook_deliveries WHERE status = 'delivered'`)
	if err != nil {
		return err
	}
	opened, err := database.Strings(ctx, tx, `SELECT id FROM cases WHERE NOT EXISTS (
		SELECT 1 FROM webhook_deliveries d WHERE d.customer_id = cases.customer_id AND d.type = 'case.opened')`)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r.Told, r.ToldAgain, r.MixedTold, r.LostTold = len(kept), a.times-len(a.told), a.mixed, len(opened)
	for id := range kept {
		_, heard := a.told[id]
		if !heard {
			r.LostTold++
		}
	}
	for id := range a.told {
		if kept[id] == 0 {
			r.UnknownTold++
		}
	}
	return nil
}
