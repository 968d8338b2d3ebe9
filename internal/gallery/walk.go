package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sollecito/internal/browsertest"
)

// walk goes from situation to situation in one tab.
type walk struct {
	tab        context.Context
	base       string
	docs       string
	complaints func() []string
	heard      int // of the browser's complaints
	rows       []row
}

// row is what was seen of one situation.
type row struct {
	state
	forms    int
	findings []string
}

// pictured are the situations shown in more than one way: in which language, on which form.
var pictured = []struct {
	name, lang string
	form       browsertest.Form
}{
	{"due", "ar", browsertest.Form{Width: 360}}, {"due", "ja", browsertest.Form{Width: 360}}, {"due", "de", browsertest.Form{Width: 1280}},
	{"due", "it", browsertest.Form{Width: 360, Dark: true}}, {"several", "en", browsertest.Form{Width: 1280}}, {"paid", "de", browsertest.Form{Width: 360, Dark: true}},
	{"card", "ar", browsertest.Form{Width: 360}}, {"declined", "ja", browsertest.Form{Width: 360, Dark: true}},
}

// look goes to a situation in a language and judges its page in every form. With picture it is also photographed.
func (w *walk) look(r *row, lang string, picture bool) error {
	path, err := browsertest.EnterState(w.tab, w.base, browsertest.State{Address: r.Address, Method: r.Method, Presses: r.Presses}, lang)
	if err != nil {
		return err
	}
	if strings.HasPrefix(path, "/admin") && lang != "en" {
		return nil // staff read English
	}
	for _, form := range browsertest.Forms() {
		faults, err := browsertest.Faults(w.tab, form, lang)
		if err != nil {
			return err
		}
		r.forms++
		for _, fault := range faults {
			r.findings = append(r.findings, fmt.Sprintf("%s, %s: %s", lang, form, fault))
		}
	}
	if picture {
		err = w.photograph(browsertest.Form{Width: 360}, r.Name)
		if err != nil {
			return err
		}
	}
	for _, p := range pictured {
		if p.name != r.Name || p.lang != lang {
			continue
		}
		err = w.photograph(p.form, fmt.Sprintf("%s-%s-%d%s", r.Name, lang, p.form.Width, map[bool]string{true: "-dark"}[p.form.Dark]))
		if err != nil {
			return err
		}
	}
	over, err := browsertest.Lengthened(w.tab)
	if err != nil {
		return err
	}
	if over > 0 {
		r.findings = append(r.findings, fmt.Sprintf("%s: %d pixels too wide for 320 with texts 40 %% longer", lang, over))
	}
	said := w.complaints()
	for _, complaint := range said[w.heard:] {
		r.findings = append(r.findings, lang+": the browser complains: "+complaint)
	}
	w.heard = len(said)
	return nil
}

// folder is where the pictures lie, below the docs.
const folder = "pictures/states"

func (w *walk) photograph(form browsertest.Form, name string) error {
	if w.docs == "" {
		return nil
	}
	picture, err := browsertest.Picture(w.tab, form)
	if err != nil {
		return err
	}
	path := filepath.Join(w.docs, folder)
	err = os.MkdirAll(path, 0o755)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(path, name+".webp"), picture, 0o644)
}
