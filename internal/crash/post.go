package main

import (
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// postOffice is the mail server. It delivers nothing and remembers what it took.
type postOffice struct {
	address string
	server  *smtp.Server
	slowest time.Duration // an answer takes up to this long
	mute    int           // of one mail in so many it says nothing for longer than any life, 0 for none

	mu        sync.Mutex
	dice      *rand.Rand
	delivered map[string]int // by Message-ID, after the final dot
	links     map[string]string
	hanging   map[string]bool // taken, and nothing said yet
	cut       map[string]bool // whose sender was killed before anything was said
}

// muteFor is longer than a life lasts that is killed.
const muteFor = 5 * time.Second

func openPostOffice(seed uint64, slowest time.Duration, mute int) (*postOffice, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &postOffice{address: l.Addr().String(), slowest: slowest, mute: mute, dice: rand.New(rand.NewPCG(seed, 1)), delivered: map[string]int{}, links: map[string]string{},
		hanging: map[string]bool{}, cut: map[string]bool{}}
	o.server = smtp.NewServer(o)
	o.server.Domain = "post.example"
	o.server.ErrorLog = log.New(io.Discard, "", 0) // of connections that kills break off
	go o.server.Serve(l)                           // ends with close
	return o, nil
}

func (o *postOffice) close() { o.server.Close() }

// NewSession implements smtp.Backend.
func (o *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{office: o}, nil }

// count answers how many mails it took.
func (o *postOffice) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.delivered)
}

// bereave notes that whoever waited for an answer is dead.
func (o *postOffice) bereave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range o.hanging {
		o.cut[id] = true
	}
	clear(o.hanging)
}

// linkOf answers the link in the latest mail to an address, "" before the first.
func (o *postOffice) linkOf(address string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.links[address]
}

// delivery is one connection.
type delivery struct {
	office *postOffice
	to     string
}

func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = to
	return nil
}

var linkForm = regexp.MustCompile(`http://[^\s"<]+/l/[A-Za-z0-9_-]{43}`)

// Data implements smtp.Session: it is delivered when all of it has come, whether or not our answer arrives.
func (d *delivery) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	o := d.office
	o.mu.Lock()
	id := strings.Trim(m.Header.Get("Message-Id"), "<>")
	o.delivered[id]++
	link := linkForm.Find(body)
	if link != nil {
		o.links[d.to] = string(link)
	}
	wait := time.Duration(o.dice.Int64N(int64(o.slowest)))
	if o.mute > 0 && o.dice.IntN(o.mute) == 0 {
		wait = muteFor
		o.hanging[id] = true
	}
	o.mu.Unlock()
	time.Sleep(wait) // a mail server's own time, not a test's wait
	o.mu.Lock()
	delete(o.hanging, id) // what follows at once is the answer
	o.mu.Unlock()
	return nil
}

func (d *delivery) Reset() { d.to = "" }

func (d *delivery) Logout() error { return nil }
