package bench_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"
	gomail "github.com/wneessen/go-mail"

	"sollecito/internal/billing"
	"sollecito/internal/config"
	"sollecito/internal/databasetest"
	"sollecito/internal/jobs"
	"sollecito/internal/portal"
)

const (
	lines         = 16   // connections to the mail server, ours and the baseline's
	mailsPerRound = 1024 // of each
)

// noon is when all of it happens by the business clock: a Tuesday, within everybody's hours.
var noon = time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)

// BenchmarkReminders compares reminders of real cases, each decided, written, recorded and kept by the program's own
// sender, with a loop that hands finished mails of the same words to the same server and keeps nothing, in turns.
func BenchmarkReminders(b *testing.B) {
	mailbox := openSink(b)
	house := open(b, mailbox.address)
	dun(b, house, (rounds+2)*mailsPerRound)
	send(b, house, mailbox) // the first round warms both up, and its mails are the baseline's
	mailbox.keep.Store(false)
	raw, feed := rawLoop(b, mailbox), feeder(b, mailbox)
	raw()
	var plain, ours, ratios, serverCost, plainCost, ourCost, costs []float64
	for i := range rounds {
		fed := processor(b)
		feed()
		began := processor(b)
		serverCost = append(serverCost, micros(began-fed))
		plain = append(plain, raw())
		between := processor(b)
		ours = append(ours, send(b, house, mailbox))
		ratios = append(ratios, ours[i]/plain[i])
		plainCost, ourCost = append(plainCost, micros(between-began)), append(ourCost, micros(processor(b)-between))
		costs = append(costs, plainCost[i]/ourCost[i])
	}
	b.Logf("%-11s %d mails of %d bytes a round over %d connections", engine(), mailsPerRound, mailbox.bytes.Load()/mailbox.count.Load(), lines)
	report(b, "raw go-mail loop, mails/s", plain)
	report(b, "reminders/s", ours)
	report(b, "ratio", ratios)
	report(b, "processor time a mail, server fed with bytes, µs", serverCost)
	report(b, "processor time a mail, raw loop and server, µs", plainCost)
	report(b, "processor time a mail, ours and server, µs", ourCost)
	report(b, "ratio", costs)
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(0, "ns/op")
}

// open builds a portal on a database of its own.
func open(b *testing.B, smtp string) *portal.Portal {
	b.Helper()
	house, err := build(b.Context(), databasetest.URL(b), smtp)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { house.Close() })
	return house
}

// build puts the portal together and starts no task: what is measured is run by hand.
func build(ctx context.Context, data, smtp string) (*portal.Portal, error) {
	c := &config.Config{
		Listen: "127.0.0.1:0", BaseURL: "https://pay.lumen.example", DatabaseURL: data,
		StripeKey: "sk_test_bench", StripePublic: "pk_test_bench", WebhookSecrets: []config.Secret{secret},
		StripeAPI: "http://127.0.0.1:1", StripeJS: "http://127.0.0.1:1/v3/", StripeEmails: "off", SMTP: config.Secret("smtp://" + smtp),
		Connections: fmt.Sprint(lines), MailFrom: "Lumen Studio <billing@lumen.example>", MerchantName: "Lumen Studio",
		MerchantAddr: "Lumen Studio S.r.l., Via Tortona 1, 20144 Milano", SupportEmail: "billing@lumen.example",
		DefaultZone: "Europe/Rome", DefaultLang: "en", SessionKey: config.Secret(strings.Repeat("s", 40)), LogFormat: "text",
		TestRecipient: "*", ContactHours: "9-18", ContactDays: "mon-fri",
	}
	err := c.Check()
	if err != nil {
		return nil, err
	}
	return portal.New(ctx, c, portal.Surroundings{Now: atNoon, Real: time.Now, Log: slog.New(slog.DiscardHandler)})
}

func atNoon() time.Time { return noon }

// dun lets a renewal fail for so many customers on an expired card and takes the first step of each case, so that each is
// owed a reminder at once.
func dun(b *testing.B, house *portal.Portal, customers int) {
	b.Helper()
	lapse(b, house, 0, customers)
	schedule := scheduleOf(house)
	for done := 1; done > 0; {
		var err error
		done, err = schedule.RunOnce(b.Context())
		if err != nil {
			b.Fatal(err)
		}
	}
}

func scheduleOf(house *portal.Portal) *jobs.Schedule {
	return &jobs.Schedule{DB: house.DB, Cases: house.Cases, Now: atNoon, Log: slog.New(slog.DiscardHandler)}
}

// lapse lets a renewal fail for the customers numbered from first to before last; their cases open and are due.
func lapse(b *testing.B, house *portal.Portal, first, last int) {
	b.Helper()
	for from := first; from < last; from += 500 {
		err := house.DB.Do(b.Context(), func(tx *sql.Tx) error {
			for n := from; n < min(from+500, last); n++ {
				a := debtor(n)
				err := billing.Save(b.Context(), tx, a, noon.Unix())
				if err != nil {
					return err
				}
				err = house.Cases.Reconsider(b.Context(), tx, a.Customer.ID, noon, a.Invoices[0].ID)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// debtor is a customer as Stripe would tell of them: in one of two languages, some with two invoices.
func debtor(n int) billing.Account {
	id := fmt.Sprintf("cus_bench%07d", n)
	locale, name, country := "en", fmt.Sprintf("Claire Martin %d", n), "IE"
	if n%3 == 0 {
		locale, name, country = "it", fmt.Sprintf("Chiara Bellini %d", n), "IT"
	}
	a := billing.Account{
		Customer: billing.Customer{ID: id, Name: name, Email: fmt.Sprintf("c%d@customer.example", n), PreferredLocales: []string{locale}, Country: country, DefaultMethod: "pm_" + id, CreatedAt: noon.AddDate(-1, 0, 0).Unix()},
		Methods:  []billing.Method{{ID: "pm_" + id, CustomerID: id, Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 8, ExpYear: 2026, Fingerprint: "f" + id}},
	}
	for i := range 1 + n%5/4 {
		a.Invoices = append(a.Invoices, billing.Invoice{
			ID: fmt.Sprintf("in_%s_%d", id, i), CustomerID: id, SubscriptionID: "sub_" + id, Number: fmt.Sprintf("LUMEN-%07d-%d", n, i), Status: "open",
			CollectionMethod: "charge_automatically", BillingReason: "subscription_cycle", Currency: "eur", AmountDue: 2900, AmountRemaining: 2900,
			Description: "Studio plan", PeriodStart: noon.Unix(), PeriodEnd: noon.AddDate(0, 1, 0).Unix(), CreatedAt: noon.Unix() - 3600, Attempted: true, AttemptCount: 1,
			FailedAt: noon.Unix(), FirstFailed: 2900, NextAttemptAt: noon.AddDate(0, 0, 3).Unix(), Intent: "pi_" + id, IntentStatus: "requires_payment_method", MethodID: "pm_" + id,
			Decline: billing.Decline{Code: "expired_card", DeclineCode: "expired_card"},
		})
	}
	return a
}

// send lets the sender hand over a round of reminders and answers how many a second.
func send(b *testing.B, house *portal.Portal, mailbox *sink) float64 {
	b.Helper()
	before, start, sent := mailbox.count.Load(), time.Now(), 0
	for sent < mailsPerRound {
		n, err := house.Sender.RunOnce(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if n == 0 {
			b.Fatalf("%d reminders were sent, then none was due", sent)
		}
		sent += n
	}
	took := time.Since(start)
	if arrived := mailbox.count.Load() - before; arrived != int64(sent) {
		b.Fatalf("%d reminders were dealt with and %d arrived", sent, arrived)
	}
	return float64(sent) / took.Seconds()
}

// processor is the processor time this process has used: on a machine that others use too it is steadier than the clock.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// micros is the time of a round as microseconds for each of its mails.
func micros(d time.Duration) float64 { return float64(d.Microseconds()) / mailsPerRound }

// rawLoop answers a measure of go-mail handing over the mails the server kept, over as many connections.
func rawLoop(b *testing.B, mailbox *sink) func() float64 {
	b.Helper()
	type words struct{ to, subject, text, html string }
	var all []words
	for _, raw := range mailbox.kept {
		r, err := mail.CreateReader(bytes.NewReader(raw))
		if err != nil {
			b.Fatal(err)
		}
		w := words{}
		to, err := r.Header.AddressList("To")
		if err != nil {
			b.Fatal(err)
		}
		w.to = to[0].String()
		w.subject, err = r.Header.Subject()
		if err != nil {
			b.Fatal(err)
		}
		for part := 0; ; part++ {
			p, err := r.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			body, err := io.ReadAll(p.Body)
			if err != nil {
				b.Fatal(err)
			}
			if part == 0 {
				w.text = string(body)
			} else {
				w.html = string(body)
			}
		}
		all = append(all, w)
	}
	host, port, err := net.SplitHostPort(mailbox.address)
	if err != nil {
		b.Fatal(err)
	}
	var number int
	fmt.Sscan(port, &number)
	return func() float64 {
		var next atomic.Int64
		var wait sync.WaitGroup
		start := time.Now()
		for range lines {
			wait.Go(func() {
				client, err := gomail.NewClient(host, gomail.WithPort(number), gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithoutNoop(), gomail.WithoutRset())
				if err != nil {
					b.Error(err)
					return
				}
				err = client.DialWithContext(b.Context())
				if err != nil {
					b.Error(err)
					return
				}
				defer client.Close()
				for n := next.Add(1); n <= mailsPerRound; n = next.Add(1) {
					w := all[int(n)%len(all)]
					m := gomail.NewMsg()
					err = errors.Join(m.FromFormat("Lumen Studio", "billing@lumen.example"), m.To(w.to))
					m.Subject(w.subject)
					m.SetBodyString(gomail.TypeTextPlain, w.text)
					m.AddAlternativeString(gomail.TypeTextHTML, w.html)
					err = errors.Join(err, client.Send(m))
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wait.Wait()
		return mailsPerRound / time.Since(start).Seconds()
	}
}

// feeder answers what lets the server take a round of the mails it kept from clients that do nothing but write finished
// bytes: what that costs is the server's share.
func feeder(b *testing.B, mailbox *sink) func() {
	b.Helper()
	var all [][]byte
	for _, raw := range mailbox.kept {
		all = append(all, append(bytes.ReplaceAll(raw, []byte("\r\n."), []byte("\r\n..")), ".\r\n"...))
	}
	say := func(wire *textproto.Conn, code int, bytes []byte) {
		_, err := wire.W.Write(bytes)
		err = errors.Join(err, wire.W.Flush())
		if err != nil {
			b.Error(err)
			return
		}
		_, _, err = wire.ReadResponse(code)
		if err != nil {
			b.Error(err)
		}
	}
	return func() {
		var next atomic.Int64
		var wait sync.WaitGroup
		for range lines {
			wait.Go(func() {
				wire, err := textproto.Dial("tcp", mailbox.address)
				if err != nil {
					b.Error(err)
					return
				}
				defer wire.Close()
				_, _, err = wire.ReadResponse(220)
				if err != nil {
					b.Error(err)
					return
				}
				say(wire, 250, []byte("EHLO bench.example\r\n"))
				for n := next.Add(1); n <= mailsPerRound; n = next.Add(1) {
					say(wire, 250, []byte("MAIL FROM:<billing@lumen.example>\r\n"))
					say(wire, 250, []byte("RCPT TO:<c@customer.example>\r\n"))
					say(wire, 354, []byte("DATA\r\n"))
					say(wire, 250, all[int(n)%len(all)])
				}
			})
		}
		wait.Wait()
	}
}

// sink is a mail server that takes everything and forgets it, but for the first mails.
type sink struct {
	address string
	count   atomic.Int64
	bytes   atomic.Int64
	keep    atomic.Bool

	mu   sync.Mutex
	kept [][]byte
}

func openSink(b *testing.B) *sink {
	b.Helper()
	s := &sink{}
	s.keep.Store(true)
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }))
	server.Domain = "sink.example"
	server.ErrorLog = quiet{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s.address = l.Addr().String()
	go server.Serve(l)
	b.Cleanup(func() { server.Close() })
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

type session struct{ sink *sink }

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *session) Reset()                               {}
func (s *session) Logout() error                        { return nil }

func (s *session) Data(r io.Reader) error {
	if !s.sink.keep.Load() {
		n, err := io.Copy(io.Discard, r)
		s.sink.count.Add(1)
		s.sink.bytes.Add(n)
		return err
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	if len(s.sink.kept) < 500 {
		s.sink.kept = append(s.sink.kept, raw)
	}
	s.sink.count.Add(1)
	s.sink.bytes.Add(int64(len(raw)))
	return nil
}
