package database_test

import (
	"os"
	"path/filepath"
	"testing"

	"sollecito/internal/database"
)

// A database behind a link is the file it leads to: there its log lies, and there whoever looks at rights and room looks.
func TestADatabaseBehindALink(t *testing.T) {
	t.Parallel()
	there, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file, link := filepath.Join(there, "file.db"), filepath.Join(t.TempDir(), "link.db")
	err = os.WriteFile(file, nil, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	err = os.Symlink(file, link)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), "sqlite:"+link)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if db.Path() != file || db.Address() != link {
		t.Errorf("the data lies in %s and is told as %s", db.Path(), db.Address())
	}
	err = os.Chmod(file+"-wal", 0o644)
	if err != nil {
		t.Fatal(err)
	}
	exposed, _, err := db.Exposed()
	if err != nil || exposed != file+"-wal" {
		t.Errorf("a log that all may read is told as %q, %v", exposed, err)
	}
}
