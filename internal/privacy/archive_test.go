package privacy

import (
	"archive/zip"
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// archived unpacks a customer's archive: the text of each of its files, by name.
func archived(t *testing.T, pack []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		open, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(open)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

// A text that a spreadsheet could take for a formula has an apostrophe before it; any other stands as it is.
func TestNoTextIsAFormula(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "Ada = Bea": "Ada = Bea", "a-b@example.com": "a-b@example.com", "'quoted": "'quoted", "a;b": "a;b",
		"=1": "'=1", "+1": "'+1", "-1": "'-1", "@a": "'@a", " =1": "' =1", "\u00a0\u200b=1": "'\u00a0\u200b=1", "\ufeff=1": "'\ufeff=1",
		"\uff1d1": "'\uff1d1", "\uff0b1": "'\uff0b1", "\u3000\uff0d1": "'\u3000\uff0d1", "\uff20a": "'\uff20a", "\t=1": "'\t'=1", "\n": "'\n",
		"a;=1;b": "a;'=1;b", "a; \t=1": "a; \t'=1", "a;;\n=1": "a;;\n'=1", "a\n=1;\r\n@b": "a\n'=1;\r\n'@b", "=;=": "'=;'=",
	} {
		got := cell{words: text, text: true}.plain()
		if got != want {
			t.Errorf("%q is told as %q, want %q", text, got, want)
		}
	}
	got := cell{words: "-1"}.plain()
	if got != "-1" {
		t.Errorf("the number is told as %q", got)
	}
}

// The archive holds the document, and each of its tables once more as CSV: the same rows with the same values, and nothing a
// spreadsheet would work out.
func TestTheArchiveHoldsTheDocumentAndASheetForEachTable(t *testing.T) {
	t.Parallel()
	db := open(t)
	do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, "cus_ada") })
	do(t, db, func(tx *sql.Tx) error { return plant(t.Context(), tx, "cus_bob") })
	formulas := []string{"=HYPERLINK(\"http://evil.example\";\"x\")", "+1", "-1", "@SUM(A1)", "\t=1", "a \"b\",\nc", "'quoted"}
	do(t, db, func(tx *sql.Tx) error {
		for n, text := range formulas {
			_, err := tx.ExecContext(t.Context(), `
				INSERT INTO messages (id, conversation_id, author, staff_id, name, body, at)
				SELECT $1, id, 'customer', '', '', $2, 0 FROM conversations WHERE customer_id = 'cus_ada'`, fmt.Sprintf("msg_%d", n), text)
			if err != nil {
				return err
			}
		}
		return nil
	})
	var pack bytes.Buffer
	err := db.See(t.Context(), func(tx *sql.Tx) error {
		return Archive(t.Context(), tx, &pack, "cus_ada", time.Unix(1_800_000_000, 0))
	})
	if err != nil {
		t.Fatal(err)
	}
	files := archived(t, pack.Bytes())
	if files["export.json"] != exported(t, db, "cus_ada") {
		t.Error("the document in the archive is another than the one alone")
	}
	var told struct{ Tables map[string][]map[string]any }
	numbers := json.NewDecoder(strings.NewReader(files["export.json"]))
	numbers.UseNumber()
	err = numbers.Decode(&told)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(told.Tables)+1 {
		t.Errorf("%d files for %d tables", len(files), len(told.Tables))
	}
	for name, rows := range told.Tables {
		text, marked := strings.CutPrefix(files["tables/"+name+".csv"], "\ufeff")
		if !marked {
			t.Errorf("%s does not say that it is UTF-8", name)
		}
		sheet, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(sheet) != len(rows)+1 {
			t.Errorf("%s: %d rows, %d lines: %v", name, len(rows), len(sheet), err)
			continue
		}
		for n, row := range rows {
			if len(row) != len(sheet[0]) {
				t.Errorf("%s has %d columns, the document %d", name, len(sheet[0]), len(row))
			}
			for c, column := range sheet[0] {
				want := fmt.Sprint(row[column])
				text, isText := row[column].(string)
				if row[column] == nil {
					want = ""
				}
				got := sheet[n+1][c]
				if strings.ReplaceAll(got, "'", "") != strings.ReplaceAll(strings.ReplaceAll(want, "\r\n", "\n"), "'", "") {
					t.Errorf("%s.%s is %q, in the document %q", name, column, got, want)
				}
				if isText && strings.IndexAny(text, "=+-@\t") == 0 && !strings.HasPrefix(got, "'") {
					t.Errorf("%s.%s begins like a formula: %q", name, column, got)
				}
			}
		}
	}
	for name, text := range files {
		if strings.Contains(text, "cus_bob") {
			t.Errorf("%s tells of somebody else", name)
		}
	}
	if said := files["tables/messages.csv"]; !strings.Contains(said, `"'=HYPERLINK(""http`) || !strings.Contains(said, "'+1") {
		t.Errorf("formulas are told as\n%s", said)
	}
}
