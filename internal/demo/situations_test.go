package demo

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
)

// situations is what /demo/states.json lists.
func (v *outsider) situations() []stateEntry {
	v.t.Helper()
	status, body := v.get("/demo/states.json")
	var all []stateEntry
	err := json.Unmarshal([]byte(body), &all)
	if status != http.StatusOK || err != nil {
		v.t.Fatalf("states.json answers %d: %v", status, err)
	}
	return all
}

// goTo is a fresh browser without script at a situation.
func (v *outsider) goTo(s stateEntry) *reader {
	v.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r := &reader{outsider: v, client: &http.Client{Jar: jar}}
	r.open(s.Method, s.Address, url.Values{})
	for range s.Presses {
		form := r.page.Find("main .main-act").First().Closest("form")
		fields := url.Values{}
		form.Find("input[name]").Each(func(_ int, field *goquery.Selection) {
			if field.AttrOr("type", "") != "radio" || field.Is("[checked]") {
				fields.Add(field.AttrOr("name", ""), field.AttrOr("value", ""))
			}
		})
		r.open(strings.ToUpper(form.AttrOr("method", "")), v.base+form.AttrOr("action", ""), fields)
	}
	return r
}

type reader struct {
	*outsider
	client *http.Client
	status int
	path   string
	text   string
	page   *goquery.Document
}

func (r *reader) open(method, address string, fields url.Values) {
	r.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(fields.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	r.status, r.path, r.text = resp.StatusCode, resp.Request.URL.Path, string(body)
	r.page, err = goquery.NewDocumentFromReader(strings.NewReader(r.text))
	if err != nil {
		r.t.Fatal(err)
	}
}

// largestPage is how much a page may weigh, without what it loads.
const largestPage = 50_000

// firstTrip is what a server may send before it has heard anything back: ten segments (RFC 6928). A page that fits is
// there after one round trip.
const firstTrip = 14_000

// Every situation can be gone to and is what its line says: the page has its one heading, at most one main button, a way
// to a human, and weighs little; it is well-formed; what failed says that nothing was taken.
func TestEverySituationIsReal(t *testing.T) {
	t.Parallel()
	v := stageFor(t, Options{})
	selectors := map[string]string{ // what only this situation shows
		"due": "form[action='/pay/review']", "expired_card": "form[action='/pay/card']", "no_method": "form[action='/pay/card']", "approval": "a.main-act[href='/pay/approve']",
		"several": "form.choice", "part_paid": "form[action='/pay/hosted'] .main-act", "late_interest": "main a.btn[href*='act=interest']", "review": "form[action='/pay/charge']",
		"card": "#payment-element", "bank_question": "form[data-approve]", "paid": ".seal.good", "declined": ".flash.bad", "card_saved": ".flash.bad",
		"changed": ".flash.wait", "too_often": ".flash.bad", "settled": ".seal.good", "paid_elsewhere": ".seal.good", "void": ".seal.good",
		"promised": "a[href='/pay/promise/end']", "grace": ".flash.wait", "restricted": ".note", "suspended": ".note", "ends_soon": ".flash.wait", "ended": ".note", "claimed": ".note",
		"paused": ".note", "disputed": ".note", "leaving": "main a[href='/pay/cancel']", "link_expired": "form[action='/pay/link']",
		"link_replaced": "form[action='/pay/link']", "link_unknown": "form[action='/pay/link']", "checking": "[data-refresh]", "stripe_down": "a.main-act[href='/pay']",
		"our_fault": "a.main-act[href='/pay']", "refunded": ".seal.good", "debit_failed": "main .main-act", "account_unproven": "form[action='/pay/prove']", "written_off": "form[action='/pay/hosted'] .main-act",
		"methods": "a[href^='/pay/methods/pm_']", "remove_method": "form[action$='/code'] .main-act", "remove_code": "#code[name=code]", "papers": "form[action='/pay/papers/code'] .main-act",
		"share": "form[action='/pay/share/end']", "whose": "main a[href='/pay/share']", "guest": "form[action='/pay/invoice'] #payment-element", "genuine": "form[action='/pay/genuine']",
		"no_page": "a.main-act[href='/pay']", "bounced": "main a.btn[href*='act=mail-again']", "conversation": ".talk", "consent": "a.btn[href='/pay/cancel']", "expires_soon": "form[action='/pay/card'], a.main-act",
	}
	status := map[string]int{"link_expired": 404, "link_replaced": 404, "link_unknown": 404, "stripe_down": 503, "our_fault": 500, "no_page": 404, "too_often": 429}
	dead := map[string]string{}
	for _, s := range v.situations() {
		v.onPurpose(s)
		r := v.goTo(s)
		want := status[s.Name]
		if want == 0 {
			want = http.StatusOK
		}
		if r.status != want {
			t.Errorf("%s answers %d at %s, want %d", s.Name, r.status, r.path, want)
		}
		if selector, given := selectors[s.Name]; given && r.page.Find(selector).Length() == 0 {
			t.Errorf("%s shows no %s: %s", s.Name, selector, strings.Join(strings.Fields(r.page.Find("main").Text()), " "))
		}
		if n := r.page.Find("h1").Length(); n != 1 {
			t.Errorf("%s has %d headings of the first level", s.Name, n)
		}
		if n := r.page.Find("main .main-act").Length(); n > 1 {
			t.Errorf("%s has %d main buttons", s.Name, n)
		}
		if !strings.HasPrefix(r.path, "/admin") && r.page.Find("footer a[href='mailto:"+supportEmail+"']").Length() != 1 {
			t.Errorf("%s shows no way to a human", s.Name)
		}
		if len(r.text) > largestPage {
			t.Errorf("%s weighs %d bytes, more than %d", s.Name, len(r.text), largestPage)
		}
		if !strings.HasPrefix(r.path, "/admin") {
			if len(r.text) > firstTrip {
				t.Errorf("%s has %d bytes, which take more than one round trip", s.Name, len(r.text))
			}
			if styles, late := r.page.Find("link[rel=stylesheet]").Length(), r.page.Find("script:not([defer])").Length(); styles != 1 || late > 0 {
				t.Errorf("%s waits for %d style sheets and %d scripts before it is drawn", s.Name, styles, late)
			}
		}
		for _, fault := range malformed(r.text) {
			t.Errorf("%s: %s", s.Name, fault)
		}
		if strings.HasPrefix(s.Name, "link_") && s.Name != "link_sent" {
			dead[s.Name] = r.text
		}
		lines(t, s.Name, r.page)
	}
	if dead["link_expired"] != dead["link_unknown"] || dead["link_replaced"] != dead["link_unknown"] {
		t.Error("dead links differ")
	}
	if answered, _ := v.get("/demo/states/nowhere"); answered != http.StatusNotFound {
		t.Errorf("an unknown situation answers %d", answered)
	}
}

// lines checks that what a person typed stays text.
func lines(t *testing.T, name string, page *goquery.Document) {
	t.Helper()
	if n := page.Find("main img, main b b, [onerror], script:not([src])").Length(); n > 0 {
		t.Errorf("%s: %d pieces of markup came alive", name, n)
	}
}

// voidElements have no end.
var voidElements = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

var idForms = regexp.MustCompile(`^[A-Za-z][\w:.-]*$`)

// malformed answers what a browser would have to mend in a page: elements that are not closed, or closed where they were
// not opened, and ids that are doubled or pointed at in vain.
func malformed(page string) []string {
	var faults, open []string
	ids := map[string]int{}
	var wanted []string
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			break
		}
		token := tokens.Token()
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			seen := map[string]bool{}
			for _, a := range token.Attr {
				if seen[a.Key] {
					faults = append(faults, "<"+token.Data+"> has "+a.Key+" twice")
				}
				seen[a.Key] = true
				switch a.Key {
				case "id":
					ids[a.Val]++
					if !idForms.MatchString(a.Val) {
						faults = append(faults, "the id "+a.Val+" is none")
					}
				case "for", "aria-labelledby", "aria-describedby":
					wanted = append(wanted, strings.Fields(a.Val)...)
				}
			}
			if kind == html.StartTagToken && !slices.Contains(voidElements, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			last := len(open) - 1
			if last < 0 || open[last] != token.Data {
				faults = append(faults, "</"+token.Data+"> closes what is not open: "+strings.Join(open, " "))
				continue
			}
			open = open[:last]
		}
	}
	for id, n := range ids {
		if n > 1 {
			faults = append(faults, "the id "+id+" is doubled")
		}
	}
	for _, id := range wanted {
		if ids[id] == 0 {
			faults = append(faults, "the id "+id+" is pointed at and is not there")
		}
	}
	if len(open) > 0 {
		faults = append(faults, "not closed: "+strings.Join(open, " "))
	}
	return faults
}

// onPurpose checks that a situation that something has to happen for is not entered by following an address, and none by a
// program that only asks what is there.
func (v *outsider) onPurpose(s stateEntry) {
	v.t.Helper()
	plain := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if s.Method == http.MethodPost {
		resp, err := plain.Get(s.Address)
		if err != nil {
			v.t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Header.Get("Location") != "/demo/states#"+s.Name || len(resp.Cookies()) > 0 {
			v.t.Errorf("GET of %s leads to %s", s.Name, resp.Header.Get("Location"))
		}
	}
	resp, err := plain.Head(s.Address)
	if err != nil {
		v.t.Fatal(err)
	}
	resp.Body.Close()
	if len(resp.Cookies()) > 0 {
		v.t.Errorf("HEAD of %s sets a session", s.Name)
	}
}
