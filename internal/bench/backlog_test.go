package bench_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sollecito/internal/databasetest"
	"sollecito/internal/portal"
)

// multiply makes so many more of the one debtor an installation knows: every row of theirs once more under ids of its own.
func multiply(b *testing.B, house *portal.Portal, times int, tables ...string) {
	b.Helper()
	err := house.DB.Do(b.Context(), func(tx *sql.Tx) error {
		for _, table := range tables {
			rows, err := tx.Query(`SELECT * FROM ` + table + ` LIMIT 1`)
			if err != nil {
				return err
			}
			names, err := rows.Columns()
			rows.Close()
			if err != nil {
				return err
			}
			values := make([]string, len(names))
			for i, name := range names {
				switch name {
				case "id", "customer_id", "invoice_id", "case_id", "method_id", "default_method", "subscription_id", "intent", "fingerprint":
					values[i] = name + ` || '_' || i`
				case "email", "recipient":
					values[i] = `i || ` + name
				default:
					values[i] = name
				}
			}
			_, err = tx.Exec(fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM %s CROSS JOIN (
				WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < %d) SELECT i FROM numbers) AS each`,
				table, strings.Join(names, ", "), strings.Join(values, ", "), table, times))
			if err != nil {
				return fmt.Errorf("multiply %s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// size is a number of rows that a slower machine may want smaller.
func size(b *testing.B, variable string, usual int) int {
	b.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatalf("%s: %v", variable, err)
	}
	return n
}

// BenchmarkTick compares a tick of the schedule with a hundred due cases where there are a million open ones with one
// where there are a thousand, in turns.
func BenchmarkTick(b *testing.B) {
	const due = 100
	sizes := []int{1000, size(b, "SOLLECITO_TEST_CASES", 1_000_000)}
	var houses []*portal.Portal
	for _, cases := range sizes {
		house := open(b, "127.0.0.1:1")
		dun(b, house, 1)
		began := time.Now()
		multiply(b, house, cases-1, "customers", "methods", "invoices", "cases", "case_invoices")
		b.Logf("%-11s %7d cases made in %.1f s", engine(), cases, time.Since(began).Seconds())
		houses = append(houses, house)
	}
	took := make([][]float64, len(houses))
	var ratios []float64
	for round := range 2*rounds + 1 {
		for i, house := range houses {
			lapse(b, house, 1+round*due, 1+(round+1)*due)
			began := time.Now()
			done, err := scheduleOf(house).RunOnce(b.Context())
			if err != nil || done != due {
				b.Fatalf("%d cases were taken a step: %v", done, err)
			}
			if round > 0 { // the first warms both up
				took[i] = append(took[i], float64(time.Since(began).Microseconds())/1000)
			}
		}
		if round > 0 {
			ratios = append(ratios, took[1][round-1]/took[0][round-1])
		}
	}
	for i, cases := range sizes {
		report(b, fmt.Sprintf("ms for a tick with %d due of %d cases", due, cases), took[i])
	}
	report(b, "ratio", ratios)
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(0, "ns/op")
}

// The child of BenchmarkMemory: a program of its own that sends and says how much memory that took.
const (
	childData = "SOLLECITO_TEST_DATA"
	childSMTP = "SOLLECITO_TEST_SMTP"
	childMost = "SOLLECITO_TEST_MOST"
	childWait = "SOLLECITO_TEST_WAIT" // not empty: it begins when it is told a line
)

// BenchmarkMemory tells the most memory a program held that sent 50,000 reminders, of a backlog of as many and of four
// times as many.
func BenchmarkMemory(b *testing.B) {
	mails := size(b, "SOLLECITO_TEST_MAILS", 50_000)
	for _, backlog := range []int{mails, 4 * mails} {
		mailbox := openSink(b)
		mailbox.keep.Store(false)
		data := databasetest.URL(b)
		house, err := build(b.Context(), data, mailbox.address)
		if err != nil {
			b.Fatal(err)
		}
		dun(b, house, 1)
		multiply(b, house, backlog-1, "customers", "methods", "invoices", "cases", "case_invoices", "notices")
		house.Close()
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childData+"="+data, childSMTP+"="+mailbox.address, childMost+"="+strconv.Itoa(mails))
		child.Stderr = os.Stderr
		said, err := child.Output()
		if err != nil {
			b.Fatalf("%v: %s", err, said)
		}
		peak, err := strconv.ParseFloat(strings.TrimSpace(string(said)), 64)
		if err != nil || mailbox.count.Load() < int64(mails) {
			b.Fatalf("%d mails arrived: %v", mailbox.count.Load(), err)
		}
		b.Logf("%-11s peak resident memory while sending %d of %d waiting reminders: %.0f MiB", engine(), mailbox.count.Load(), backlog, peak/1024)
		b.ReportMetric(peak/1024, fmt.Sprintf("MiB-of-%d", backlog))
	}
	b.ReportMetric(0, "ns/op")
}

// beChild sends until it has dealt with as many as it was told and prints the kibibytes it held at most.
func beChild() int {
	ctx := context.Background()
	most, err := strconv.Atoi(os.Getenv(childMost))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	house, err := build(ctx, os.Getenv(childData), os.Getenv(childSMTP))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer house.Close()
	if os.Getenv(childWait) != "" {
		fmt.Println("ready")
		_, err = fmt.Scanln()
		if err != nil && err.Error() != "unexpected newline" {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	for sent := 0; sent < most; {
		n, err := house.Sender.RunOnce(ctx)
		if err != nil || n == 0 {
			fmt.Fprintln(os.Stderr, sent, "sent, then", n, err)
			return 1
		}
		sent += n
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if peak == nil {
		fmt.Fprintln(os.Stderr, "this system does not tell what memory a program held at most")
		return 1
	}
	fmt.Println(string(peak[1]))
	return 0
}
