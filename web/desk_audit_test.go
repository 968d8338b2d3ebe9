package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sollecito/views/desk"
)

// written are the places in our code where an action of the audit log is named.
var written = regexp.MustCompile(`(?:Action: |action: |action :?= |audit\(r, tx, who, |looked\(r, who, |endPauses\(w, r, who, |upon\(ctx, by, whom, )"([a-z]+\.[a-z_]+)"`)

// Whatever any room writes into the audit log is told in words, not by the log's own name for it.
func TestEveryActionOfTheAuditLogHasWords(t *testing.T) {
	actions := map[string]bool{
		"choices." + desk.ActNoMail: true, "choices." + desk.ActNoReminders: true, "choices." + desk.ActRemind: true,
		"stripe.cancel": true, "stripe.pause": true, "stripe.uncollectible": true,
	}
	composed := len(actions)
	for _, below := range []string{".", "../internal", "../cmd"} {
		err := filepath.WalkDir(below, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range written.FindAllSubmatch(text, -1) {
				actions[string(found[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(actions) < composed+30 {
		t.Fatalf("only %d actions were found", len(actions))
	}
	for action := range actions {
		if auditWords(action) == action {
			t.Errorf("%s has no words", action)
		}
	}
}
