package web

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/golang-jwt/jwt/v5"

	"sollecito/internal/apikey"
	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/outbox"
	"sollecito/internal/staff"
)

// makesKey makes a key past the page for it.
func (h *house) makesKey(name string) apikey.Key {
	h.t.Helper()
	k, _ := h.key(name)
	return k
}

func (h *house) key(name string) (k apikey.Key, secret string) {
	h.t.Helper()
	h.do(func(tx *sql.Tx) (err error) {
		k, secret, err = h.server.Keys.Make(h.t.Context(), tx, name, "staff_1")
		return err
	})
	return k, secret
}

// told asks the API with a key and answers the object, which must be there.
func (h *house) told(path, key string) map[string]any {
	h.t.Helper()
	w := h.ask("GET", path, key, "")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json; charset=utf-8" || w.Header().Get("Cache-Control") != "no-store" {
		h.t.Fatalf("%s: %d %v\n%s", path, w.Code, w.Header(), w.Body)
	}
	var object map[string]any
	must(h.t, json.Unmarshal(w.Body.Bytes(), &object))
	return object
}

// contract is the document that the portal itself hands out, made strict: an answer holds the fields that are listed, and
// no other.
type contract struct {
	t   *testing.T
	doc *openapi3.T
}

func (h *house) contract() contract {
	h.t.Helper()
	w := h.ask("GET", "/api/openapi.json", "", "")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		h.t.Fatalf("openapi.json: %d %v", w.Code, w.Header())
	}
	doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	must(h.t, err)
	must(h.t, doc.Validate(h.t.Context(), openapi3.IsOpenAPI31OrLater()))
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		h.t.Errorf("it is written in OpenAPI %s", doc.OpenAPI)
	}
	for name, schema := range doc.Components.Schemas {
		closed := false
		schema.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &closed}
		for field, f := range schema.Value.Properties {
			if !slices.Contains(schema.Value.Required, field) {
				h.t.Errorf("%s.%s may be missing: every field of ours is always there", name, field)
			}
			if f.Value.Description == "" && f.Value.Items == nil {
				h.t.Errorf("nobody says what %s.%s means", name, field)
			}
		}
	}
	return contract{h.t, doc}
}

// holds checks an answer against what is written of the path.
func (c contract) holds(path string, w *httptest.ResponseRecorder) {
	c.t.Helper()
	response := c.doc.Paths.Value(path).Get.Responses.Status(w.Code)
	if response == nil {
		c.t.Errorf("%s answers %d, of which nothing is written", path, w.Code)
		return
	}
	kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	media := response.Value.Content[kind]
	if media == nil {
		c.t.Errorf("%s answers %d as %s, of which nothing is written", path, w.Code, kind)
		return
	}
	for name := range response.Value.Headers {
		if w.Header().Get(name) == "" && name != "Retry-After" {
			c.t.Errorf("%s answers %d without %s", path, w.Code, name)
		}
	}
	var value any
	must(c.t, json.Unmarshal(w.Body.Bytes(), &value))
	err := media.Schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation())
	if err != nil {
		c.t.Errorf("%s answers otherwise than is written: %v\n%s", path, err, w.Body)
	}
}

// Every call stands in openapi.json and every one there is served; what is really answered, in every state there is, has
// exactly the fields, of the types, that are written there; and so have the examples.
func TestTheDocumentAndTheAnswersAgree(t *testing.T) {
	h := newHouse(t)
	c := h.contract()
	served := map[string]bool{}
	for _, route := range (&api{Server: h.server}).table() {
		served[route.path] = true
		item := c.doc.Paths.Value(route.path)
		if item == nil || item.Get == nil || len(item.Operations()) != 1 {
			t.Errorf("%s is served and not written down", route.path)
		}
	}
	for path, item := range c.doc.Paths.Map() {
		if !served[path] {
			t.Errorf("%s is written down and not served", path)
		}
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json")
		must(t, json.NewEncoder(w).Encode(item.Get.Responses.Status(200).Value.Content["application/json"].Example))
		c.holds(path, w)
	}

	_, key := h.key("the app")
	h.hear(billing.Customer{ID: "cus_healthy", PreferredLocales: []string{"it"}})
	h.fails("cus_new", "Anneke de Vries", "insufficient_funds")
	h.fails("cus_paid", "Duarte Faria", "insufficient_funds")
	h.pays("cus_paid")
	h.fails("cus_rests", hostile, "revocation_of_authorization")
	h.fails("cus_limited", "Maison Okafor", "insufficient_funds")
	for range 4 {
		h.step("cus_limited", outbox.Sent)
	}
	h.fails("cus_unsure", "Chiara Bellini", "insufficient_funds")
	for range 4 {
		h.step("cus_unsure", outbox.Uncertain)
	}
	for _, id := range []string{"cus_healthy", "cus_new", "cus_paid", "cus_rests", "cus_limited", "cus_unsure"} {
		c.holds("/api/v1/customers/{id}/access", h.ask("GET", "/api/v1/customers/"+id+"/access", key, ""))
		c.holds("/api/v1/customers/{id}", h.ask("GET", "/api/v1/customers/"+id, key, ""))
		if id != "cus_healthy" {
			c.holds("/api/v1/cases/{id}", h.ask("GET", "/api/v1/cases/"+h.caseOf(id).ID, key, ""))
		}
	}
	c.holds("/api/v1/cases", h.ask("GET", "/api/v1/cases", key, ""))
	c.holds("/api/v1/cases", h.ask("GET", "/api/v1/cases?limit=2", key, ""))
	c.holds("/api/v1/cases", h.ask("GET", "/api/v1/cases?limit=0", key, ""))
	for path := range served {
		c.holds(path, h.ask("GET", strings.Replace(path, "{id}", "x", 1), "", ""))
		c.holds(path, h.ask("GET", strings.Replace(path, "{id}", "x", 1), "sol_none", ""))
		if strings.Contains(path, "{id}") {
			c.holds(path, h.ask("GET", strings.Replace(path, "{id}", "x", 1), key, ""))
		}
	}
	for range mostBadKeys {
		h.ask("GET", "/api/v1/cases", "sol_none", "")
	}
	c.holds("/api/v1/cases", h.ask("GET", "/api/v1/cases", "sol_none", ""))
}

// What an answer says is what is stored.
func TestTheAnswersTellWhatIsStored(t *testing.T) {
	h := newHouse(t)
	_, key := h.key("the app")
	h.fails("cus_1", "Anneke de Vries", "insufficient_funds")
	access := h.told("/api/v1/customers/cus_1/access", key)
	if access["customer"] != "cus_1" || access["access"] != "full" || access["allowed"] != true || access["until"] != nil || access["reason"] != "payment_overdue" {
		t.Errorf("right after the failure: %v", access)
	}
	h.step("cus_1", outbox.Sent)
	c := h.caseOf("cus_1")
	access = h.told("/api/v1/customers/cus_1/access", key)
	if access["until"] != time.Unix(c.ConsequenceAt, 0).UTC().Format(time.RFC3339) || access["access"] != "full" {
		t.Errorf("with a day that was told: %v", access)
	}
	who := h.told("/api/v1/customers/cus_1", key)
	if who["name"] != "Anneke de Vries" || who["email"] != "cus_1@bellini.example" || who["language"] != "en" || who["case"] != c.ID ||
		fmt.Sprint(who["owed"]) != "[map[currency:eur minor:2900]]" {
		t.Errorf("the customer: %v", who)
	}
	whole := h.told("/api/v1/cases/"+c.ID, key)
	next, _ := whole["next"].(map[string]any)
	if whole["status"] != "open" || whole["paused"] != false || whole["campaign"] != "consumer-cards" || whole["closed_at"] != nil ||
		next["step"] != "second" || next["at"] != time.Unix(c.NextStepAt, 0).UTC().Format(time.RFC3339) ||
		fmt.Sprint(next["channels"]) != "[email app]" && fmt.Sprint(next["channels"]) != "[email]" ||
		fmt.Sprint(whole["invoices"]) != "[map[id:in_cus_1 number:LS-cus_1 remaining:map[currency:eur minor:2900] status:open]]" {
		t.Errorf("the case: %v", whole)
	}
	h.do(func(tx *sql.Tx) error { return dunning.StopSending(t.Context(), tx, "Ines", "", h.clock()) })
	stopped, _ := h.told("/api/v1/cases/"+c.ID, key)["next"].(map[string]any)
	if stopped["step"] != "second" || stopped["at"] != nil {
		t.Errorf("while all sending is stopped the next step is %v", stopped)
	}
	h.do(func(tx *sql.Tx) error { return dunning.ResumeSending(t.Context(), tx) })
	must(t, h.talks.Write(t.Context(), "cus_1", "Please wait a week", false, h.clock()))
	whole = h.told("/api/v1/cases/"+c.ID, key)
	pauses, _ := whole["pauses"].([]any)
	if whole["paused"] != true || whole["next"] != nil || len(pauses) != 1 || pauses[0].(map[string]any)["reason"] != "conversation" {
		t.Errorf("the resting case: %v", whole)
	}
	h.pays("cus_1")
	access = h.told("/api/v1/customers/cus_1/access", key)
	if access["access"] != "full" || access["until"] != nil || access["reason"] != "in_good_standing" {
		t.Errorf("after payment: %v", access)
	}
	whole = h.told("/api/v1/cases/"+c.ID, key)
	if whole["status"] != "recovered" || whole["closed_at"] == nil || whole["paused"] != false || len(whole["pauses"].([]any)) != 0 {
		t.Errorf("after payment: %v", whole)
	}
	if who = h.told("/api/v1/customers/cus_1", key); who["case"] != nil || len(who["owed"].([]any)) != 0 {
		t.Errorf("after payment: %v", who)
	}
}

// A list is walked to its end page by page: nothing is left out and nothing comes twice, though cases begin and end
// meanwhile.
func TestAListIsWalkedToItsEnd(t *testing.T) {
	h := newHouse(t)
	_, key := h.key("the CRM")
	var made []string // last first
	for i := range 9 {
		id := fmt.Sprintf("cus_%d", i)
		h.fails(id, "Anneke de Vries", "insufficient_funds")
		made = append([]string{h.caseOf(id).ID}, made...)
		if i%3 == 0 {
			h.pays(id)
		}
	}
	walk := func(query string, meanwhile func()) (found []string) {
		t.Helper()
		for path := "/api/v1/cases?limit=2" + query; ; {
			page := h.told(path, key)
			for _, c := range page["cases"].([]any) {
				found = append(found, c.(map[string]any)["id"].(string))
			}
			if page["next"] == nil {
				return found
			}
			meanwhile()
			path = "/api/v1/cases?limit=2" + query + "&after=" + page["next"].(string)
		}
	}
	n := 0
	got := walk("", func() {
		n++
		h.fails(fmt.Sprintf("cus_late%d", n), "Bram Jansen", "insufficient_funds")
		if n == 2 {
			h.pays("cus_4")
		}
	})
	if !slices.Equal(got, made) {
		t.Errorf("walked %v, want %v", got, made)
	}
	nothing := func() {}
	if got = walk("&status=recovered", nothing); len(got) != 4 || !slices.Contains(got, made[0+2]) {
		t.Errorf("recovered: %v", got)
	}
	if got = walk("&customer=cus_5", nothing); !slices.Equal(got, []string{h.caseOf("cus_5").ID}) {
		t.Errorf("of one customer: %v", got)
	}
	if got = walk("&status=open&customer=cus_0", nothing); len(got) != 0 {
		t.Errorf("of one who paid: %v", got)
	}
	for _, query := range []string{"limit=0", "limit=201", "limit=x", "limit=", "status=paused", "state=open", "limit=1&limit=2",
		"customer=cus_5%zz", "limit=2;customer=cus_5", "after=cus_5", "status=", "customer=", "status", "status=open&customer="} {
		w := h.ask("GET", "/api/v1/cases?"+query, key, "")
		if w.Code != http.StatusUnprocessableEntity || code(w) != "parameter_invalid" || strings.Contains(w.Body.String(), `\u`) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	for _, query := range []string{"customer=%00", "customer=%ff"} {
		if w := h.ask("GET", "/api/v1/cases?"+query, key, ""); w.Code != http.StatusBadRequest || code(w) != "invalid" {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

func TestOnlyAKeyOpensTheAPI(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Anneke de Vries", "insufficient_funds")
	k, key := h.key("the app")
	const path = "/api/v1/customers/cus_1/access"
	for name, c := range map[string]struct {
		authorization, code, challenge string
	}{
		"nothing":         {"", "key_missing", `Bearer realm="api"`},
		"another scheme":  {"Basic " + key, "key_missing", `Bearer realm="api"`},
		"no key":          {"Bearer ", "key_missing", `Bearer realm="api"`},
		"another key":     {"Bearer sol_aaaa", "key_invalid", `Bearer realm="api", error="invalid_token"`},
		"the banner's":    {"Bearer " + h.sign("cus_1", "billing"), "key_invalid", `Bearer realm="api", error="invalid_token"`},
		"a key and more":  {"Bearer " + key + "x", "key_invalid", `Bearer realm="api", error="invalid_token"`},
		"what is kept":    {"Bearer " + k.ID, "key_invalid", `Bearer realm="api", error="invalid_token"`},
		"what is no text": {"Bearer \xff\x00", "key_invalid", `Bearer realm="api", error="invalid_token"`},
	} {
		w := h.ask("GET", path, "", "", "Authorization", c.authorization)
		if w.Code != http.StatusUnauthorized || code(w) != c.code || w.Header().Get("WWW-Authenticate") != c.challenge || w.Header().Get("Content-Type") != "application/problem+json" ||
			w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: %d %s %v", name, w.Code, w.Body, w.Header())
		}
	}
	if w := h.ask("GET", path, "", "", "Authorization", "bearer  "+key+" "); w.Code != http.StatusOK {
		t.Errorf("the scheme's letters: %d %s", w.Code, w.Body)
	}
	// A colleague's session, or a customer's, is not asked for.
	b := h.member(staff.Admin)
	if a := b.get(path); a.StatusCode != http.StatusUnauthorized || len(a.Cookies()) != 0 {
		t.Errorf("an administrator without a key: %d", a.StatusCode)
	}
	// The methods, the paths and the bodies.
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		w := h.ask(method, path, key, "")
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" || code(w) != "wrong_method" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v %s", method, w.Code, w.Header(), w.Body)
		}
	}
	if w := h.ask("HEAD", path, key, ""); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
	for path, want := range map[string]string{
		"/api/v1/":                     "not_found",
		"/api/v1/customers":            "not_found",
		"/api/v2/cases":                "not_found",
		"/api/v1/cases/case_none":      "case_unknown",
		"/api/v1/customers/x":          "customer_unknown",
		"/api/v1/customers/x/access":   "customer_unknown",
		"/api/v1/customers/%2e/access": "customer_unknown",
	} {
		w := h.ask("GET", path, key, "")
		if w.Code != http.StatusNotFound || code(w) != want || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := h.ask("GET", "/api/v1/customers/%00/access", key, ""); w.Code != http.StatusBadRequest || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("NUL: %d %s", w.Code, w.Body)
	}
	if strings.Contains(h.log.String(), key[len(k.Beginning):]) || strings.Contains(h.log.String(), "cus_1/access") {
		t.Error("a key, or whose access was asked for, stands in the log")
	}
}

// Guessing is slowed down where it comes from, and keeps nobody with a good key out.
func TestGuessedKeysAreCounted(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Anneke de Vries", "insufficient_funds")
	_, key := h.key("the app")
	guess := func() *httptest.ResponseRecorder { return h.ask("GET", "/api/v1/cases", "sol_guess", "") }
	for i := range mostBadKeys {
		if w := guess(); w.Code != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d", i, w.Code)
		}
	}
	w := guess()
	if w.Code != http.StatusTooManyRequests || code(w) != "too_many" || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("one more: %d %v %s", w.Code, w.Header(), w.Body)
	}
	for range 3 * mostBadKeys {
		if w = h.ask("GET", "/api/v1/customers/cus_1/access", key, ""); w.Code != http.StatusOK {
			t.Fatalf("a good key there: %d", w.Code)
		}
	}
	if w = h.ask("GET", "/api/v1/cases", "", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("no key at all: %d", w.Code)
	}
	h.later(badKeysWithin)
	if w = guess(); w.Code != http.StatusUnauthorized {
		t.Errorf("later: %d", w.Code)
	}
}

// A broken database is told to programs as to anybody, without a word of it and without a session being looked for.
func TestTheAPIFailsInJSON(t *testing.T) {
	h := newHouse(t)
	_, key := h.key("the app")
	must(t, h.db.Close())
	w := h.ask("GET", "/api/v1/cases", key, "", "Cookie", "sollecito=x; sollecito-staff=y", "Accept", "text/html")
	if w.Code < 500 || w.Header().Get("Content-Type") != "application/problem+json" || strings.Contains(w.Body.String(), "sql") || code(w) == "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

// What the app is told is what the banner and staff are told, of every step of every campaign that is shipped.
func TestTheAppHearsTheSameFromServerAndBanner(t *testing.T) {
	h := newHouse(t)
	_, key := h.key("the app")
	h.fails("cus_1", "Anneke de Vries", "insufficient_funds")
	dated := 0
	for h.caseOf("cus_1").Status == dunning.Open && h.caseOf("cus_1").NextStepAt > 0 {
		h.step("cus_1", outbox.Sent)
		access := h.told("/api/v1/customers/cus_1/access", key)
		b, status := h.state(h.sign("cus_1", "billing"))
		if status != http.StatusOK {
			continue
		}
		if b.AccessEndsAt != "" {
			dated++
			if access["until"] != b.AccessEndsAt {
				t.Errorf("the banner says %s, the answer %v", b.AccessEndsAt, access["until"])
			}
		}
		if (b.Wall == "hard") == access["allowed"].(bool) {
			t.Errorf("wall %s, allowed %v", b.Wall, access["allowed"])
		}
		if (b.Wall == "soft") != (access["access"] == "restricted") {
			t.Errorf("wall %s, access %v", b.Wall, access["access"])
		}
	}
	if dated == 0 {
		t.Error("no day was told")
	}
}

// While nobody is sure that the customer was told, a consequence waits for a person: its day is told to nobody, neither by staff's
// page nor to the app, as the plan on staff's page names none. The notice in the app that announces it itself says it.
func TestADayThatNobodyWasSurelyToldIsNamedNowhere(t *testing.T) {
	h := newHouse(t)
	_, key := h.key("the app")
	h.fails("cus_1", "Anneke de Vries", "insufficient_funds")
	day := func() (page, answer, banner string) {
		t.Helper()
		d := h.member(staff.Viewer).page("/admin/customers/cus_1")
		d.Find("dt").Each(func(_ int, term *goquery.Selection) {
			if words(term) == "Access" {
				page = words(term.Next())
			}
		})
		b, _ := h.state(h.sign("cus_1", "billing"))
		answer, _ = h.told("/api/v1/customers/cus_1/access", key)["until"].(string)
		return page, answer, b.AccessEndsAt
	}
	h.step("cus_1", outbox.Uncertain)
	if page, answer, banner := day(); !strings.Contains(page, " until ") || answer == "" || banner != answer {
		t.Errorf("with the announcing mail ahead, the page says %q, the answer %q, the banner %q", page, answer, banner)
	}
	h.step("cus_1", outbox.Uncertain)
	h.step("cus_1", outbox.Uncertain) // which announced it
	if page, answer, banner := day(); strings.Contains(page, " until ") || answer != "" || banner == "" {
		t.Errorf("with nobody sure, the page says %q, the answer %q, the banner that is to announce it %q", page, answer, banner)
	}
	notice := func(status outbox.Status) {
		h.do(func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE notices SET status = $1 WHERE channel = 'app' AND step = 'notice'`, string(status))
			return err
		})
	}
	notice(outbox.Skipped)
	if page, answer, banner := day(); strings.Contains(page, " until ") || answer != "" || banner != "" {
		t.Errorf("with nothing in the app either, the page says %q, the answer %q, the banner %q", page, answer, banner)
	}
	for _, lang := range []string{"en", "fr", "it", "es", "nl"} { // whose words for a day that is named say "before then"
		b, _ := h.state(h.sign("cus_1", "billing", func(c jwt.MapClaims) { c["lang"] = lang }))
		l := h.server.Catalog.Locale(lang)
		if b.State != bannerEnding || b.Text.Title != l.Text("banner.past_due.title") || b.Text.Body != l.Text("banner.past_due.body") {
			t.Errorf("without a day, the notice in %s is %q: %+v", lang, b.State, b.Text)
		}
	}
	notice(outbox.Sent)
	if page, answer, banner := day(); !strings.Contains(page, " until ") || answer == "" || banner != answer {
		t.Errorf("once it was seen in the app, the page says %q, the answer %q, the banner %q", page, answer, banner)
	}
}

// A key is shown once, to an administrator, and named by its first characters from then on.
func TestKeysAreMadeAndEndedOnTheirPage(t *testing.T) {
	h := newHouse(t)
	h.fails("cus_1", "Anneke de Vries", "insufficient_funds")
	b := h.member(staff.Admin)
	if d := b.page("/admin/keys"); !strings.Contains(words(d.Find(".empty")), "No key yet") || words(d.Find("nav [aria-current=page]")) != "API keys" {
		t.Errorf("without a key: %s", words(d.Find("main")))
	}
	a := b.post("/admin/keys", "name", hostile)
	d := a.document(t)
	key := words(d.Find(".flash .secret"))
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(key, apikey.Prefix) || d.Find("svg[onload]").Length() != 0 || !strings.Contains(d.Find("tbody").Text(), hostile) {
		t.Fatalf("made: %d\n%s", a.StatusCode, a.body)
	}
	if got := words(d.Find("tbody tr")); !strings.Contains(got, key[:10]+"… Works Never used") || !strings.Contains(got, "Ines admin") {
		t.Errorf("listed as %q", got)
	}
	if a = b.post("/admin/keys", "name", hostile); a.StatusCode != http.StatusUnprocessableEntity || a.document(t).Find("#name[aria-invalid=true]").AttrOr("value", "") != hostile {
		t.Errorf("the same name again: %d", a.StatusCode)
	}
	if w := h.ask("GET", "/api/v1/customers/cus_1/access", key, ""); w.Code != http.StatusOK {
		t.Errorf("it opens nothing: %d", w.Code)
	}
	d = b.page("/admin/keys")
	if strings.Contains(d.Text(), key[11:]) || strings.Contains(h.log.String(), key[11:]) || !strings.Contains(words(d.Find("tbody tr")), "Works Used today") {
		t.Errorf("afterwards: %s", words(d.Find("main")))
	}
	d = b.page(d.Find("tbody a").AttrOr("href", ""))
	if got := words(d.Find("[aria-labelledby=ending]")); !strings.Contains(got, "It does not come back") {
		t.Errorf("the question: %q", got)
	}
	if w := h.ask("GET", "/api/v1/customers/cus_1/access", key, ""); w.Code != http.StatusOK {
		t.Errorf("asking ended it: %d", w.Code)
	}
	action := d.Find("[aria-labelledby=ending] form").AttrOr("action", "")
	for range 2 {
		to := b.post(action).leadsTo(t, "/admin/keys?done=key_ended")
		if got := words(b.page(to).Find(".flash")); !strings.Contains(got, "The key has ended") {
			t.Errorf("told %q", got)
		}
	}
	if w := h.ask("GET", "/api/v1/customers/cus_1/access", key, ""); w.Code != http.StatusUnauthorized {
		t.Errorf("an ended key: %d", w.Code)
	}
	if a = b.post("/admin/keys/key_none/end"); a.StatusCode != http.StatusNotFound {
		t.Errorf("one there is not: %d", a.StatusCode)
	}
	d = b.page("/admin/keys")
	if got := words(d.Find("tbody tr")); !strings.Contains(got, "Ended Today") || d.Find("tbody a").Length() != 0 {
		t.Errorf("listed as %q", got)
	}
	var log bytes.Buffer
	for _, e := range h.auditLog() {
		if strings.HasPrefix(e.Action, "key.") {
			fmt.Fprintf(&log, "%s %s %s %s\n", e.Action, e.Role, e.Object[:4], e.Detail)
		}
	}
	if got := log.String(); got != "key.ended admin key_ "+key[:10]+"\nkey.made admin key_ "+key[:10]+"\n" {
		t.Errorf("the audit log says %q", got)
	}
	if got := words(b.page("/admin/audit").Find("tbody")); !strings.Contains(got, "made the API key") || !strings.Contains(got, "ended the API key") {
		t.Errorf("the audit page says %q", got)
	}
}

// A failure is told in one sentence, under both names that programs look for; the page about the API shows it as it comes.
func TestAFailureIsToldInOneSentence(t *testing.T) {
	h := newHouse(t)
	_, key := h.key("crm")
	failure := func(path, key string) (object map[string]any) {
		must(t, json.Unmarshal(h.ask("GET", path, key, "").Body.Bytes(), &object))
		return object
	}
	for _, f := range []map[string]any{
		failure("/api/v1/cases", ""), failure("/api/v1/cases", "sol_none"), failure("/api/v1/cases?limit=0", key), failure("/api/v1/nowhere", key), failure("/api/v1/cases/case_1", key),
	} {
		detail, _ := f["detail"].(string)
		if detail == "" || f["message"] != detail || f["title"] == detail {
			t.Errorf("%v", f)
		}
	}
	problem := h.contract().doc.Components.Schemas["Problem"].Value
	if !problem.Properties["message"].Value.Deprecated || problem.Properties["detail"].Value.Deprecated {
		t.Error("the contract does not say which of the two names is to be read")
	}
	page, err := os.ReadFile("../docs/api.md")
	must(t, err)
	_, part, _ := strings.Cut(string(page), "## What goes wrong")
	_, part, _ = strings.Cut(part, "```json")
	shown, _, _ := strings.Cut(part, "```")
	var want map[string]any
	must(t, json.Unmarshal([]byte(shown), &want))
	if got := failure("/api/v1/cases/case_1", key); !maps.Equal(got, want) {
		t.Errorf("the page about the API shows %v, and %v comes", want, got)
	}
}
