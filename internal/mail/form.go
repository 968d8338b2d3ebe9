package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Form is an HTML part that many letters share, cut where each has words of its own. It is encoded once, and copied into
// each letter; a line ends softly before and after each place.
type Form struct {
	id    string
	fixed []string // as they stand in a message: one more than there are places
	size  int      // of all of them, in bytes
}

// softBreak ends a line that goes on in the next.
const softBreak = "=\r\n"

// NewForm makes a form of the HTML around its places: one piece more than there are places.
func NewForm(html []string) *Form {
	f := &Form{}
	for i, piece := range html {
		var out []byte
		if i > 0 {
			out = append(out, softBreak...)
		}
		out = appendQuoted(out, strings.ToValidUTF8(piece, "\uFFFD"))
		if i < len(html)-1 {
			out = append(out, softBreak...)
		}
		f.fixed, f.size = append(f.fixed, string(out)), f.size+len(out)
	}
	sum := sha256.Sum256([]byte(strings.Join(f.fixed, "\x00")))
	f.id = hex.EncodeToString(sum[:16])
	return f
}

// ID names the form by its bytes.
func (f *Form) ID() string { return f.id }

// Fixed answers the form's pieces as they stand in a message; what Post.Own answers stands before, between and after
// them.
func (f *Form) Fixed() []string { return f.fixed }
