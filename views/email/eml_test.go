package email

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sollecito/internal/mail"
)

var files = flag.String("eml", "", "write every letter in every language as a mail into this folder, for .ci/spamcheck")

// As they arrive: over a public server that took them from the merchant's.
const received = "Return-Path: <billing@lumen.studio>\r\n" +
	"Received: from mail.lumen.studio (mail.lumen.studio [93.184.216.34])\r\n" +
	"\tby mx.bellini.it (Postfix) with ESMTPS id 4F1A2B3C4D\r\n" +
	"\tfor <chiara@bellini.it>; %s\r\n"

// TestLettersAsFiles writes what filters are asked about: the letters as they are sent, with every header.
func TestLettersAsFiles(t *testing.T) {
	if *files == "" {
		t.Skip("-eml names no folder")
	}
	at := time.Now().UTC()
	merchant := lumen()
	for _, locale := range catalog(t).Locales() {
		for name, letter := range letters(locale) {
			letter.Merchant = merchant
			form, err := letter.Form(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, words := letter.Build()
			filled, text := form.Fill(words), []string{letter.Text()}
			for _, pieces := range [][]string{form.Markup, filled, text} { // names that filters know exist
				for i, piece := range pieces {
					pieces[i] = strings.ReplaceAll(piece, "lumen.example", "lumen.studio")
				}
			}
			out := mail.Letter{
				From: mail.Address{Name: merchant.Name, Address: "billing@lumen.studio"}, To: mail.Address{Name: "Chiara Bellini", Address: "chiara@bellini.it"},
				ReplyTo: mail.Address{Name: merchant.Name, Address: "mail+r-ntc_1-q2w3e4r5t6y7@in.lumen.studio"}, Subject: letter.Subject, Form: mail.NewForm(form.Markup), Words: filled, Text: text[0],
				MessageID: fmt.Sprintf("ntc_%s_%s@lumen.studio", locale.Tag(), name), Date: at, Language: locale.Tag(),
				Headers: map[string]string{"X-Entity-Ref-ID": "ntc_" + name, "List-Id": "<billing.lumen.studio>"},
			}
			packed, err := mail.Pack(nil, out)
			if err != nil {
				t.Fatal(err)
			}
			whole := append(fmt.Appendf(nil, received, at.Format(time.RFC1123Z)), packed.Bytes()...)
			err = os.WriteFile(filepath.Join(*files, locale.Tag()+"."+name+".eml"), whole, 0o644)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

var pages = flag.String("html", "", "folder that gets the HTML of every letter as a file")

// TestLettersAsPages writes the HTML of every letter, in a language from the left and one from the right, for a validator
// and for eyes.
func TestLettersAsPages(t *testing.T) {
	if *pages == "" {
		t.Skip("-html names no folder")
	}
	for _, locale := range catalog(t).Locales() {
		if locale.Tag() != "en" && locale.Tag() != "ar" {
			continue
		}
		for name, letter := range letters(locale) {
			letter.Merchant = lumen()
			html, _ := draw(t, letter)
			err := os.WriteFile(filepath.Join(*pages, "letter."+locale.Tag()+"."+name+".html"), []byte(html), 0o644)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
