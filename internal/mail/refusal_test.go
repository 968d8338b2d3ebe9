package mail

import "testing"

func TestRefusalsOfUs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		refusal Refusal
		want    bool
	}{
		{Refusal{Code: 530, Enhanced: "5.7.0", Place: "MAIL", Text: "Authentication required"}, true},
		{Refusal{Code: 553, Enhanced: "5.1.8", Place: "MAIL", Text: "sender rejected"}, true},
		{Refusal{Code: 530, Place: "RCPT", Text: "must issue a STARTTLS command first"}, true},
		{Refusal{Code: 554, Enhanced: "5.7.1", Place: "RCPT", Text: "<a@b.example>: Relay access denied"}, true},
		{Refusal{Code: 550, Place: "RCPT", Text: "Relaying not permitted"}, true},
		{Refusal{Code: 450, Place: "MAIL", Text: "later", Temporary: true}, false},
		{Refusal{Code: 552, Place: "MAIL", Text: "too large"}, false},
		{Refusal{Code: 553, Enhanced: "5.6.7", Place: "MAIL", Text: "the server takes no addresses outside ASCII"}, false},
		{Refusal{Code: 550, Enhanced: "5.1.1", Place: "RCPT", Text: "no such user"}, false},
		{Refusal{Code: 550, Enhanced: "5.1.1", Place: "RCPT", Text: "<a@b.example>: Recipient address rejected: User unknown in relay recipient table"}, false},
		{Refusal{Code: 550, Place: "RCPT", Text: "<bob@relaytech.example>: user unknown"}, false},
		{Refusal{Code: 550, Enhanced: "5.7.54", Place: "RCPT", Text: "SMTP; Unable to relay recipient in non-accepted domain"}, true},
		{Refusal{Code: 554, Enhanced: "5.7.1", Place: "message", Text: "spam, not relayed"}, false},
		{Refusal{Code: 553, Enhanced: "5.7.1", Place: "RCPT", Text: "<billing@lumen.example>: Sender address rejected: not owned by user lumen"}, true},
		{Refusal{Code: 554, Enhanced: "5.7.1", Place: "RCPT", Text: "<pay.lumen.example[192.0.2.1]>: Client host rejected: Access denied"}, true},
		{Refusal{Code: 550, Enhanced: "5.1.8", Place: "RCPT", Text: "<billing@lumen.example>: Sender address rejected: Domain not found"}, true},
		{Refusal{Code: 550, Enhanced: "5.7.60", Place: "message", Text: "SMTP; Client does not have permissions to send as this sender"}, true},
		{Refusal{Code: 554, Enhanced: "5.2.252", Place: "message", Text: "SendAsDenied; lumen@x.example not allowed to send as billing@lumen.example"}, true},
		{Refusal{Code: 554, Place: "message", Text: "Message rejected: Email address is not verified."}, true},
		{Refusal{Code: 550, Enhanced: "5.7.1", Place: "RCPT", Text: "<a@b.example>: Recipient address rejected: Access denied"}, false},
		{Refusal{Code: 450, Enhanced: "4.1.8", Place: "RCPT", Text: "Sender address rejected: Domain not found", Temporary: true}, false},
	} {
		if got := c.refusal.OfUs(); got != c.want {
			t.Errorf("%v: %v", &c.refusal, got)
		}
	}
}
