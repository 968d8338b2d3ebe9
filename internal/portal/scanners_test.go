package portal_test

import (
	"context"
	"database/sql"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"

	"sollecito/internal/browsertest"
	"sollecito/internal/config"
	"sollecito/internal/outbox"
	"sollecito/internal/support"
)

// mailed is every kind of mail the program sends to whoever pays, each sent once, and what a scanner finds in them.
type mailed struct {
	*house
	urls []string
	due  string // the customer with something to pay, whose page has every way on it
	at   string // their link
}

// mailing plays the stories that make the program send every kind of mail.
func mailing(t *testing.T) *mailed {
	t.Helper()
	h := open(t, foretelling("all"), automatic, func(c *config.Config) { c.CollectorMode = "on" })
	h.apply(withFinal("cancel"))
	ended := h.customer("Anneke de Vries", "anneke@waal.example", "NL", "pm_card_visa")
	h.fail(ended, "insufficient_funds") // reminders, then the final act
	h.subscriber("chiara@bellini.example", "11", "2026")
	h.walk(16 * day)

	paid := h.customer("Bram Jansen", "bram@jansen.example", "NL", "pm_card_visa")
	invoice := h.fail(paid, "expired_card")
	h.walk(30 * time.Hour)
	err := h.stripe.Pay(invoice, false)
	if err != nil {
		t.Fatal(err)
	}
	h.settle()

	promised := h.customer("Sofia Marchetti", "sofia@marchetti.example", "IT", "pm_card_visa")
	h.fail(promised, "insufficient_funds")
	h.walk(30 * time.Hour)
	b := h.browser()
	b.get(linkIn(t, h.mailsTo("sofia@marchetti.example")[0])).at("/pay", http.StatusOK)
	b.post("/pay/promise/review", url.Values{"kind": {"charge"}, "day": {h.clock.now().Add(3 * day).Format(time.DateOnly)}}).at("/pay/promise/review", http.StatusOK)
	b.press("/pay/promise").at("/pay", http.StatusOK)

	m := &mailed{house: h}
	m.due = h.customer("Duarte Nogueira", "duarte@foz.example", "IT", "pm_card_visa")
	h.fail(m.due, "insufficient_funds")
	h.walk(30 * time.Hour)
	err = h.portal.Talks.Write(t.Context(), m.due, "Which of the two did you charge?", false, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	err = h.portal.DB.See(t.Context(), func(tx *sql.Tx) error {
		c, _, err := h.portal.Talks.OfCustomer(t.Context(), tx, m.due)
		b.path = c.ID
		return err
	})
	if err == nil {
		err = h.portal.Talks.Reply(t.Context(), b.path, "The first one.", support.Speaker{ID: "usr_1", Name: "Ines"})
	}
	if err != nil {
		t.Fatal(err)
	}
	h.browser().post("/pay/link", url.Values{"email": {"duarte@foz.example"}})
	h.walk(time.Minute)

	for _, kind := range []outbox.Kind{outbox.Reminder, outbox.Settled, outbox.Precaution, outbox.FreshLink, outbox.Reply, outbox.Promised, outbox.StaffMessage, outbox.FinalAct} {
		if h.count(`SELECT count(*) FROM notices WHERE kind = '`+string(kind)+`' AND channel = 'email' AND status = 'sent'`) == 0 {
			t.Errorf("no mail of the kind %s was sent, so nothing is known of it", kind)
		}
	}
	for _, mail := range h.catcher.Mails() {
		said := mail.Text + " " + html.UnescapeString(mail.HTML) + " " + mail.Header("List-Unsubscribe")
		for _, found := range address.FindAllString(said, -1) {
			if strings.HasPrefix(found, h.base) && !slices.Contains(m.urls, found) {
				m.urls = append(m.urls, found)
			}
		}
		if mail.To == "duarte@foz.example" && m.at == "" {
			m.at = linkIn(t, mail)
		}
	}
	for _, part := range []string{"/l/", "to=support", "to=choices", "/pay/stop/", "/admin/"} {
		if !slices.ContainsFunc(m.urls, func(u string) bool { return strings.Contains(u, part) }) {
			t.Errorf("no mail has a link with %s", part)
		}
	}
	return m
}

var address = regexp.MustCompile(`https?://[^\s"'<>]+`)

// everything is all that a link or a press could change, here and at Stripe.
func (m *mailed) everything() string {
	m.t.Helper()
	m.settle()
	var all []string
	err := m.portal.DB.See(m.t.Context(), func(tx *sql.Tx) error {
		for _, query := range []string{
			`SELECT id || status FROM notices`, `SELECT id || status FROM attempts`, `SELECT case_id || reason || since || until FROM pauses`, `SELECT id FROM messages`,
			`SELECT id || status FROM promises`, `SELECT customer_id || status FROM wishes`, `SELECT customer_id || version FROM contact_choices`,
			`SELECT id || status || step || access || coalesce(next_step_at, 0) FROM cases`, `SELECT id || status || amount_remaining FROM invoices`,
			`SELECT id || default_method || language FROM customers`, `SELECT id FROM methods`, `SELECT id || status FROM subscriptions`, `SELECT id || status FROM final_acts`,
			`SELECT address FROM suppressions`, `SELECT staff_id || hash FROM staff_sessions`, `SELECT id FROM links`,
		} {
			rows, err := tx.QueryContext(m.t.Context(), query)
			if err != nil {
				return err
			}
			defer rows.Close()
			var found []string
			for rows.Next() {
				var line string
				err = rows.Scan(&line)
				if err != nil {
					return err
				}
				found = append(found, line)
			}
			if rows.Err() != nil {
				return rows.Err()
			}
			slices.Sort(found)
			all = append(all, query+": "+strings.Join(found, " "))
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	newest := m.ask("events?limit=1", nil)["data"].([]any)[0].(map[string]any)
	return strings.Join(append(all, "Stripe's newest event: "+newest["id"].(string)), "\n")
}

// unchanged fails where something is not as it was.
func (m *mailed) unchanged(before, after string) {
	m.t.Helper()
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range was {
		if was[i] != is[i] {
			m.t.Errorf("%s\nbecame\n%s", was[i], is[i])
		}
	}
}

// Programs that guard a mailbox open every address of every mail, again and again, some in a real browser, and some press
// every button of the page an address opens. Nothing comes of it, and the person who reads the mail afterwards finds all as
// it was.
func TestScannersOfEveryMailDoNoHarm(t *testing.T) {
	t.Parallel()
	m := mailing(t)
	before := m.everything()
	t.Run("fetching", func(t *testing.T) {
		var wait sync.WaitGroup
		queue := make(chan string)
		for range 8 {
			wait.Go(func() {
				for u := range queue {
					for _, method := range []string{http.MethodGet, http.MethodHead} {
						m.fetch(t, method, u)
					}
				}
			})
		}
		for range 25 { // each by both methods: fifty times
			for _, u := range m.urls {
				queue <- u
			}
		}
		close(queue)
		wait.Wait()
		m.unchanged(before, m.everything())
	})
	t.Run("pressing", func(t *testing.T) {
		presses := 0
		for _, u := range m.urls {
			presses += m.pressEach(t, u)
		}
		t.Logf("%d addresses, %d buttons", len(m.urls), presses)
		if presses < 30 {
			t.Errorf("only %d buttons were found", presses)
		}
		m.unchanged(before, m.everything())
	})
	t.Run("rendering", func(t *testing.T) {
		seesNoEngine(t)
		ctx := browsertest.Start(t)
		seen := map[string]bool{}
		for _, u := range m.urls {
			m.render(t, ctx, u, seen)
		}
		m.unchanged(before, m.everything())
	})
	m.human(t)
}

// fetch follows an address to where it leads, as a program without a history does.
func (m *mailed) fetch(t *testing.T, method, u string) {
	req, err := http.NewRequest(method, u, nil)
	if err != nil {
		t.Error(err)
		return
	}
	b := m.browser()
	resp, err := b.client.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	resp.Body.Close()
	if resp.StatusCode >= 500 {
		t.Errorf("%s %s answers %d", method, resp.Request.URL.Path, resp.StatusCode)
	}
}

// pressEach presses each button of the page an address opens, once and from a fresh start, and does not follow on. It
// answers how many there were.
func (m *mailed) pressEach(t *testing.T, u string) int {
	t.Helper()
	b := m.browser()
	b.get(u)
	forms := b.page.Find("form")
	pressed := 0
	forms.Each(func(_ int, form *goquery.Selection) {
		if form.AttrOr("method", "get") != "post" {
			return
		}
		form.Find("button").Each(func(_ int, button *goquery.Selection) {
			fresh := m.browser()
			fresh.get(u)
			fresh.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			values := url.Values{}
			form.Find("input[name], textarea[name], select[name]").Each(func(_ int, field *goquery.Selection) {
				kind := field.AttrOr("type", "text")
				_, checked := field.Attr("checked")
				if (kind == "radio" || kind == "checkbox") && !checked {
					return
				}
				values.Add(field.AttrOr("name", ""), field.AttrOr("value", ""))
			})
			if name := button.AttrOr("name", ""); name != "" {
				values.Set(name, button.AttrOr("value", ""))
			}
			fresh.post(form.AttrOr("action", ""), values)
			if fresh.status >= 500 {
				t.Errorf("a press of %s answers %d", form.AttrOr("action", ""), fresh.status)
			}
			pressed++
		})
	})
	return pressed
}

// render opens an address in Chromium and clicks each button of its page, script and all; pages of one kind are clicked
// through once.
func (m *mailed) render(t *testing.T, ctx context.Context, u string, seen map[string]bool) {
	t.Helper()
	const buttons = `[...document.querySelectorAll('main button, main a.main-act, footer button, .menu button:last-of-type')]`
	found, err := visit(ctx, u, buttons+`.length + location.pathname.replace(/\/stop\/.*/, '/stop') + ' ' + document.querySelector('h1').textContent`)
	if err != nil {
		t.Fatalf("render %s: %v", u, err)
	}
	count, kind, _ := strings.Cut(found, "/")
	if seen[kind] {
		return
	}
	seen[kind] = true
	many, err := strconv.Atoi(count)
	if err != nil {
		t.Fatalf("count the buttons of %s: %v", kind, err)
	}
	for i := range many {
		_, err = visit(ctx, u, buttons+`[`+strconv.Itoa(i)+`].click(), ''`)
		if err != nil {
			t.Fatalf("click on %s: %v", kind, err)
		}
		time.Sleep(150 * time.Millisecond) // what a script does after a click has no end to wait for
	}
}

// visit opens an address, waits for its heading and runs a script there; again when what an earlier click began got in
// between. On a busy machine that takes its time to end, so each try leaves it more, and only the clock ends them.
func visit(ctx context.Context, u, script string) (string, error) {
	soon, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	for wait := 10 * time.Millisecond; ; wait *= 2 {
		answer := ""
		err := chromedp.Do(ctx, chromedp.Navigate(u))
		if err == nil {
			_, err = chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelector('h1') != null`))
		}
		if err == nil {
			answer, err = chromedp.Run(ctx, chromedp.Evaluate[string](script))
		}
		between := err != nil && (strings.Contains(err.Error(), "net::ERR_ABORTED") || strings.Contains(err.Error(), "context with specified id") ||
			strings.Contains(err.Error(), "context was destroyed") || strings.Contains(err.Error(), "null (reading"))
		if !between || soon.Err() != nil {
			return answer, err
		}
		time.Sleep(wait)
	}
}

// human is the person who comes after the scanners: they pay by two presses, and stop the reminders by two.
func (m *mailed) human(t *testing.T) {
	t.Helper()
	err := m.stripe.Relent(m.openInvoice(m.due), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	b := m.browser()
	b.get(m.at).at("/pay", http.StatusOK)
	b.press("/pay/review").at("/pay/review", http.StatusOK)
	b.press("/pay/charge").at("/pay/result", http.StatusOK)
	if !strings.Contains(b.text("main"), "Paid") {
		t.Errorf("after the scanners a person pays and reads: %s", b.text("main"))
	}
	b.post("/pay/language", url.Values{"lang": {"it"}, "back": {"/pay/choices"}}).at("/pay/choices", http.StatusOK)
	if language := m.languageOf(m.due); language != "" {
		t.Errorf("the menu alone changes the language of letters to %q", language)
	}
	b.post("/pay/review", url.Values{"what": {"all"}})
	b.post("/pay/choices", url.Values{"way": {"mail"}})
	if language := m.languageOf(m.due); language != "" {
		t.Errorf("what a first page offers changes the language of letters to %q", language)
	}
	b.post("/pay/choices/keep", url.Values{})
	if language := m.languageOf(m.due); language != "it" {
		t.Errorf("what a person chose and went on with is not kept: %q", language)
	}
	at := slices.IndexFunc(m.urls, func(u string) bool { return strings.Contains(u, "/pay/stop/") })
	stop := strings.TrimPrefix(m.urls[at], m.base)
	b = m.browser()
	b.get(stop)
	b.post(stop, url.Values{"step": {"ask"}})
	b.post(stop, url.Values{"step": {"yes"}})
	if m.count(`SELECT count(*) FROM contact_choices WHERE no_mail`) != 1 {
		t.Errorf("after the scanners a person stops the reminders and reads: %s", b.text("main"))
	}
}

// languageOf is the language a customer chose for letters, "" for none.
func (m *mailed) languageOf(customer string) string {
	m.t.Helper()
	var language string
	err := m.portal.DB.See(m.t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRowContext(m.t.Context(), `SELECT language FROM customers WHERE id = $1`, customer).Scan(&language)
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return language
}
