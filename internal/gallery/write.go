package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func (w *walk) sums() (forms, findings int) {
	for _, r := range w.rows {
		forms += r.forms
		findings += len(r.findings)
	}
	return forms, findings
}

// write makes the gallery page.
func (w *walk) write(langs []string) error {
	var b strings.Builder
	forms, findings := w.sums()
	fmt.Fprintf(&b, `# Every situation of a customer

Made by `+"`go run ./internal/gallery`"+`: it starts the demo, goes to each situation that `+"`/demo/states`"+` lists, and has Chromium look at
the page in %s, 360 and 1280 pixels wide, in light and in dark. axe-core 4.14.1 looks for barriers (WCAG 2.0 to 2.2, A and AA);
nothing may need sideways scrolling, neither in a window of 320 pixels (1280 at 400 %%) nor there with every text 40 %% longer;
the Tab key reaches the main button in the order of the page with a visible focus; there is one heading of the first level, the
language and direction are right, and the browser's console stays silent.

%d situations, %d pages looked at, **%d findings**. A validator's view of the same pages is in [html-validity.md](html-validity.md).

| Situation | What one sees | Pages | Findings |
| --- | --- | --: | --: |
`, strings.Join(langs, ", "), len(w.rows), forms, findings)
	for _, r := range w.rows {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %d | %d |\n", r.Title, r.Name, r.See, r.forms, len(r.findings))
	}
	b.WriteString("\n## How they look\n")
	for _, r := range w.rows {
		fmt.Fprintf(&b, "\n### <a id=%q></a>%s\n\n%s.\n\n", r.Name, r.Title, r.See)
		fmt.Fprintf(&b, "<img src=%q width=\"360\" alt=%q>\n", folder+"/"+r.Name+".webp", r.Title+", on a phone")
	}
	b.WriteString("\n## In other languages and forms\n\n")
	for _, p := range pictured {
		name := fmt.Sprintf("%s-%s-%d", p.name, p.lang, p.form.Width)
		if p.form.Dark {
			name += "-dark"
		}
		_, err := os.Stat(filepath.Join(w.docs, folder, name+".webp"))
		if err != nil {
			continue // not looked at this time, nor before
		}
		fmt.Fprintf(&b, "<img src=%q width=\"%d\" alt=%q>\n", folder+"/"+name+".webp", min(p.form.Width, 800), fmt.Sprintf("%s, %s, %s", p.name, p.lang, p.form))
	}
	return os.WriteFile(filepath.Join(w.docs, "states.md"), []byte(b.String()), 0o644)
}
