package staff

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed" // the list of common passwords
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"sollecito/internal/fault"
)

// Argon2id as OWASP asks at least (cheatsheetseries.owasp.org, Password Storage): memory in KiB, passes, lanes.
const (
	argonMemory = 19 * 1024
	argonTime   = 2
	argonLanes  = 1
	saltBytes   = 16
	hashBytes   = 32
)

// ShortestPassword is how many characters a password has at least, without rules of composition, as one that is the only
// factor must (NIST SP 800-63B-4).
const ShortestPassword = 15

// mostBytes only keeps a request from being a burden.
const mostBytes = 1000

// enoughSpice is how many characters beside letters and digits make up for what stands between them.
const enoughSpice = 8

// vault hashes passwords, few at a time: one hash takes 19 MiB, and two hundred people signing in at once must
// not take the machine.
type vault struct {
	slots  chan struct{}
	common map[string]bool
}

//go:embed common.txt
var commonPasswords string

func newVault() *vault {
	v := &vault{slots: make(chan struct{}, 2), common: map[string]bool{"sollecito": true}}
	for line := range strings.Lines(commonPasswords) {
		word := strings.TrimSpace(line)
		if word != "" && !strings.HasPrefix(word, "#") {
			v.common[word] = true
		}
	}
	return v
}

// enter waits for a slot and answers how to leave it.
func (v *vault) enter(ctx context.Context) (leave func(), err error) {
	select {
	case v.slots <- struct{}{}:
		return func() { <-v.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// canonical is a password as it is hashed: the same characters whichever keyboard composed them (NFKC, as NIST
// asks), nothing trimmed, nothing cut.
func canonical(password string) string { return norm.NFKC.String(password) }

// acceptable refuses a password that would be guessed early: too short, one of the most common ones, or made
// of those, of counting and of the person's own address and name. The error is fault.Invalid and says what to do.
func (v *vault) acceptable(password, email, name string) error {
	if len(password) > mostBytes {
		return fault.New(fault.Invalid, "Use at most %d bytes", mostBytes)
	}
	if !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
		return fault.New(fault.Invalid, "Use characters that can be typed")
	}
	password = canonical(password)
	if utf8.RuneCountInString(password) < ShortestPassword {
		return fault.New(fault.Invalid, "Use at least %d characters: a few words that don't belong together are good", ShortestPassword)
	}
	lower, folded := strings.ToLower(password), fold(password)
	if v.common[lower] || v.common[folded] {
		return fault.New(fault.Invalid, "This is one of the most common passwords: choose another")
	}
	personal := make(map[string]bool)
	for _, word := range strings.FieldsFunc(email+" "+name, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("@.-_+", r) }) {
		personal[fold(word)] = true
	}
	personal[fold(email)], personal[fold(name)] = true, true
	spice := utf8.RuneCountInString(password) - utf8.RuneCountInString(folded)
	if v.madeOf(lower, personal) || (spice < enoughSpice && v.madeOf(folded, personal)) {
		return fault.New(fault.Invalid, "This is made of your name, your address or the most common passwords: choose another")
	}
	return nil
}

// fold drops what people add without adding anything to guess: case, and all but letters and digits.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, canonical(s))
}

// mostParts is how many parts a password may be cut into and still count as made of them: three unrelated
// common words are already a passphrase.
const mostParts = 2

// madeOf reports whether the folded password is no more than mostParts different parts, each a common password
// or a personal word, any of them any number of times, with single characters repeated and counting in between
// free of charge.
func (v *vault) madeOf(folded string, personal map[string]bool) bool {
	const longest, longWord = 64, 32
	runes := []rune(folded)
	if len(runes) > longest {
		return false // hardly guessed early, whatever it is made of
	}
	var walk func(from int, used []string) bool
	seen := make(map[string]bool)
	walk = func(from int, used []string) bool {
		if from == len(runes) {
			return true
		}
		state := fmt.Sprint(from, used)
		if seen[state] {
			return false
		}
		seen[state] = true
		run := counting(runes[from:])
		for n := run; n >= 3 || (n > 0 && n == len(runes)-from); n-- {
			if walk(from+n, used) {
				return true
			}
		}
		for n := min(longWord, len(runes)-from); n >= 3; n-- {
			part := string(runes[from : from+n])
			known := v.common[part] || personal[part]
			if !known {
				continue
			}
			next := used
			if !slices.Contains(used, part) {
				if len(used) == mostParts {
					continue
				}
				next = append(slices.Clone(used), part)
			}
			if walk(from+n, next) {
				return true
			}
		}
		return false
	}
	return walk(0, nil)
}

// counting answers how many characters from the start repeat one (aaaa), or go up or down by one (1234, cba;
// 0 follows 9).
func counting(runes []rune) int {
	if len(runes) < 2 {
		return len(runes)
	}
	step := runes[1] - runes[0]
	wrapped := runes[0] == '9' && runes[1] == '0'
	if wrapped {
		step = 1
	}
	if step < -1 || step > 1 {
		return 1
	}
	n := 2
	for n < len(runes) && (runes[n]-runes[n-1] == step || (step == 1 && runes[n-1] == '9' && runes[n] == '0')) {
		n++
	}
	return n
}

// hash makes the PHC string that is stored. The caller holds a slot.
func (v *vault) hash(password string) string {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails: the runtime ends the program when the system has no randomness
	sum := argon2.IDKey([]byte(canonical(password)), salt, argonTime, argonMemory, argonLanes, hashBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// matches compares a password with a stored PHC string, and says whether that was made with other parameters
// than today's. A missing or unreadable string costs the same time and matches nothing. The caller holds a slot.
func (v *vault) matches(stored, password string) (match, outdated bool) {
	p, readable := readPHC(stored)
	if !readable {
		p = phc{memory: argonMemory, time: argonTime, lanes: argonLanes, salt: make([]byte, saltBytes), sum: make([]byte, hashBytes)}
	}
	sum := argon2.IDKey([]byte(canonical(password)), p.salt, p.time, p.memory, p.lanes, uint32(len(p.sum)))
	match = subtle.ConstantTimeCompare(sum, p.sum) == 1 && readable
	today := p.memory == argonMemory && p.time == argonTime && p.lanes == argonLanes && len(p.sum) == hashBytes
	return match, !today
}

// phc is a stored hash taken apart.
type phc struct {
	memory, time uint32
	lanes        uint8
	salt, sum    []byte
}

func readPHC(stored string) (phc, bool) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return phc{}, false
	}
	var version int
	var p phc
	_, err := fmt.Sscanf(parts[2], "v=%d", &version)
	if err != nil || version != argon2.Version {
		return phc{}, false
	}
	_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.lanes)
	if err != nil {
		return phc{}, false
	}
	p.salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return phc{}, false
	}
	p.sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil {
		return phc{}, false
	}
	sound := p.memory >= 8 && p.memory <= 256*1024 && p.time >= 1 && p.time <= 16 && p.lanes >= 1 && len(p.salt) >= 8 && len(p.sum) >= 16 && len(p.sum) <= 64
	return p, sound
}
