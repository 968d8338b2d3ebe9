package campaign_test

import (
	"strings"
	"testing"

	"sollecito/internal/campaign"
)

const told = `name: told
title: Told
steps:
  - key: first
    day: 1
    at: "10:00"
    channels: [email]
    text:
      it:
        subject: "{{plan}}: {{amount}} ancora da pagare"
        body: |
          La tua banca ha rifiutato l'addebito di **{{amount}}** per {{plan}}.

          - *Nulla* è stato prelevato,
          - e nulla cambia fino al {{consequence.date}}.

          {{button}}

          Grazie,
          il team
  - key: notice
    day: 5
    at: "10:00"
    channels: [email]
    announces: true
  - key: restricted
    day: 12
    at: "10:00"
    channels: [email]
    access: restricted
    consequence: true
`

func TestATextIsRead(t *testing.T) {
	t.Parallel()
	c := parsed(t, told)
	got := c.Steps[0].Text["it"].Read()
	if len(got.Before) != 3 || len(got.After) != 1 {
		t.Fatalf("%d blocks before and %d after the button: %+v", len(got.Before), len(got.After), got)
	}
	if got.Subject[0].Variable != "plan" || got.Subject[2].Variable != "amount" {
		t.Errorf("subject: %+v", got.Subject)
	}
	lead := got.Before[0].Pieces
	if len(lead) != 5 || !lead[1].Strong || lead[1].Variable != "amount" || lead[3].Variable != "plan" {
		t.Errorf("lead: %+v", lead)
	}
	if got.Before[1].Mark != "•" || !got.Before[1].Pieces[0].Strong || got.After[0].Pieces[0].Text != "Grazie, il team" {
		t.Errorf("list and end: %+v, %+v", got.Before[1], got.After)
	}
	if err := campaignSchema(t).Validate(plain(t, []byte(told))); err != nil {
		t.Errorf("the schema refuses what we read: %v", err)
	}
}

// Whatever is wrong with a text is told at its own line within the body, with what was meant.
func TestFlawsOfTexts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, from, to string
		line           int
		says           string
	}{
		{"a misspelt variable", "rifiutato l'addebito di **{{amount}}**", "rifiutato {{ammount}}", 12, "no variable {{ammount}} (is amount meant?)"},
		{"one further down", "{{consequence.date}}.", "{{consequence.day}}.", 15, "(is consequence.date meant?)"},
		{"not closed", "per {{plan}}.", "per {{plan.", 12, "{{ is not closed"},
		{"in the subject", "{{plan}}: ", "{{plann}}: ", 10, "(is plan meant?)"},
		{"between single braces", "{{plan}}: ", "{plan}: ", 10, "{plan} is not read; a variable is written {{plan}}"},
		{"a button in a sentence", "Grazie,", "Premi {{button}},", 19, "not a word in a sentence"},
		{"a second button", "          Grazie,\n", "          {{button}}\n\n          Grazie,\n", 19, "there is one button"},
		{"a long subject", "ancora da pagare", strings.Repeat("ancora ", 9), 10, "a mailbox shows 78 at most"},
		{"a button in the subject", "ancora da pagare", "{{button}}", 10, "a subject has no button"},
		{"HTML", "Grazie,", "<b>Grazie</b>,", 19, `"<b" is not read`},
		{"a heading", "          Grazie,", "          # Grazie,", 19, `"#" is not read`},
		{"a link", "Grazie,", "[qui](https://evil.example/pay)", 19, "leads out of the letter"},
		{"a bare address", "Grazie,", "www.pagamenti.it", 19, "leads out of the letter"},
		{"a court", "Grazie,", "Altrimenti il tribunale,", 19, `"tribunale" threatens`},
		{"shame", "Grazie,", "Ultimo avviso,", 19, "shames or frightens"},
		{"an advert", "Grazie,", "Uno sconto per te,", 19, "an advert"},
		{"no language", "      it:", "      Italian:", 9, "is no language"},
	} {
		hasFlaw(t, c.what, strings.Replace(told, c.from, c.to, 1), c.line, c.says)
	}
	gentle := strings.Replace(told[:strings.Index(told, "  - key: notice")], " fino al {{consequence.date}}", "", 1)
	if _, err := campaign.Parse([]byte(gentle)); err != nil {
		t.Errorf("without a consequence: %v", err)
	}
	hasFlaw(t, "a date that does not come", strings.Replace(gentle, "Grazie,", "Dal {{consequence.date}},", 1), 11, "takes anything away")
	hasFlaw(t, "a threat that is not configured", strings.Replace(gentle, "Grazie,", "Sospendiamo tutto,", 1), 19, "does not do")
	if _, err := campaign.Parse([]byte(strings.Replace(told, "Grazie,", "Poi sospendiamo l'accesso,", 1))); err != nil {
		t.Errorf("a consequence that is configured may be named: %v", err)
	}
	silent := strings.Replace(told, "    announces: true\n", "    announces: true\n    text: {en: {subject: Open, body: Please pay.}}\n", 1)
	hasFlaw(t, "an announcement without its date", silent, 26, "names the day")
	last := strings.Replace(gentle, "Grazie,", "Ultimo sollecito,", 1)
	if _, err := campaign.Parse([]byte(last)); err != nil {
		t.Errorf("on the last step: %v", err)
	}
}
