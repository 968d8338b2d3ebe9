package link_test

import (
	"encoding/base64"
	"encoding/binary"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sollecito/internal/link"
)

func TestExpiry(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	issued := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		due  time.Time
		want time.Time
	}{
		{"nothing open", time.Time{}, issued.Add(30 * day)},
		{"due before the issue", issued.Add(-10 * day), issued.Add(30 * day)},
		{"due after the issue", issued.Add(20 * day), issued.Add(50 * day)},
		{"due far ahead", issued.Add(200 * day), issued.Add(120 * day)},
	}
	for _, tt := range tests {
		got := link.Expiry(issued, tt.due)
		if !got.Equal(tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		l := link.Link{IssuedAt: issued.Unix()}
		if !l.Alive(tt.due, tt.want.Add(-time.Second), tt.want) || l.Alive(tt.due, tt.want.Add(time.Second), tt.want) {
			t.Errorf("%s: does not end on the second", tt.name)
		}
	}
}

func TestTheBannersLinkLivesShortlyAndOnce(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	l := link.Link{IssuedAt: now.Unix(), ExpiresAt: now.Add(10 * time.Minute).Unix()}
	if !l.Alive(time.Time{}, now, now) || l.Alive(time.Time{}, now, now.Add(11*time.Minute)) {
		t.Error("it must live for ten minutes of real time")
	}
	l.SpentAt = now.Unix()
	if l.Alive(time.Time{}, now, now) {
		t.Error("it lives on after it was spent")
	}
	if (link.Link{IssuedAt: now.Unix(), RevokedAt: now.Unix()}).Alive(time.Time{}, now, now) {
		t.Error("a revoked link lives")
	}
}

// What must not be foretold comes from the system's own randomness.
func TestNothingHereIsDrawnByMathRand(t *testing.T) {
	t.Parallel()
	for _, room := range []string{".", "../stepup", "../database"} {
		files, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", room, len(files), err)
		}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range f.Imports {
				if strings.HasPrefix(i.Path.Value, `"math/rand`) {
					t.Errorf("%s imports %s", name, i.Path.Value)
				}
			}
		}
	}
}

// A million tokens: each of 32 bytes, no two that begin alike (L1).
func TestTokensAreLongAndNeverRepeat(t *testing.T) {
	t.Parallel()
	begins := make([]uint64, 1_000_000) // two of a million begin with the same eight bytes once in thirty million runs
	for n := range begins {
		token := link.NewToken()
		raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
		if err != nil || len(raw) != 32 || len(token) != 43 {
			t.Fatalf("token %q: %d bytes, %v", token, len(raw), err)
		}
		begins[n] = binary.BigEndian.Uint64(raw)
	}
	slices.Sort(begins)
	if got := len(slices.Compact(begins)); got != 1_000_000 {
		t.Errorf("%d of a million tokens begin as others do", 1_000_000-got)
	}
}
