package demo

import (
	"context"
	"fmt"
	"net"
	"net/smtp"
	"slices"
	"strings"
	"time"

	"sollecito/internal/sandbox"
)

// returned are customers whose mail came back, and one whom two things leave alone at once.
func returned() []player {
	return []player{
		{
			name: "Bram Visser", email: "bram@visser.example", locale: "nl", contacts: "boekhouding@visser.example",
			line1: "Witte de Withstraat 60", city: "Rotterdam", postcode: "3012 BR", nation: "NL", plan: teamEUR,
			scenario: "bounced", story: "His mailbox is gone; the letter came back and went to the next billing contact",
			failed: 9*aDay + 3*time.Hour, code: "do_not_honor",
			turns: []turn{{5 * aDay, (*Demo).bounce}},
		},
		{
			name: "Saoirse Nolan", email: "saoirse@nolan.example", locale: "en",
			line1: "27 Shop Street", city: "Galway", postcode: "H91 T2P3", nation: "IE", plan: studioEUR,
			scenario: "complained", story: "Reported the letter as spam; no mail comes any more, the app tells her",
			failed: 9*aDay + 3*time.Hour, code: "do_not_honor",
			turns: []turn{{5 * aDay, (*Demo).complain}},
		},
		{
			name: "Eleni Markou", email: "eleni@markou.example", locale: "en",
			line1: "Tsimiski 40", city: "Thessaloniki", postcode: "546 23", nation: "GR", plan: studioEUR,
			scenario: "two_pauses", story: "Paused by staff, and says that a transfer is on its way",
			failed: 5*aDay + 3*time.Hour, code: "do_not_honor",
			turns: []turn{{2*aDay + 1*time.Hour, (*Demo).pauseByStaff}, {1*aDay + 2*time.Hour, (*Demo).claimTransfer}},
		},
	}
}

// inboundAddress is where bounces and complaints come back to.
const inboundAddress = "mail+{token}@in.lumen.example"

// openDoor lets mail come in to the portal, by SMTP and on this machine alone.
func (d *Demo) openDoor() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for mail that comes in: %w", err)
	}
	d.door = l.Addr().String()
	d.work.Go(func() {
		err := d.portal.Inbound.Serve(d.life, l)
		if err != nil && d.life.Err() == nil {
			d.end(fmt.Errorf("take mail in: %w", err))
		}
	})
	return nil
}

// bounce lets the player's mail server report that there is no such mailbox, about the last letter they were sent.
func (d *Demo) bounce(ctx context.Context, p *part) error {
	letter, sent := d.lastLetter(ctx, p)
	if !sent {
		return nil
	}
	return d.comesBack(p, letter.Sender, fmt.Sprintf(`From: MAILER-DAEMON@mx.visser.example
To: %s
Subject: Undelivered Mail Returned to Sender
Message-ID: <%s.gone@mx.visser.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

There is no such mailbox here.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.visser.example

Final-Recipient: rfc822; %s
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 There is no such mailbox here

--B--
`, letter.Sender, letter.ID, p.Email))
}

// complain lets the player's mail service tell that they reported the last letter as spam, the way feedback loops do (ARF).
func (d *Demo) complain(ctx context.Context, p *part) error {
	letter, sent := d.lastLetter(ctx, p)
	if !sent {
		return nil
	}
	return d.comesBack(p, strings.Replace(inboundAddress, "{token}", "complaints", 1), fmt.Sprintf(`From: feedback@mailbox.example
Subject: Abuse report
Message-ID: <%s.spam@mailbox.example>
Content-Type: multipart/report; report-type=feedback-report; boundary="F"

--F
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
Original-Mail-From: <%s>

--F--
`, letter.ID, letter.Sender))
}

// lastLetter is the last one the player was sent; false when many holidays in a row have kept it back so far.
func (d *Demo) lastLetter(ctx context.Context, p *part) (sandbox.Mail, bool) {
	for _, letter := range slices.Backward(d.catcher.Mails()) {
		if letter.To == p.Email {
			return letter, true
		}
	}
	d.log.WarnContext(ctx, "no letter was sent that could come back", "customer", p.Name)
	return sandbox.Mail{}, false
}

// comesBack brings a report to the portal's own door, as another mail server would: with no sender.
func (d *Demo) comesBack(p *part, to, report string) error {
	err := smtp.SendMail(d.door, nil, "", []string{to}, []byte(strings.ReplaceAll(report, "\n", "\r\n")))
	if err != nil {
		return fmt.Errorf("the letter of %s comes back: %w", p.Name, err)
	}
	return nil
}
