// Package internal_test holds the floor plan of the house: which room may lean on which. A new arrow is a
// conscious edit of this table.
package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms lists for each room what it may import of ours, test code left out. A name ending in /... covers what
// lies below.
var rooms = map[string][]string{
	"cmd/sollecito": {"internal/audit", "internal/billing", "internal/campaign", "internal/config", "internal/contact", "internal/database", "internal/demo", "internal/doctor", "internal/dunning", "internal/explain", "internal/fault", "internal/gateway", "internal/intake", "internal/l10n", "internal/link", "internal/outbox", "internal/portal", "internal/privacy", "internal/sandbox", "internal/staff"},
	"web": {"static", "views", "views/desk", "internal/apikey", "internal/audit", "internal/billing", "internal/brand", "internal/campaign", "internal/checkout", "internal/contact", "internal/database", "internal/dunning", "internal/explain", "internal/fault",
		"internal/gateway", "internal/inbound", "internal/intake", "internal/interest", "internal/l10n", "internal/link", "internal/outbox", "internal/staff", "internal/stepup", "internal/support", "internal/webhook"},
	"views":       {"internal/billing", "internal/l10n"},
	"views/desk":  {"internal/billing", "internal/l10n"},
	"views/email": {"internal/billing", "internal/brand", "internal/l10n"},
	"views/stage": {"internal/l10n"},
	"static":      {},
	"migrations":  {},

	"internal/portal": {"static", "views", "views/email", "web", "internal/apikey", "internal/audit", "internal/brand", "internal/campaign", "internal/checkout", "internal/config", "internal/database", "internal/disk", "internal/dunning", "internal/gateway",
		"internal/inbound", "internal/intake", "internal/jobs", "internal/l10n", "internal/link", "internal/mail", "internal/metrics", "internal/outbox", "internal/privacy", "internal/staff", "internal/stepup", "internal/support", "internal/webhook"},
	"internal/explain": {"internal/contact", "internal/dunning", "internal/l10n"},
	"internal/metrics": {},
	"internal/disk":    {},
	"internal/doctor":  {"internal/brand", "internal/config", "internal/database", "internal/disk", "internal/dunning", "internal/gateway", "internal/intake", "internal/link", "internal/mail", "internal/staff"},
	"internal/jobs": {"views/email", "internal/audit", "internal/billing", "internal/campaign", "internal/checkout", "internal/contact", "internal/database", "internal/dunning", "internal/fault", "internal/inbound", "internal/intake",
		"internal/l10n", "internal/link", "internal/mail", "internal/outbox", "internal/reading", "internal/staff", "internal/stepup", "internal/support", "internal/webhook"},
	"internal/inbound":  {"internal/database", "internal/fault", "internal/reading"},
	"internal/reading":  {},
	"internal/checkout": {"internal/audit", "internal/billing", "internal/database", "internal/fault", "internal/gateway", "internal/intake", "internal/outbox"},
	"internal/intake":   {"internal/billing", "internal/database", "internal/dunning", "internal/fault", "internal/gateway", "internal/link"},
	"internal/support":  {"internal/audit", "internal/billing", "internal/database", "internal/dunning", "internal/fault", "internal/outbox"},
	"internal/dunning":  {"internal/billing", "internal/campaign", "internal/contact", "internal/database", "internal/fault", "internal/holiday", "internal/outbox", "internal/webhook"},
	"internal/webhook":  {"internal/audit", "internal/database", "internal/fault", "internal/seal"},
	"internal/campaign": {"internal/billing", "internal/database", "internal/fault", "internal/outbox"},
	"internal/contact":  {"internal/billing", "internal/database", "internal/fault", "internal/holiday"},
	"internal/holiday":  {},
	"internal/billing":  {"internal/database", "internal/fault"},
	"internal/outbox":   {"internal/database", "internal/fault"},
	"internal/privacy":  {"internal/audit", "internal/billing", "internal/database", "internal/dunning", "internal/fault", "internal/intake", "internal/interest", "internal/outbox"},
	"internal/staff":    {"internal/audit", "internal/database", "internal/fault", "internal/names", "internal/outbox", "internal/seal"},
	"internal/seal":     {},
	"internal/names":    {},
	"internal/apikey":   {"internal/database", "internal/fault"},
	"internal/stepup":   {"internal/database", "internal/fault", "internal/outbox"},
	"internal/audit":    {"internal/database", "internal/fault"},
	"internal/link":     {"internal/database", "internal/fault"},
	"internal/gateway":  {"internal/billing", "internal/fault", "internal/names"},
	"internal/mail":     {"internal/fault", "internal/names"},
	"internal/l10n":     {},
	"internal/interest": {"internal/billing", "internal/database", "internal/fault"},
	"internal/database": {"migrations", "internal/fault"},
	"internal/fault":    {},
	"internal/config":   {"internal/brand", "internal/contact", "internal/dunning", "internal/gateway", "internal/inbound", "internal/interest", "internal/l10n", "internal/mail", "internal/names"},
	"internal/sandbox":  {"internal/sandbox/..."},
	"internal/simulate": {"internal/audit", "internal/billing", "internal/campaign", "internal/checkout", "internal/config", "internal/contact", "internal/database", "internal/dunning", "internal/fault", "internal/jobs", "internal/mail",
		"internal/portal", "internal/support", "internal/webhook"},
	"internal/demo": {"static", "views/stage", "internal/billing", "internal/campaign", "internal/checkout", "internal/config", "internal/contact", "internal/database", "internal/dunning", "internal/fault", "internal/interest", "internal/l10n",
		"internal/link", "internal/outbox", "internal/portal", "internal/sandbox", "internal/staff", "web"},
	"internal/brand":        {},
	"internal/gallery":      {"internal/browsertest", "internal/demo"},
	"internal/browsertest":  {},
	"internal/databasetest": {"internal/database"},
	"internal/bench":        {"internal/..."},
	"internal/crash":        {"internal/billing", "internal/campaign", "internal/contact", "internal/database", "internal/databasetest", "internal/dunning", "internal/webhook"},
}

// onlyIn names foreign libraries that only one room may import, with what lies below it; the room that makes
// databases for tests may too.
var onlyIn = map[string]string{
	"github.com/stripe/stripe-go/":   "internal/gateway",
	"github.com/wneessen/go-mail":    "internal/mail",
	"github.com/emersion/go-msgauth": "internal/mail",
	"modernc.org/sqlite":             "internal/database",
	"github.com/jackc/pgx/":          "internal/database",
	"github.com/pressly/goose/":      "internal/database",
	"github.com/rickar/cal/":         "internal/holiday",
	"github.com/prometheus/":         "internal/metrics",
	"github.com/pquerna/otp":         "internal/staff",
	"github.com/boombuler/barcode":   "web",
}

// nowhere names packages that no room may use, and why.
var nowhere = map[string]string{
	"html/template": methodsByName,
	"text/template": methodsByName,
	// Its tables are a megabyte and more each, for names that our own table from the same source holds.
	"golang.org/x/text/collate":          "a megabyte of tables",
	"golang.org/x/text/language/display": "two megabytes of tables",
}

const methodsByName = "it looks methods up by their names, for which the linker keeps every exported method of every type in the program"

type pkg struct {
	ImportPath string
	Imports    []string
}

func TestEveryRoomLeansOnlyOnWhatTheFloorPlanAllows(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, "sollecito/")
		owner := room
		if strings.HasPrefix(room, "internal/sandbox/") {
			owner = "internal/sandbox"
		}
		if strings.HasPrefix(room, "internal/l10n/") {
			owner = "internal/l10n" // the generator of its table
		}
		allowed, known := rooms[owner]
		if !known {
			t.Errorf("the room %s stands nowhere on the floor plan", room)
			continue
		}
		seen[owner] = true
		for _, path := range p.Imports {
			target, ours := strings.CutPrefix(path, "sollecito/")
			if ours && !covers(allowed, target) {
				t.Errorf("%s imports %s, which the floor plan does not allow", room, target)
			}
			if why, barred := nowhere[path]; barred {
				t.Errorf("%s imports %s: %s", room, path, why)
			}
			for library, home := range onlyIn {
				if strings.HasPrefix(path, library) && owner != home && owner != home+"test" {
					t.Errorf("%s imports %s, which belongs to %s alone", room, path, home)
				}
			}
		}
	}
	for room := range rooms {
		if !seen[room] {
			t.Errorf("the floor plan shows %s, which does not exist", room)
		}
	}
}

// The README shows the whole house: whoever reads its table knows of every room.
func TestTheReadmeNamesEveryRoom(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		if !strings.Contains(string(text), "`"+room+"`") {
			t.Errorf("the README does not name %s", room)
		}
	}
}

func covers(allowed []string, target string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		below, isTree := strings.CutSuffix(a, "...")
		return a == target || isTree && strings.HasPrefix(target, below)
	})
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "sollecito/...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []pkg
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		err = decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath != "sollecito/internal" { // this test's own folder
			all = append(all, p)
		}
	}
}
