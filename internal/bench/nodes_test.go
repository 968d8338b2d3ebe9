package bench_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"sollecito/internal/databasetest"
)

// BenchmarkNodes compares two programs that send the reminders of one database with one that sends as many, in turns.
// SQLite knows one program only.
func BenchmarkNodes(b *testing.B) {
	if !databasetest.OnPostgres() {
		b.Skip("SQLite is for one program")
	}
	mailbox := openSink(b)
	mailbox.keep.Store(false)
	data := databasetest.URL(b)
	house, err := build(b.Context(), data, mailbox.address)
	if err != nil {
		b.Fatal(err)
	}
	dun(b, house, 2*(rounds+1)*mailsPerRound)
	house.Close()
	var alone, together, ratios []float64
	for round := range rounds + 1 {
		one, two := nodes(b, data, mailbox, 1), nodes(b, data, mailbox, 2)
		if round > 0 { // the first warms the database up
			alone, together, ratios = append(alone, one), append(together, two), append(ratios, two/one)
		}
	}
	report(b, "reminders/s, one node", alone)
	report(b, "reminders/s, two nodes", together)
	report(b, "ratio", ratios)
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(0, "ns/op")
}

// nodes lets so many programs hand over a round of reminders between them and answers how many a second, from the moment
// on which all of them were ready.
func nodes(b *testing.B, data string, mailbox *sink, count int) float64 {
	b.Helper()
	before := mailbox.count.Load()
	type node struct {
		*exec.Cmd
		told io.Writer
		said *bufio.Reader
	}
	var all []node
	for range count {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childData+"="+data, childSMTP+"="+mailbox.address, childMost+"="+strconv.Itoa(mailsPerRound/count), childWait+"=1")
		child.Stderr = os.Stderr
		told, err := child.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		said, err := child.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		err = child.Start()
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, node{child, told, bufio.NewReader(said)})
	}
	for _, n := range all {
		_, err := n.said.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	for _, n := range all {
		_, err := fmt.Fprintln(n.told)
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, n := range all {
		_, err := n.said.ReadString('\n') // what memory it held: it is done
		if err != nil {
			b.Fatal(err)
		}
	}
	took := time.Since(began)
	for _, n := range all {
		err := n.Wait()
		if err != nil {
			b.Fatal(err)
		}
	}
	arrived := mailbox.count.Load() - before
	if arrived != mailsPerRound {
		b.Fatalf("%d mails arrived", arrived)
	}
	return mailsPerRound / took.Seconds()
}
