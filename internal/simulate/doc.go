// Command simulate lets a company's customers live through months or years in seconds, against the real portal: its
// intake, cases, schedule, policy, letters and sender on a real database. Stripe and the mail server are stand-ins in
// the same process that fail as real ones do; the clock jumps from one instant at which something is due to the next.
//
// What every mail had to obey is judged by rules written down here a second time, from what is true at the stand-ins,
// never by asking the portal's own rules. The same seed plays the same lives; a broken rule is reported with the seed, the
// customer and all that happened to them. The rules, as a report names them:
//
//   - I1: each press, new card, promise or order is charged once at most, and never with a card that was taken off.
//
//   - I2: nobody is reminded who has paid, disputes, waits for an answer, said that a transfer is on its way or wants none.
//
//   - I3: a step of a case is said once on a channel, and a mail is handed over once.
//
//   - I4: no mail of ours goes out outside the customer's own hours and days, nor on a holiday where they are.
//
//   - I5: reminders keep their gap and the most in 7 days, over all invoices.
//
//   - I6: a webhook that was answered 2xx is kept.
//
//   - I7: in the end Stripe and the portal say the same, in whatever order things were told.
//
//   - I8: after an absence there is no heap of mails. I5 judges it.
//
//   - I9: the audit log's chain holds.
//
//   - I10: nothing that is due is late while Stripe and the mail server are well.
//
//   - I11: no secret stands in the log.
//
//   - I12: a card is tried as seldom as the strictest of the networks asks (docs/retries.md).
//
//   - B1: a case hears its own campaign's version and variant.
//
//   - B9: the merchant's app, by its webhooks alone, knows what each customer may do and how their cases stand.
//
//   - B7: nothing is sent or charged before the day a customer set.
//
//   - C8: a card with which somebody else pays pays that one invoice alone, and is gone afterwards.
//
//   - C13: a mail speaks the customer's language.
//
//     go run ./internal/simulate -customers 10000 -days 365 -seed 1
package main
