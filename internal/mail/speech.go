package mail

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// speech is what is said and heard on one connection, line by line.
type speech struct {
	r *bufio.Reader
	w *bufio.Writer
}

func newSpeech(conn net.Conn) speech { return speech{bufio.NewReader(conn), bufio.NewWriter(conn)} }

// say sends lines in one write.
func (s speech) say(lines ...string) error {
	for _, line := range lines {
		// A bufio.Writer keeps its first error and Flush answers it.
		_, _ = s.w.WriteString(line + "\r\n")
	}
	return s.w.Flush()
}

// answer is one answer of a server: its code and the text of its lines.
type answer struct {
	code  int
	lines []string
}

// longestAnswer is how many bytes an answer may have. A server that says more is not one to be understood.
const longestAnswer = 64 << 10

// hear reads one answer (RFC 5321, 4.2). Text may be missing, as the standard allows, and the space before it with it. Between
// the first line and the last some pass on text as they got it, without a code.
func (s speech) hear() (answer, error) {
	var a answer
	for room := longestAnswer; ; {
		line, err := s.line(room)
		if err != nil {
			return answer{}, err
		}
		room -= len(line)
		line = strings.TrimRight(line, "\r\n")
		code, err := codeOf(line)
		if err != nil && a.code != 0 {
			a.lines = append(a.lines, line)
			continue
		}
		if err != nil {
			return answer{}, err
		}
		if a.code != 0 && code != a.code {
			return answer{}, fmt.Errorf("the server's answer begins with %d and goes on with %d", a.code, code)
		}
		a.code = code
		a.lines = append(a.lines, line[min(len(line), 4):])
		if len(line) < 4 || line[3] != '-' {
			return a, nil
		}
	}
}

// line reads a line of at most room bytes.
func (s speech) line(room int) (string, error) {
	var line []byte
	for {
		piece, err := s.r.ReadSlice('\n')
		line = append(line, piece...)
		if len(line) > room {
			return "", errors.New("the server's answer does not end")
		}
		if err == nil {
			return string(line), nil
		}
		if errors.Is(err, io.EOF) && len(line) > 0 {
			return "", io.ErrUnexpectedEOF
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
}

// codeOf answers the code a line begins with.
func codeOf(line string) (int, error) {
	const most = 80 // of a line that is none, as much as tells what it is
	digits := line[:min(len(line), 3)]
	code, err := strconv.Atoi(digits)
	if err != nil || code < 200 || code > 599 || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return 0, fmt.Errorf("the server says %q, which is no answer", line[:min(len(line), most)])
	}
	return code, nil
}

// is reports whether the answer has the code, of which the last digits may be left out.
func (a answer) is(code int) bool {
	return a.code == code || a.code/10 == code || a.code/100 == code
}

// refusal answers the no that the answer is at a place of the dialogue, nil when it is none.
func (a answer) refusal(place string) *Refusal {
	if a.code < 400 {
		return nil
	}
	enhanced, text := splitEnhanced(a.lines)
	return &Refusal{Code: a.code, Enhanced: enhanced, Text: text, Place: place, Temporary: a.code < 500}
}
