package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Result is how a check came out.
type Result string

// The results. Only Fail makes the whole fail.
const (
	OK      Result = "ok"
	Warn    Result = "warn"    // it works, and somebody should know or do something
	Fail    Result = "fail"    // something will not work
	Skipped Result = "skipped" // it could not be looked at, for the reason told
)

// Finding is what one check found: a sentence, and where something is to be done, what.
type Finding struct {
	Check  string `json:"check"`
	Result Result `json:"result"`
	Says   string `json:"says"`
	Mend   string `json:"mend,omitempty"`
}

// Report is everything that was found, in the order of the checks.
type Report []Finding

// Failed reports whether anything failed.
func (r Report) Failed() bool { return r.count(Fail) > 0 }

func (r Report) count(result Result) int {
	n := 0
	for _, f := range r {
		if f.Result == result {
			n++
		}
	}
	return n
}

// Summary is the last line: how many of each.
func (r Report) Summary() string {
	return fmt.Sprintf("%d ok, %d to look at, %d failed, %d skipped", r.count(OK), r.count(Warn), r.count(Fail), r.count(Skipped))
}

// Print writes a numbered list for people.
func (r Report) Print(w io.Writer) error {
	for i, f := range r {
		_, err := fmt.Fprintf(w, "%2d. %-7s %-14s %s\n", i+1, f.Result, f.Check, f.Says)
		if err != nil {
			return err
		}
		for line := range strings.SplitSeq(f.Mend, "\n") {
			if line == "" {
				continue
			}
			_, err = fmt.Fprintf(w, "            mend: %s\n", line)
			if err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.Summary())
	return err
}

// PrintJSON writes the same for programs.
func (r Report) PrintJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		OK       bool   `json:"ok"`
		Summary  string `json:"summary"`
		Findings Report `json:"findings"`
	}{!r.Failed(), r.Summary(), r})
}

func ok(check, says string, args ...any) Finding {
	return Finding{Check: check, Result: OK, Says: fmt.Sprintf(says, args...)}
}

func warn(check, mend, says string, args ...any) Finding {
	return Finding{Check: check, Result: Warn, Says: fmt.Sprintf(says, args...), Mend: mend}
}

func fail(check, mend, says string, args ...any) Finding {
	return Finding{Check: check, Result: Fail, Says: fmt.Sprintf(says, args...), Mend: mend}
}

func skipped(check, says string, args ...any) Finding {
	return Finding{Check: check, Result: Skipped, Says: fmt.Sprintf(says, args...)}
}
