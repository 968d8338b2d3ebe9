package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/smtp"
	"strings"
)

// listen opens the portal's own door for mail.
func (b *bench) listen() {
	ctx, stop := context.WithCancel(context.Background())
	b.door = &door{calls: make(chan net.Conn), closed: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- b.portal.Inbound.Serve(ctx, b.door) }()
	b.t.Cleanup(func() {
		stop()
		<-done
	})
}

// mailed is another server that hands a mail over, and lets it have its effect.
func (b *bench) mailed(from, to, text string) error {
	ours, theirs := net.Pipe()
	b.door.calls <- theirs
	client, err := smtp.NewClient(ours, "mx.example")
	if err != nil {
		return err
	}
	defer client.Close()
	err = client.Mail(from)
	if err != nil {
		return err
	}
	err = client.Rcpt(to)
	if err != nil {
		return err
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, strings.ReplaceAll(text, "\n", "\r\n"))
	if err != nil {
		return err
	}
	err = w.Close()
	if err != nil {
		return err
	}
	return errors.Join(client.Quit(), b.drain("returns", "send"))
}

func (l letter) replies() string {
	_, address, is := strings.Cut(l.reply, "<")
	if !is {
		return l.reply
	}
	return strings.TrimSuffix(address, ">")
}

func bounce(c *customer) string {
	return "From: MAILER-DAEMON@mx.example\nSubject: Undelivered\nMessage-ID: <bounce-" + c.id + "@mx.example>\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=\"B\"\n\n--B\nContent-Type: text/plain\n\nIt could not be delivered.\n\n" +
		"--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; " + c.email +
		"\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user\n\n--B--\n"
}

// door is where other servers knock.
type door struct {
	calls  chan net.Conn
	closed chan struct{}
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.calls:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (d *door) Close() error {
	select {
	case <-d.closed:
	default:
		close(d.closed)
	}
	return nil
}

// Addr implements net.Listener.
func (d *door) Addr() net.Addr { return &net.TCPAddr{} }
