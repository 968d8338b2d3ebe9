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
		said := strings.TrimSpace(line)
		if strings.TrimRight(line, "\r") == "-- " && i > 0 || dividers.MatchString(said) && followedByHeader(lines[i+1:], 1) || oldHeader(lines[i:]) {
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
	// "On Monday Lumen Studio <billing@lumen.example> wrote:" may be folded over a few lines. The surest way to tell where
	// it begins comes first, so that the reader's own last line is not taken for its beginning.
	for _, begins := range []func(string) bool{introduces.MatchString, names, wrote.MatchString} {
		for back := 1; back <= 3 && back <= len(lines); back++ {
			said := strings.TrimSpace(strings.Join(lines[len(lines)-back:], " "))
			if len(said) <= longestIntroduction && begins(said) {
				return lines[:len(lines)-back]
			}
		}
	}
	return lines
}

const longestIntroduction = 320

// names reports whether a line that ends with a colon says when and who, by a verb or an address in brackets.
func names(said string) bool {
	return (strings.HasSuffix(said, ":") || strings.HasSuffix(said, "：")) && dated.MatchString(said) && (wrote.MatchString(said) || bracketed.MatchString(said))
}

var (
	introduces = regexp.MustCompile(`(?i)^(on|il|am|le|el|em|op|den|dnia)\s.{4,300}:$`)
	// The verbs of Gmail, Outlook, Apple Mail and Thunderbird.
	wrote      = regexp.MustCompile(`(?i)(wrote|ha scritto|schrieb.*|a écrit|escribió|escreveu|schreef.*|napisał(a|\(a\))?|のメール|が書きました|さんは書きました|كتب|كتبت)\s*[:：]$`)
	dated      = regexp.MustCompile(`\d{1,4}\s*[-/.年]\s*\d{1,2}|\b20\d\d\b|\d{1,2}:\d\d`)
	bracketed  = regexp.MustCompile(`<[^<>\s]+@[^<>\s]+>`)
	dividers   = regexp.MustCompile(`(?i)^(-{2,}\s*(original message|messaggio originale|ursprüngliche nachricht|message d['’]origine|mensaje original|mensagem original|oorspronkelijk bericht|oryginalna wiadomość|wiadomość oryginalna|元のメッセージ|الرسالة الأصلية)\s*-{2,}|_{20,})$`)
	headerLine = regexp.MustCompile(`(?i)^\*?(from|da|von|de|van|od|差出人|送信者|من)\*?\s?[:：]`)
	// What follows in the header an Outlook repeats.
	headerMore = regexp.MustCompile(`(?i)^\*?(sent|date|to|subject|cc|inviato|data|a|oggetto|gesendet|datum|an|betreff|envoyé|objet|à|enviado( el)?|fecha|para|asunto|assunto|enviada em|verzonden|aan|onderwerp|wysłano|do|temat|送信日時|日時|日付|宛先|件名|تاريخ|التاريخ|إلى|الموضوع|أُرسلت|تم الإرسال)\*?\s?[:：]`)
)

// followedByHeader reports whether the old mail's own header begins within the next lines, and goes on with at least so
// many more of its fields.
func followedByHeader(lines []string, more int) bool {
	for i, line := range lines[:min(len(lines), 3)] {
		if headerLine.MatchString(strings.TrimSpace(line)) {
			found := 0
			for _, next := range lines[i+1 : min(len(lines), i+7)] {
				if headerMore.MatchString(strings.TrimSpace(next)) {
					found++
				}
			}
			return found >= more
		}
	}
	return false
}

// oldHeader reports whether an old mail begins right here without any divider, as Outlook writes it: who, and three more
// of its fields. People write "From:" too, but not that.
func oldHeader(lines []string) bool {
	return headerLine.MatchString(strings.TrimSpace(lines[0])) && followedByHeader(lines, 3)
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
