package stage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"sollecito/internal/browsertest"
	"sollecito/static"
)

// scenes are what the portal answers to /embed/v1/state, by the name the driving script asks for.
var scenes = map[string]string{
	"notice":  `{"state":"notice","wall":"none","amount":{"minor":2900,"currency":"eur","text":"€29.00"},"text":{"title":"Your last payment didn’t go through.","body":"Everything works until Tuesday.","cta":"Pay €29.00","dismiss":"Not today"},"lang":"en","dir":"ltr","dismissible":true,"poll_s":300}`,
	"notice2": `{"state":"past_due","amount":{"minor":2900,"currency":"eur","text":"€29.00"},"text":{"title":"Still open.","body":"Everything works until Friday.","cta":"Pay €29.00","dismiss":"Not today","failed":"That didn’t work."},"lang":"en","dir":"ltr","dismissible":true}`,
	"grace":   `{"state":"grace_ending","amount":{"minor":2900,"currency":"eur","text":"€29.00"},"text":{"title":"<img src=x onerror=alert(1)>","body":"€29.00 is open.","cta":"Pay €29.00","dismiss":""},"lang":"en","dir":"ltr","dismissible":false}`,
	"member":  `{"state":"past_due","text":{"title":"A payment for your team needs attention.","body":"Please tell whoever looks after billing.","dismiss":"Close","label":"Message about your team’s plan"},"lang":"en","dir":"ltr","dismissible":true}`,
	"rtl":     `{"state":"notice_rtl","amount":{"minor":2900,"currency":"eur","text":"€29.00"},"text":{"title":"لم تتم عملية الدفع.","body":"","cta":"ادفع €29.00","dismiss":"ليس اليوم"},"lang":"ar","dir":"rtl","dismissible":true}`,
	"hard":    `{"state":"suspended","wall":"hard","amount":{"minor":2900,"currency":"eur","text":"€29.00"},"text":{"title":"Your access is paused.","body":"Paying restores it.","cta":"Pay €29.00","dismiss":""},"lang":"en","dir":"ltr","dismissible":false}`,
	"wall":    `{"state":"suspended","wall":"soft","amount":{"minor":2900,"currency":"eur","text":"€29.00"},"text":{"title":"Shall we settle?","body":"<script>","cta":"Pay €29.00","dismiss":"Not now"},"lang":"en","dir":"ltr","dismissible":true}`,
}

// seen is what the driving script reports.
type seen struct {
	Failed                                                    string
	Violations, Told                                          []string
	Notice, AfterDismiss, Grace, Nothing, Broken, Member, RTL *look
	Wall                                                      struct {
		Modal bool
		Sum   string
		Inert int
	}
	WallAfterEsc bool
	Refused      string
	Again        bool
	Alerts       int
	NotMine      string
}

type look struct {
	Role, Label, Dir, Lang, Text string
	Firm                         bool
	Pay, Dismiss                 *string
}

// TestBannerInARealBrowser loads the notice into a page of another origin under the strictest policy a merchant can
// have, and checks what a reader sees and what the portal is told.
func TestBannerInARealBrowser(t *testing.T) {
	tab := browsertest.Start(t)
	var mu sync.Mutex
	scene := "nothing"
	var events []string
	portal := httptest.NewServer(portalOf(t, func() string { mu.Lock(); defer mu.Unlock(); return scene }, func(event string) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, event)
	}))
	defer portal.Close()

	reports, paid := make(chan seen, 1), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src 'self' %[1]s; style-src 'self'; connect-src 'self' %[1]s; require-trusted-types-for 'script'", portal.URL))
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>App</title><script src="/drive.js"></script><script src="%s/embed/v1.js" async></script><body><pay-banner token="tok"></pay-banner><p>Projects</p>`, portal.URL)
	})
	mux.HandleFunc("GET /drive.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/drive.js") })
	mux.HandleFunc("POST /scene", func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		scene = r.FormValue("is")
	})
	mux.HandleFunc("POST /saw", func(_ http.ResponseWriter, r *http.Request) {
		var s seen
		err := json.NewDecoder(r.Body).Decode(&s)
		if err != nil {
			s.Failed = err.Error()
		}
		reports <- s
	})
	mux.HandleFunc("GET /paid", func(http.ResponseWriter, *http.Request) { close(paid) })
	app := httptest.NewServer(mux)
	defer app.Close()

	err := chromedp.Do(tab, chromedp.Navigate(app.URL))
	if err != nil {
		t.Fatal(err)
	}
	var saw seen
	select {
	case saw = <-reports:
	case <-time.After(45 * time.Second):
		t.Fatal("the page reported nothing")
	}
	if saw.Failed != "" {
		t.Fatal(saw.Failed)
	}
	if len(saw.Violations) > 0 {
		t.Errorf("the page's policy was violated: %v", saw.Violations)
	}
	notice := saw.Notice
	if notice == nil || notice.Role != "region" || notice.Label != "Message about your plan" || notice.Firm || notice.Pay == nil || *notice.Pay != "Pay €29.00" || notice.Dismiss == nil {
		t.Errorf("the notice is %+v", notice)
	}
	if saw.AfterDismiss != nil || saw.Nothing != nil || saw.Broken != nil {
		t.Error("what was put off, what is paid and what failed must leave nothing in the page")
	}
	if saw.Grace == nil || !saw.Grace.Firm || saw.Grace.Dismiss != nil || !strings.Contains(saw.Grace.Text, "<img") {
		t.Errorf("the ending grace is %+v", saw.Grace)
	}
	if saw.Member == nil || saw.Member.Pay != nil || saw.Member.Label != "Message about your team’s plan" {
		t.Errorf("the member sees %+v", saw.Member)
	}
	if saw.RTL == nil || saw.RTL.Dir != "rtl" || saw.RTL.Lang != "ar" {
		t.Errorf("right to left is %+v", saw.RTL)
	}
	if !saw.Wall.Modal || saw.Wall.Sum != "€29.00" || saw.Wall.Inert != 0 || saw.WallAfterEsc {
		t.Errorf("the wall is %+v, after Esc %v", saw.Wall, saw.WallAfterEsc)
	}
	if !strings.Contains(saw.Refused, "Everything works until Friday. That didn’t work.") || !saw.Again || saw.Alerts != 1 {
		t.Errorf("after a press that came to nothing the notice says %q, and may be pressed again: %v; after the next there are %d alerts", saw.Refused, saw.Again, saw.Alerts)
	}
	if !strings.Contains(saw.NotMine, "whoever looks after billing") {
		t.Errorf("who may not pay any more reads %q", saw.NotMine)
	}
	if !slices.Contains(saw.Told, "paid:grace_ending") || !slices.Contains(saw.Told, "error:http_500") {
		t.Errorf("the page was told %v", saw.Told)
	}
	select {
	case <-paid:
	case <-time.After(20 * time.Second):
		t.Error("the press on Pay led nowhere")
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"shown", "snoozed", "clicked", "link"} {
		if !slices.Contains(events, want) {
			t.Errorf("the portal heard %v, not %q", events, want)
		}
	}
}

// A reader at the keyboard opens something in the app, and a wall comes over it: put off, it gives the focus back to
// where they were; one that is not put off stays, however often they press Esc.
func TestWallKeepsAndReturnsTheFocus(t *testing.T) {
	tab := browsertest.Start(t)
	for scene, want := range map[string]string{"wall": "no wall, focus on work", "hard": "a wall, focus on Pay €29.00"} {
		t.Run(scene, func(t *testing.T) {
			portal := httptest.NewServer(portalOf(t, func() string { return scene }, func(string) {}))
			defer portal.Close()
			app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>App</title><script src="%s/embed/v1.js"></script><body><button id="work">Projects</button>`, portal.URL)
			}))
			defer app.Close()
			err := chromedp.Do(tab, chromedp.Navigate(app.URL), chromedp.Focus("#work"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = chromedp.Run(tab, chromedp.Evaluate[bool](`PayBanner.mount({ policy: 'wall', token: () => 'tok' }); true`))
			if err != nil {
				t.Fatal(err)
			}
			_, err = chromedp.Run(tab, chromedp.Poll[bool](`!!document.querySelector('pay-banner').shadowRoot.querySelector('dialog:modal')`))
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				err = chromedp.Do(tab, chromedp.KeyEvent(kb.Escape))
				if err != nil {
					t.Fatal(err)
				}
			}
			got, err := chromedp.Run(tab, chromedp.Evaluate[string](`new Promise((done) => setTimeout(done, 50)).then(() => { // the browser tells of a closed dialogue a moment later
				const root = document.querySelector('pay-banner').shadowRoot, on = root.activeElement;
				return (root.querySelector('dialog:modal') ? 'a wall' : 'no wall') + ', focus on ' + (on ? on.textContent : document.activeElement.id);
			})`, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("after Esc, three times: %s, want %s", got, want)
			}
		})
	}
}

// portalOf plays the portal's embed calls, with the cross-origin rules of the real ones.
func portalOf(t *testing.T, scene func() string, heard func(string)) http.Handler {
	t.Helper()
	assets, err := static.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	script, err := assets.Plain("embed/v1.js", "public, max-age=300")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /embed/v1.js", script)
	embed := func(answer func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			if r.Header.Get("Authorization") != "Bearer tok" || r.Header.Get("Cookie") != "" {
				http.Error(w, "who is this", http.StatusUnauthorized)
				return
			}
			answer(w, r)
		}
	}
	mux.HandleFunc("OPTIONS /embed/v1/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /embed/v1/state", embed(func(w http.ResponseWriter, _ *http.Request) {
		switch body, known := scenes[scene()]; {
		case known:
			_, _ = w.Write([]byte(body))
		case scene() == "broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			w.Header().Set("Access-Control-Expose-Headers", "Pay-State")
			w.Header().Set("Pay-State", "settled")
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	mux.HandleFunc("POST /embed/v1/events", embed(func(w http.ResponseWriter, r *http.Request) {
		var event struct{ Type string }
		err := json.NewDecoder(r.Body).Decode(&event)
		if err != nil {
			t.Error(err)
		}
		heard(event.Type)
		w.WriteHeader(http.StatusNoContent)
	}))
	refusals := []int{http.StatusServiceUnavailable, http.StatusServiceUnavailable, http.StatusForbidden}
	var asked atomic.Int64
	mux.HandleFunc("POST /embed/v1/link", embed(func(w http.ResponseWriter, r *http.Request) {
		n := int(asked.Add(1))
		if n <= len(refusals) {
			w.WriteHeader(refusals[n-1])
			return
		}
		heard("link")
		_ = json.NewEncoder(w).Encode(map[string]string{"url": r.Header.Get("Origin") + "/paid"})
	}))
	return mux
}

// The script is fetched by every page of the merchant's app.
func TestBannerScriptIsSmall(t *testing.T) {
	assets, err := static.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	script, err := assets.Plain("embed/v1.js", "public, max-age=300")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/embed/v1.js", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	script.ServeHTTP(w, r)
	if size := w.Body.Len(); w.Header().Get("Content-Encoding") != "gzip" || size == 0 || size > 6*1024 {
		t.Errorf("the script takes %d bytes on the way, at most 6 KB are allowed", size)
	}
}
