package main

import (
	"context"
	crand "crypto/rand"
	"database/sql"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"sollecito/internal/database"
)

// watched is the least that is logged: what a portal logs in the small is not judged in the long run.
const watched = slog.LevelWarn

func main() {
	err := run(context.Background(), os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	customers := flags.String("customers", "1000", "how many customers; several, as 1000,2500, are played one after the other")
	days := flags.Int("days", 365, "how many days")
	seed := flags.Uint64("seed", 1, "what chance begins with")
	seeds := flags.Int("seeds", 1, "how many seeds, one after the other")
	only := flags.String("only", "", "the one customer who lives, as cus_000017, to follow them alone; prints their life")
	failing := flags.Float64("failing", 0.04, "of how many renewals fail, as a share of one")
	good := flags.Float64("good", 0.05, "of how many renewals that went well Stripe tells, as a share of one")
	unusual := flags.Float64("unusual", 1, "how many times more than usually pay by debit or by hand, promise, or decide about their reminders")
	collector := flags.Bool("collector", false, "the merchant collects for others: each reminder can be stopped by one press")
	calm := flags.Bool("calm", false, "without any faults")
	dsn := flags.String("database", "", "an empty database instead of one in memory, as postgres://USER@HOST/NAME")
	profile := flags.String("cpuprofile", "", "a file for a CPU profile")
	err := flags.Parse(args)
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(1) // what is told is told of one core
	debug.SetGCPercent(1000)
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		err = pprof.StartCPUProfile(f)
		if err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println("customers  days  seed  seconds  core s  ms/case  cases  reminders  Stripe calls  restarts  trace")
	bad := 0
	for text := range strings.SplitSeq(*customers, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("customers: %w", err)
		}
		for s := range *seeds {
			p := play{customers: n, days: *days, seed: *seed + uint64(s), only: *only, failing: *failing, good: *good, unusual: *unusual, collector: *collector, faults: usual()}
			if *calm {
				p.faults = faults{}
			}
			broken, err := once(ctx, p, *dsn)
			if err != nil {
				return err
			}
			bad += broken
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d breaches of the rules", bad)
	}
	return nil
}

// once plays once and prints how it went.
func once(ctx context.Context, p play, dsn string) (broken int, err error) {
	var memory *database.Memory
	if dsn == "" {
		dir, err := os.MkdirTemp("", "simulate-")
		if err != nil {
			return 0, err
		}
		defer os.RemoveAll(dir)
		dsn = "sqlite:" + filepath.Join(dir, "simulate.db")
		memory, err = database.NewMemory(ctx)
		if err != nil {
			return 0, err
		}
		defer memory.Close()
	}
	seedIDs(p.seed)
	began, worked := time.Now(), processorTime()
	o, err := simulate(ctx, p, promised, dsn, func(h *house) { h.memory = memory })
	took, core := time.Since(began), processorTime()-worked
	if err != nil {
		return 0, err
	}
	cases := 0
	for what, n := range o.counts {
		if strings.HasPrefix(what, "case ") {
			cases += n
		}
	}
	fmt.Printf("%9d %5d %5d %8.1f %7.1f %8.2f %6d %10d %13d %9d  %016x\n", p.customers, p.days, p.seed, took.Seconds(), core.Seconds(),
		core.Seconds()*1000/float64(max(cases, 1)), cases, o.counts["reminder"], o.house.w.stripe.calls, o.house.began-1, o.hash)
	for _, what := range slices.Sorted(maps.Keys(o.counts)) {
		fmt.Printf("    %s %d\n", what, o.counts[what])
	}
	fmt.Printf("    instants %d, statements %d, tasks tried again %d\n", o.instants, o.house.flaky.asked, o.house.errs)
	for n, b := range o.broken {
		if n == 20 {
			fmt.Printf("and %d more\n", len(o.broken)-n)
			break
		}
		fmt.Print(b)
	}
	for _, e := range o.house.log.errors {
		fmt.Println("    log:", e)
	}
	if p.only != "" {
		for _, e := range o.house.w.customers[0].trace {
			fmt.Println(e.at.UTC().Format("Mon 2006-01-02 15:04:05"), e.what, e.more)
		}
	}
	return len(o.broken), nil
}

// seedIDs lets every id and token the portal makes follow from the seed: this program makes nothing that must stay
// secret, and what follows from chance must be the same the next time.
func seedIDs(seed uint64) {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	crand.Reader = rand.NewChaCha8(key)
}

func stringsOf(ctx context.Context, tx *sql.Tx, query string) ([]string, error) {
	return database.Strings(ctx, tx, query)
}
