package mail

// lineRoom is how many characters stand on a line before the "=" that says it goes on in the next.
const lineRoom = 75

// appendQuoted appends a text in quoted-printable (RFC 2045, 6.7), byte for byte as the standard library's writer does,
// and every kind of line break as the one of mail. A letter is mostly long runs of bytes that stand as they are, and
// these are copied as runs.
func appendQuoted(out []byte, text string) []byte {
	column := 0
	for text != "" {
		run := 0
		for run < len(text) && standsAlone(text[run]) {
			run++
		}
		for run > 0 {
			if column == lineRoom {
				out, column = append(out, "=\r\n"...), 0
			}
			n := min(run, lineRoom-column)
			out = append(out, text[:n]...)
			text, run, column = text[n:], run-n, column+n
		}
		switch {
		case text == "":
		case text[0] == '\r' || text[0] == '\n':
			out, column = append(endLine(out, column), "\r\n"...), 0
			text = text[len(lineBreak(text)):]
		default:
			out, column = appendEscaped(out, column, text[0])
			text = text[1:]
		}
	}
	return endLine(out, column)
}

// lineBreak is the one the text begins with.
func lineBreak(text string) string {
	if len(text) > 1 && text[0] == '\r' && text[1] == '\n' {
		return text[:2]
	}
	return text[:1]
}

// endLine escapes white space at the end of a line, which servers may drop.
func endLine(out []byte, column int) []byte {
	if column == 0 {
		return out
	}
	last := out[len(out)-1]
	if last != ' ' && last != '\t' {
		return out
	}
	out, _ = appendEscaped(out[:len(out)-1], column-1, last)
	return out
}

func appendEscaped(out []byte, column int, b byte) ([]byte, int) {
	const digits = "0123456789ABCDEF"
	if column > lineRoom-len("=00") {
		out, column = append(out, "=\r\n"...), 0
	}
	return append(out, '=', digits[b>>4], digits[b&15]), column + len("=00")
}

func standsAlone(b byte) bool { return b >= ' ' && b <= '~' && b != '=' || b == '\t' }
