package sandbox_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sollecito/internal/sandbox"
)

var (
	languageOfWords = regexp.MustCompile(`(?ms)^  (\w+): \{\n(.*?)^  \},`)
	oneWord         = regexp.MustCompile(`(\w+): '([^']*)'`)
)

// The card's fields speak each language a page may ask for, and say the same in each.
func TestTheFieldsSpeakEveryLanguage(t *testing.T) {
	t.Parallel()
	s := sandbox.New(sandbox.Options{Seed: t.Name()})
	t.Cleanup(s.Close)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	resp, err := http.Get(server.URL + "/v3/elements-inner-payment-words.js")
	must(t, err)
	defer resp.Body.Close()
	script, err := io.ReadAll(resp.Body)
	must(t, err)
	_, all, _ := strings.Cut(string(script), "allWords = {")
	all, _, _ = strings.Cut(all, "\n};")
	words := map[string]map[string]string{}
	for _, language := range languageOfWords.FindAllStringSubmatch(all, -1) {
		words[language[1]] = map[string]string{}
		for _, w := range oneWord.FindAllStringSubmatch(language[2], -1) {
			words[language[1]][w[1]] = w[2]
		}
	}
	shared := []string{"month", "code", "iban", "email", "card"} // may be the same word elsewhere
	for _, language := range []string{"en", "it", "de", "fr", "es", "pt", "nl", "pl", "ja", "ar"} {
		if len(words[language]) != len(words["en"]) {
			t.Errorf("%s has %d of %d words", language, len(words[language]), len(words["en"]))
		}
		for key, english := range words["en"] {
			said := words[language][key]
			if said == "" || language != "en" && said == english && !slices.Contains(shared, key) && !(language == "ja" && key == "year") {
				t.Errorf("%s: %s is %q", language, key, said)
			}
		}
	}
	if len(words["en"]) < 20 {
		t.Fatalf("only %d words were found", len(words["en"]))
	}
}
