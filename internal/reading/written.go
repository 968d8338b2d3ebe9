package reading

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// cutQuotes cuts the history and the signature at the end of what somebody wrote. It cuts only what is surely that:
// an answer written between the quotes stays whole, and so does a mail that would be left empty.
func cutQuotes(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.TrimRight(line, "\r") == "-- " && i > 0 || dividers.MatchString(strings.TrimSpace(line)) && followedByHeader(lines[i:]) {
			lines = lines[:i]
			break
		}
	}
	lines = cutTrailing(lines)
	short := strings.TrimSpace(strings.Join(lines, "\n"))
	if short == "" {
		return strings.TrimSpace(text)
	}
	return short
}

// cutTrailing cuts the quoted lines at the very end and the line that introduces them.
func cutTrailing(lines []string) []string {
	first := len(lines)
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if line != "" && !strings.HasPrefix(line, ">") {
			break
		}
		if strings.HasPrefix(line, ">") {
			first = i
		}
	}
	if first == len(lines) {
		return lines
	}
	lines = lines[:first]
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	// "On Monday Lumen Studio <billing@lumen.example> wrote:" may be folded over a few lines.
	for back := 1; back <= 3 && back <= len(lines); back++ {
		said := strings.TrimSpace(strings.Join(lines[len(lines)-back:], " "))
		if introduces.MatchString(said) {
			return lines[:len(lines)-back]
		}
	}
	return lines
}

var (
	introduces = regexp.MustCompile(`(?i)^(on|il|am|le|el|em|op|den|dnia)\s.{4,300}:$`)
	dividers   = regexp.MustCompile(`(?i)^(-{2,}\s*(original message|messaggio originale|ursprüngliche nachricht|message d'origine|mensaje original)\s*-{2,}|_{20,})$`)
	headerLine = regexp.MustCompile(`(?i)^\*?(from|da|von|de|van)\s?:`)
)

// followedByHeader reports whether a divider is followed by the old mail's own header.
func followedByHeader(lines []string) bool {
	for _, line := range lines[1:min(len(lines), 4)] {
		if headerLine.MatchString(strings.TrimSpace(line)) {
			return true
		}
	}
	return false
}

// textOf is the text of a page of HTML: blocks become lines, quotes "> " lines, what is not shown is left out.
func textOf(page string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(page))
	z.SetMaxBuf(mostText)
	hidden, quoted := 0, 0
	fresh := true
	line := func() {
		if !fresh {
			b.WriteByte('\n')
			fresh = true
		}
	}
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			words := strings.Join(strings.Fields(string(z.Text())), " ")
			if hidden > 0 || words == "" {
				continue
			}
			if fresh && quoted > 0 {
				b.WriteString("> ")
			}
			if !fresh {
				b.WriteByte(' ')
			}
			b.WriteString(clean(words))
			fresh = false
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "script", "style", "head", "title":
				hidden++
			case "blockquote":
				line()
				quoted++
			case "br", "p", "div", "tr", "li", "h1", "h2", "h3", "ul", "ol", "table", "hr":
				line()
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "script", "style", "head", "title":
				hidden = max(hidden-1, 0)
			case "blockquote":
				line()
				quoted = max(quoted-1, 0)
			case "p", "div", "tr", "li", "h1", "h2", "h3":
				line()
			}
		}
	}
}
