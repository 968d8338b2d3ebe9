package demo

// watchFor says for each situation of the cast what there is to watch, and how to move the clock for it.
func watchFor(scenario string) string {
	return map[string]string{
		"soft_decline":            "Move by 3 days, several times: more letters, Stripe’s tries, limited access. Pay it below to end it.",
		"expired_card":            "Told at once. Add the card 4242 4242 4242 4242 on their page.",
		"authentication_required": "Approve it on their page, or move by a week and see them reminded.",
		"several_invoices":        "One letter for all three. Pay one below, move by a week: the rest is asked for.",
		"italian":                 "Move by a week and read the next letter.",
		"recovered":               "One letter said that all is settled. Move by a month: nothing more comes.",
		"bank_debit":              "Nothing is sent meanwhile. Move by a week: the money arrives.",
		"disputed":                "Reminders rest. Move by a month: no letter comes.",
		"part_paid":               "Page and letters ask for the rest alone. Move by a week for the next.",
		"overdue_transfer":        "Nothing failed, a day passed. Pay it below by transfer.",
		"no_payment_method":       "The page asks for a card. Add 4242 4242 4242 4242.",
		"conversation":            "Reminders rest. Be the staff and answer; it comes by mail.",
		"consent_withdrawn":       "Move by a month: no letter comes. Be the staff to see why.",
		"written_off":             "Move by a month: nobody asks. Their page still tells of it.",
		"healthy":                 "Let a renewal fail below, then move by a day for the first letter.",
		"card_expires_soon":       "One letter came before anything failed. Add a card, or move by 2 weeks and see it fail.",
		"renewal_without_card":    "Move by a week: one letter before anything fails. Move by 2 more: it fails.",
		"promised":                "Move to the chosen day: the charge goes through, one letter says so. No reminder comes before.",
		"promise_broken":          "The chosen day has passed. Move by a day or two: the next letter says what came of it.",
		"wants_to_cancel":         "Reminders rest. Be the staff: the wish stands first in the list.",
	}[scenario]
}
