package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sollecito/internal/database"
	"sollecito/internal/databasetest"
)

var taken = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// opened opens a copy as it is.
func opened(t *testing.T, file string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func setting(t *testing.T, db *database.DB, name string) string {
	t.Helper()
	var value string
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		var err error
		value, err = database.Setting(t.Context(), tx, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// While many write, each copy holds what was committed at one instant: all that was before it was asked for, no half of
// anything, and it is whole.
func TestACopyUnderLoadIsOneInstant(t *testing.T) {
	t.Parallel()
	db := open(t)
	if databasetest.OnPostgres() {
		return
	}
	// Each writer moves a sum between two rows of its own and counts up: no instant shows another sum.
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	const writers, whole = 4, 1000
	var committed [writers]atomic.Int64
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := int64(1); ctx.Err() == nil; n++ {
				err := db.Do(ctx, func(tx *sql.Tx) error {
					for name, value := range map[string]int64{"left": n, "right": whole - n, "count": n, "page" + strconv.FormatInt(n%50, 10): n} {
						err := database.SetSetting(ctx, tx, fmt.Sprint(w, " ", name), fmt.Sprint(value, strings.Repeat(" ", 500)))
						if err != nil {
							return err
						}
					}
					return nil
				})
				if err == nil {
					committed[w].Store(n)
				} else if ctx.Err() == nil {
					t.Error(err)
					stop()
				}
			}
		})
	}
	folder := t.TempDir()
	for n := range 8 {
		var before [writers]int64
		for w := range writers {
			for committed[w].Load() < int64(20*(n+1)) { // they go on while each copy is made
				if ctx.Err() != nil {
					t.Fatal("a writer failed")
				}
				time.Sleep(time.Millisecond)
			}
			before[w] = committed[w].Load()
		}
		to := filepath.Join(folder, fmt.Sprint("copy", n))
		err := db.Copy(t.Context(), to, false, taken)
		if err != nil {
			t.Fatal(err)
		}
		made := opened(t, to)
		found, err := made.Integrity(t.Context())
		if err != nil || len(found) > 0 {
			t.Fatalf("the copy is damaged: %q %v", found, err)
		}
		for w := range writers {
			number := func(name string) int64 {
				n, err := strconv.ParseInt(strings.TrimSpace(setting(t, made, fmt.Sprint(w, " ", name))), 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			if left, right, count := number("left"), number("right"), number("count"); left+right != whole || count != left || count < before[w] {
				t.Errorf("copy %d, writer %d: %d and %d at count %d, committed before: %d", n, w, left, right, count, before[w])
			}
		}
	}
	stop()
	group.Wait()
}

// A copy knows that it is one, until somebody begins to work on it; a copy of it is as old as it is.
func TestACopyKnowsWhenItWasTaken(t *testing.T) {
	t.Parallel()
	db := open(t)
	if databasetest.OnPostgres() {
		err := db.Copy(t.Context(), filepath.Join(t.TempDir(), "copy"), false, taken)
		if !errors.Is(err, database.ErrServers) {
			t.Errorf("PostgreSQL's data is copied: %v", err)
		}
		return
	}
	copiedAt := func(db *database.DB) (at time.Time, is bool) {
		err := db.See(t.Context(), func(tx *sql.Tx) error {
			var err error
			at, is, err = database.CopiedAt(t.Context(), tx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return at, is
	}
	copyOf := func(db *database.DB, at time.Time) *database.DB {
		to := filepath.Join(t.TempDir(), "copy")
		err := db.Copy(t.Context(), to, false, at)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(to)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the copy's mode is %s, %v", info.Mode(), err)
		}
		return opened(t, to)
	}
	first := copyOf(db, taken)
	second := copyOf(first, taken.Add(time.Hour))
	for name, of := range map[string]*database.DB{"copy": first, "copy of the copy": second} {
		if at, is := copiedAt(of); !is || !at.Equal(taken) {
			t.Errorf("the %s was taken at %s, %t", name, at, is)
		}
	}
	if at, is := copiedAt(db); is {
		t.Errorf("what was copied takes itself for a copy of %s", at)
	}
	err := second.Do(t.Context(), func(tx *sql.Tx) error { return database.Begun(t.Context(), tx) })
	if err != nil {
		t.Fatal(err)
	}
	if _, is := copiedAt(second); is {
		t.Error("somebody works on it, and it is a copy")
	}
}

// Whatever keeps a copy from being made, nothing is left of it, and nothing that was there is harmed.
func TestOfACopyThatFailsNothingIsLeft(t *testing.T) {
	t.Parallel()
	if databasetest.OnPostgres() {
		return
	}
	db := open(t)
	err := db.Do(t.Context(), func(tx *sql.Tx) error {
		for n := range 500 {
			err := database.SetSetting(t.Context(), tx, fmt.Sprint("filled", n), strings.Repeat("x", 2000))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	there, logged := filepath.Join(folder, "there"), filepath.Join(folder, "logged")
	for _, file := range []string{there, logged + "-wal"} {
		err = os.WriteFile(file, []byte("dear"), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for _, tt := range []struct {
		what, to string
		over     bool
		ctx      context.Context
		says     string
	}{
		{"over a file", there, false, t.Context(), "file already exists"},
		{"beside a log", logged, true, t.Context(), "was not closed"},
		{"over a folder", folder, true, t.Context(), "is a folder"},
		{"over itself", db.Path(), true, t.Context(), "is the database itself"},
		{"nowhere", filepath.Join(folder, "none", "copy"), false, t.Context(), "no such file or directory"},
		{"given up", filepath.Join(folder, "given"), false, ended, ""},
	} {
		err = db.Copy(tt.ctx, tt.to, tt.over, taken)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.what, err, tt.says)
		}
	}
	if left := names(t, folder); !slices.Equal(left, []string{"logged-wal", "there"}) {
		t.Errorf("left: %q", left)
	}
	kept, err := os.ReadFile(there)
	if err != nil || string(kept) != "dear" {
		t.Errorf("the file is %q, %v", kept, err)
	}
	err = db.Copy(t.Context(), there, true, taken)
	if err != nil || setting(t, opened(t, there), "filled499") == "" {
		t.Errorf("with leave it is not taken over: %v", err)
	}

	// A file that is damaged makes no copy that counts.
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	err = db.Copy(t.Context(), damaged, false, taken)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(damaged, os.O_RDWR, 0)
	if err == nil {
		info, _ := f.Stat()
		_, err = f.WriteAt([]byte(strings.Repeat("\xff", 8192)), info.Size()/2)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	err = opened(t, damaged).Copy(t.Context(), filepath.Join(to, "copy"), false, taken)
	if err == nil || len(names(t, to)) > 0 {
		t.Errorf("a damaged file was copied: %v, %q", err, names(t, to))
	}
}

// What copies left whose program was killed is removed by the next one, beside the database and where that goes; what another
// may be writing, and what is somebody else's, stays.
func TestWhatACopyLeftThatWasKilledIsRemoved(t *testing.T) {
	t.Parallel()
	if databasetest.OnPostgres() {
		return
	}
	db := open(t)
	folder := t.TempDir()
	for _, in := range []string{folder, filepath.Dir(db.Path())} {
		for name, old := range map[string]bool{database.Unfinished + "1.part": true, database.Unfinished + "1.part-journal": true, database.Unfinished + "2.part": false, ".others.part": true} {
			err := os.WriteFile(filepath.Join(in, name), []byte("half"), 0o600)
			if err == nil && old {
				err = os.Chtimes(filepath.Join(in, name), time.Time{}, time.Now().Add(-25*time.Hour))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		passing := filepath.Join(in, database.Unfinished+"3")
		err := os.Mkdir(passing, 0o700)
		if err == nil {
			err = os.WriteFile(filepath.Join(passing, "copy.db"), []byte("whole"), 0o600)
		}
		if err == nil {
			err = os.Chtimes(passing, time.Time{}, time.Now().Add(-25*time.Hour))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	err := db.Copy(t.Context(), filepath.Join(folder, "copy"), false, taken)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{folder, filepath.Dir(db.Path())} {
		left := slices.DeleteFunc(names(t, in), func(name string) bool { return name[0] != '.' })
		if want := []string{".others.part", database.Unfinished + "2.part"}; !slices.Equal(left, want) {
			t.Errorf("left in %s: %q, want %q", in, left, want)
		}
	}
}

// What is left of a copy whose program is surely gone is removed by the next one, however fresh; what another works in stays,
// however old.
func TestWhatACopyLeavesIsKnownByItsLock(t *testing.T) {
	t.Parallel()
	if databasetest.OnPostgres() {
		return
	}
	db := open(t)
	folder := t.TempDir()
	var kept []string
	for _, in := range []string{folder, filepath.Dir(db.Path())} {
		working, leave, err := database.Workplace(in)
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
		kept = append(kept, working)
		killed := filepath.Join(in, database.Unfinished+"held-1")
		err = errors.Join(os.Mkdir(killed, 0o700), os.WriteFile(filepath.Join(killed, "copy.part"), []byte("half"), 0o600), os.Chtimes(working, time.Time{}, time.Now().Add(-48*time.Hour)))
		if err != nil {
			t.Fatal(err)
		}
	}
	err := db.Copy(t.Context(), filepath.Join(folder, "copy"), false, taken)
	if err != nil {
		t.Fatal(err)
	}
	for i, in := range []string{folder, filepath.Dir(db.Path())} {
		left := slices.DeleteFunc(names(t, in), func(name string) bool { return name[0] != '.' })
		if want := []string{filepath.Base(kept[i])}; !slices.Equal(left, want) {
			t.Errorf("left in %s: %q, want %q", in, left, want)
		}
	}
}

func names(t *testing.T, folder string) []string {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		all = append(all, f.Name())
	}
	return all
}

func aged(t *testing.T, db *database.DB) {
	t.Helper()
	err := db.Age(t.Context())
	if err != nil {
		t.Fatal(err)
	}
}

// Before a release changes the shape of a file with data it is copied, of a shape one copy and of all the last three stay, and
// what cannot be copied is not changed, unless that is wanted.
func TestAFileIsCopiedBeforeItsShapeChanges(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), databasetest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	done, err := db.Upgrade(t.Context(), true, taken)
	if err != nil || done.Copy != "" || done.Steps == 0 {
		t.Fatalf("a fresh database: %+v, %v", done, err)
	}
	done, err = db.Upgrade(t.Context(), true, taken)
	if err != nil || done != (database.Upgraded{}) {
		t.Fatalf("today's shape: %+v, %v", done, err)
	}
	if databasetest.OnPostgres() {
		aged(t, db)
		done, err = db.Upgrade(t.Context(), true, taken)
		if err != nil || done.Copy != "" || done.Steps == 0 {
			t.Fatalf("PostgreSQL: %+v, %v", done, err)
		}
		return
	}
	err = db.Do(t.Context(), func(tx *sql.Tx) error { return database.SetSetting(t.Context(), tx, "dear", "yes") })
	if err != nil {
		t.Fatal(err)
	}
	foreign := []string{"sollecito-shape-of-things.db", "sollecito-shape9-20261101T090000Z.txt", "other-shape9-20261101T090000Z.db"}
	for _, name := range foreign {
		err = os.WriteFile(filepath.Join(filepath.Dir(db.Path()), name), nil, 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	earlier := []string{"sollecito-shape8-20261031T090000Z.db", "sollecito-shape7-20261030T090000Z.db", "sollecito-shape9-20261101T090000Z.db"}
	for _, name := range earlier {
		err = os.WriteFile(filepath.Join(filepath.Dir(db.Path()), name), nil, 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 5 {
		aged(t, db)
		done, err = db.Upgrade(t.Context(), true, taken.Add(time.Duration(n)*time.Hour))
		if err != nil || done.Steps == 0 {
			t.Fatalf("%+v, %v", done, err)
		}
	}
	if got := filepath.Base(done.Copy); !strings.HasPrefix(got, "sollecito-shape") || !strings.HasSuffix(got, "-20261102T130000Z.db") {
		t.Errorf("the copy is called %s", got)
	}
	old := opened(t, done.Copy)
	has, newest, err := old.Shape(t.Context())
	if err != nil || has >= newest || setting(t, old, "dear") != "yes" {
		t.Errorf("the copy has shape %d of %d, %v", has, newest, err)
	}
	old.Close()
	var copies []string
	for _, name := range names(t, filepath.Dir(db.Path())) {
		if strings.Contains(name, "-shape") && !slices.Contains(foreign, name) {
			copies = append(copies, name[len(name)-len("20261102T130000Z.db"):])
		}
	}
	if want := []string{"20261102T130000Z.db", "20261031T090000Z.db", "20261101T090000Z.db"}; !slices.Equal(copies, want) {
		t.Errorf("copies %q, want %q", copies, want)
	}
	for _, name := range foreign {
		_, err = os.Stat(filepath.Join(filepath.Dir(db.Path()), name))
		if errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was removed", name)
		}
	}

	aged(t, db)
	has, _, err = db.Shape(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = os.WriteFile(strings.Replace(done.Copy, "20261102T130000Z", "20261102T140000Z", 1)+"-wal", nil, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Upgrade(t.Context(), true, taken.Add(5*time.Hour))
	if err == nil || !strings.Contains(err.Error(), "SOLLECITO_MIGRATION_BACKUP=off") {
		t.Errorf("without a copy: %v", err)
	}
	if now, _, err := db.Shape(t.Context()); err != nil || now != has {
		t.Errorf("the shape was changed from %d to %d, %v", has, now, err)
	}
	done, err = db.Upgrade(t.Context(), false, taken)
	if err != nil || done.Copy != "" || done.Steps == 0 {
		t.Errorf("without wanting one: %+v, %v", done, err)
	}

	aged(t, db)
	beside := opened(t, db.Path())
	for _, program := range []*database.DB{db, beside} { // two start in one second
		_, err = program.Upgrade(t.Context(), true, taken.Add(4*time.Hour))
		if err != nil {
			t.Errorf("in the second in which another one made a copy: %v", err)
		}
	}
}

// An upgrade of two steps whose second one fails is tried again at each start. The copy from before it is the one to go back
// to: those of where it stands do not push it out, nor fill the disk.
func TestACopyFromBeforeAnUpgradeOutlivesStartsThatFail(t *testing.T) {
	t.Parallel()
	if databasetest.OnPostgres() {
		return
	}
	db := open(t)
	order := func(statement string) {
		t.Helper()
		err := db.Do(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, newest, err := db.Shape(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	aged(t, db)
	order(`CREATE TRIGGER fails BEFORE INSERT ON goose_db_version BEGIN SELECT RAISE(ABORT, 'the step fails'); END`)
	folder := filepath.Dir(db.Path())
	first := fmt.Sprintf("sollecito-shape%d-20261102T080000Z.db", newest-2) // as the start before made it, whose first step went well
	older := []string{"sollecito-shape3-20261001T090000Z.db", "sollecito-shape4-20261002T090000Z.db"}
	for _, name := range append(older, first) {
		err = os.WriteFile(filepath.Join(folder, name), []byte("dear"), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 5 {
		if n == 4 {
			order(`DROP TRIGGER fails`)
		}
		_, err = db.Upgrade(t.Context(), true, taken.Add(time.Duration(n)*time.Minute))
		if (err == nil) != (n == 4) {
			t.Fatalf("start %d: %v", n, err)
		}
		var copies []string
		for _, name := range names(t, folder) {
			if strings.Contains(name, "-shape") {
				copies = append(copies, name)
			}
		}
		want := []string{first, fmt.Sprintf("sollecito-shape%d-%sZ.db", newest-1, taken.Add(time.Duration(n)*time.Minute).Format("20060102T150405"))}
		if n < 4 {
			want = append(want, older...)
		} else {
			want = append(want, older[1])
		}
		slices.Sort(want)
		slices.Sort(copies)
		if !slices.Equal(copies, want) {
			t.Errorf("after start %d there are %q, want %q", n, copies, want)
		}
	}
}
