// Package outbox keeps every message that leaves the house: what it is, whom it is for, how it stands and the
// copy as it went. A notice is queued in the transaction of the fact it tells, so there is never a fact without
// its notice nor a notice without its fact; senders take it from here.
//
// An e-mail walks queued → sending → sent. `sending` is committed just before the dialogue with the mail server
// and `sent` after its 250 to the final dot, so a crash between the two leaves a notice whose outcome nobody
// can know: it becomes uncertain, is counted as sent, is shown to staff and never sent again by itself. A
// refusal or a break before the final dot goes back to queued. An in-app notice stays queued until the embed
// script reports that it was shown.
package outbox
