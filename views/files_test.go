package views

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var files = flag.String("html", "", "folder that gets every sample page as a file")

// TestPagesAsFiles writes what a validator is asked about: every sample page in a language from the left and one from
// the right.
func TestPagesAsFiles(t *testing.T) {
	if *files == "" {
		t.Skip("-html names no folder")
	}
	c := catalog(t)
	for _, tag := range []string{"en", "ar"} {
		for _, s := range samples(frameFor(c, tag, plainAsset)) {
			err := os.WriteFile(filepath.Join(*files, "page."+tag+"."+s.name+".html"), []byte(draw(t, s.page)), 0o644)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
