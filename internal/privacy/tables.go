package privacy

import (
	"strconv"
	"strings"

	"sollecito/internal/dunning"
	"sollecito/internal/intake"
)

// rule says what becomes of a customer's rows when they are erased.
type rule string

const (
	deleted  rule = "deleted"
	nameless rule = "nameless" // the rows stay; of their texts only those that table.keeps names
	kept     rule = "kept"     // as they are: nothing in them is a person's
	apart    rule = "apart"    // not row by row; table.why says how
	nobodys  rule = "nobody's" // it holds nothing of customers
)

// table says what one table of the database holds of a customer and what becomes of it. Columns are named by how they are
// told: a column that stands nowhere fails the test.
type table struct {
	name  string
	whose string // the condition that its rows are of the customer with the id $1
	order string // in which they are told

	text   string // columns told as they are
	number string // whole numbers; sums are in minor units of the currency beside them
	moment string // unix seconds, told as ISO 8601 in UTC; 0 as null
	flag   string // yes or no
	untold string // hashes of tokens and the like, which tell nobody anything; of nobody's tables all columns

	rule    rule
	keeps   string // of a nameless one: the texts that stay
	zeros   string // of a nameless one: numbers and moments that are forgotten
	spare   string // of a nameless or deleted one: the condition of rows that are left as they are
	forever bool   // of a nameless or kept one: what stays does so however long ago the customer was erased

	why string // why something stays, or is told and forgotten apart
}

// What leads to a customer by way of another table.
const (
	theirs        = `customer_id = $1`
	theirCases    = `case_id IN (SELECT id FROM cases WHERE customer_id = $1)`
	theirNotices  = `notice_id IN (SELECT id FROM notices WHERE customer_id = $1)`
	theirTalks    = `conversation_id IN (SELECT id FROM conversations WHERE customer_id = $1)`
	theirPromises = `promise_id IN (SELECT id FROM promises WHERE customer_id = $1)`
	theirFinals   = `final_id IN (SELECT id FROM final_acts WHERE customer_id = $1)`
)

// Reasons why something stays.
const (
	forTheBooks   = "sums, dates and ids of payments: the merchant has to keep records of money"
	forTheFigures = "when what happened, without a word about whom: the figures of recovery count it"
)

// tables is the list, in the order in which it is told. Erasing goes through it from the end, so that rows go before those
// they belong to.
var tables = []table{
	{
		name: "customers", whose: `id = $1`, order: "id",
		text:   "id name email contacts preferred_locales language country state zone default_method metadata",
		moment: "created_at synced_at erased_at", flag: "deleted livemode",
		rule: nameless, keeps: "id", zeros: "created_at synced_at", forever: true,
		why: "the id alone, which stands in the audit log too: by it everything that Stripe tells of them later is passed over",
	},
	{
		name: "methods", whose: theirs, order: "id",
		text: "id customer_id type brand last4 fingerprint", number: "exp_month exp_year", moment: "renewed_at removed_at", flag: "guest",
		rule: deleted,
	},
	{
		name: "mandates", whose: theirs, order: "given_at, press",
		text: "press customer_id kind language words version method_id reference", moment: "given_at",
		rule: nameless, keeps: "press customer_id kind language words version reference",
		why: "the words that were agreed to, which are the same for everybody, and when: the proof of a consent, kept for claims about it",
	},
	{
		name: "removals", whose: theirs, order: "ordered_at, id",
		text: "id customer_id method_id successor status", moment: "ordered_at ended_at",
		rule: deleted,
	},
	{
		name: "guest_cards", whose: theirs, order: "started_at, press",
		text: "press customer_id invoice_id method_id", moment: "started_at gone_at",
		rule: deleted, spare: `gone_at = 0`,
		why: "until it was taken off at Stripe, the id of a card with which somebody else pays: it must not stay there",
	},
	{
		name: "new_cards", whose: theirs, order: "seen_at, method_id",
		text: "customer_id method_id why", moment: "seen_at due_at",
		rule: deleted,
	},
	{
		name: "subscriptions", whose: theirs, order: "id",
		text: "id customer_id status description period default_method currency trial_missing", number: "amount",
		moment: "period_end cancel_at", flag: "automatic unseen",
		rule: deleted,
	},
	{
		name: "invoices", whose: theirs, order: "created_at, id",
		text: "id customer_id subscription_id number status collection_method billing_reason currency description takes receipt_number " +
			"intent intent_status method_id own_method code decline_code advice_code network_advice_code network_decline_code",
		number: "amount_due amount_paid amount_remaining first_failed refunded credited attempt_count",
		moment: "period_start period_end due_at created_at paid_at failed_at next_attempt_at charged_at refunded_at synced_at",
		flag:   "paid_out_of_band attempted disputed in_case",
		rule:   nameless, zeros: "next_attempt_at",
		keeps: "id customer_id subscription_id number status collection_method billing_reason currency takes receipt_number " +
			"intent_status code decline_code advice_code network_advice_code network_decline_code",
		why: forTheBooks,
	},
	{
		name: "attempts", whose: theirs, order: "started_at, id",
		text: "id press customer_id invoice_id method_id kind status initiator currency network card charge reference " +
			"code decline_code advice_code network_advice_code network_decline_code",
		number: "amount", moment: "started_at ended_at",
		rule: nameless,
		keeps: "id press customer_id invoice_id kind status initiator currency network card charge reference " +
			"code decline_code advice_code network_advice_code network_decline_code",
		why: forTheBooks + "; the card's fingerprint for the " + strconv.Itoa(cardDays) + " days in which the networks' limits count everybody's tries of a card, then it is forgotten",
	},
	{
		name: "disputes", whose: theirs, order: "created_at, id",
		text: "id customer_id invoice_id status reason currency", number: "amount", moment: "created_at synced_at",
		rule: kept, why: forTheBooks + "; the reason is one of Stripe's words",
	},
	{
		name: "late_interest", whose: theirs, order: "confirmed_at, id",
		text: "id customer_id invoice_id status country currency fixed_currency document reason", number: "interest fixed", moment: "confirmed_at withdrawn_at",
		untold: "confirmed_by withdrawn_by",
		rule:   nameless, keeps: "id customer_id invoice_id status country currency fixed_currency document confirmed_by withdrawn_by",
		why: "a paper of the books, as it was confirmed; the customer's id takes the place of their name in it",
	},
	{
		name: "cases", whose: theirs, order: "opened_at, id",
		text: "id customer_id campaign status access opened_day variant", number: "campaign_version step rested_days",
		moment: "opened_at resting_since next_step_at consequence_at closed_at", flag: "holdout puzzling",
		rule: kept, why: forTheFigures,
	},
	{
		name: "case_invoices", whose: theirCases, order: "joined_at, case_id, invoice_id",
		text: "case_id invoice_id", moment: "joined_at left_at",
		rule: kept, why: forTheFigures,
	},
	{
		name: "case_log", whose: theirCases, order: "at, id",
		text: "id case_id what why", moment: "at", untold: "actor",
		rule: nameless, keeps: "id case_id what", spare: `why = '` + dunning.ClosedForErasure + `'`,
		why: forTheFigures,
	},
	{
		name: "decisions", whose: theirCases, order: "since, case_id, step, channel, what, reason",
		text: "case_id step channel what reason details", number: "times", moment: "since at until",
		rule: deleted,
	},
	{
		name: "pauses", whose: theirCases, order: "since, id",
		text: "id case_id reason note", moment: "since until ended_at", untold: "actor",
		rule: nameless, keeps: "id case_id reason", why: forTheFigures,
	},
	{
		name: "promises", whose: theirs, order: "made_at, id",
		text: "id case_id customer_id press kind day method_id status why", moment: "due_at look_at made_at charged_at ended_at", untold: "actor ended_by",
		rule: nameless, keeps: "id case_id customer_id press kind day status", why: forTheFigures,
	},
	{
		name: "promise_invoices", whose: theirPromises, order: "promise_id, invoice_id",
		text: "promise_id invoice_id currency", number: "amount",
		rule: kept, why: forTheFigures,
	},
	{
		name: "retries", whose: theirCases, order: "case_id, invoice_id",
		text: "case_id invoice_id why", number: "number", moment: "due_at not_before",
		rule: deleted,
	},
	{
		name: "final_acts", whose: theirs, order: "proposed_at, id",
		text: "id case_id customer_id step act status reason", moment: "proposed_at ordered_at ended_at next_try_at", untold: "actor",
		rule: nameless, keeps: "id case_id customer_id step act status", why: forTheFigures,
	},
	{
		name: "final_targets", whose: theirFinals, order: "final_id, object",
		text: "final_id object status outcome", moment: "tried_at ended_at",
		rule: nameless, keeps: "final_id object status", why: forTheFigures,
	},
	{
		name: "notices", whose: theirs, order: "created_at, id",
		text:   "id kind channel customer_id case_id step subject_id recipient status reason subject message_id",
		number: "attempts stumbles", moment: "created_at due_at lease_until settled_at dated", flag: "counts",
		rule: nameless, keeps: "id kind channel customer_id case_id step subject_id status", why: forTheFigures,
	},
	{
		name: "copies", whose: theirNotices, order: "notice_id",
		text: "notice_id form_id own",
		rule: deleted,
	},
	{
		name: "holds", whose: theirs, order: "customer_id",
		text: "customer_id", number: "times",
		rule: kept, why: "how often something of theirs may have changed, by their id alone",
	},
	{
		name: "copy_forms", untold: "id fixed",
		rule: nobodys, why: "what many letters share, with places where each has its own words",
	},
	{
		name: "bounces", whose: theirs, order: "at, id",
		text: "id notice_id customer_id address kind code words", moment: "at",
		rule: deleted,
	},
	{
		name: "arrivals", whose: `(customer_id = $1 OR ` + theirNotices + `)`, order: "received_at, id",
		text: "id way notice_id customer_id sender raw status outcome reason", number: "attempts", moment: "next_try_at received_at settled_at", untold: "mark",
		rule: deleted,
	},
	{
		name: "suppressions", whose: theirs, order: "since, id",
		text: "id address spelled reason words notice_id customer_id", moment: "since lifted_at", untold: "lifted_by",
		rule: apart,
		why:  "an address that mail must not go to is kept as its SHA-256, so that it is known again; everything else of it is forgotten",
	},
	{
		name: "contact_choices", whose: theirs, order: "version",
		text: "customer_id source words", number: "version hours_from hours_to", moment: "at", flag: "no_mail no_app", untold: "actor",
		rule: deleted,
	},
	{
		name: "stop_tokens", whose: theirs, order: "issued_at, notice_id, hash",
		text: "customer_id notice_id", moment: "issued_at", untold: "hash",
		rule: deleted,
	},
	{
		name: "snoozes", whose: theirs, order: "customer_id",
		text: "customer_id", moment: "until",
		rule: deleted,
	},
	{
		name: "conversations", whose: theirs, order: "opened_at, id",
		text: "id customer_id status", moment: "opened_at updated_at",
		rule: deleted,
	},
	{
		name: "messages", whose: theirTalks, order: "at, id",
		text: "id conversation_id author name body sender mail_id attachments", moment: "at", untold: "staff_id",
		rule: deleted,
	},
	{
		name: "wishes", whose: theirs, order: "made_at, id",
		text: "id customer_id kind status", moment: "made_at ended_at", untold: "ended_by",
		rule: deleted,
	},
	{
		name: "links", whose: theirs, order: "issued_at, id",
		text: "id customer_id notice_id language invoice_id", moment: "issued_at expires_at spent_at revoked_at", untold: "hash",
		rule: deleted,
	},
	{
		name: "customer_sessions", whose: theirs, order: "created_at, hash",
		text: "customer_id link_id data", moment: "created_at seen_at ended_at", untold: "hash",
		rule: deleted,
	},
	{
		name: "proofs", whose: theirs, order: "asked_at, id",
		text: "id customer_id purpose subject", number: "tries", moment: "asked_at written_at ended_at", untold: "session hash",
		rule: deleted,
	},
	{
		name: "confirmations", whose: `(tryer = $1 OR tryer IN (SELECT id FROM links WHERE customer_id = $1))`, order: "at, intent",
		text: "intent tryer place", number: "told counted pressed", moment: "at",
		rule: deleted,
	},
	{
		name: "limits", whose: `name LIKE '% ' || $1`, order: "window_at, name",
		text: "name", number: "used", moment: "window_at",
		rule: deleted,
	},
	{
		name: "events", whose: theirs, order: "received_at, id",
		text:   "id type object_type object_id customer_id api_version status reason",
		number: "attempts", moment: "created_at received_at next_try_at processed_at serves_from", flag: "livemode",
		rule: nameless, keeps: "id type object_type object_id customer_id api_version status", spare: `reason = '` + intake.ErasedCustomer + `'`,
		why: "ids alone: what an event said was never kept; an event that Stripe tells once more is known by its id",
	},
	{
		name: "rereads", whose: theirs, order: "customer_id",
		text: "customer_id", number: "tries", moment: "asked_at due_at",
		rule: deleted,
	},
	{
		name: "webhook_deliveries", whose: theirs, order: "created_at, id",
		text: "id message_id endpoint_id customer_id type body status reason", number: "attempts code", moment: "created_at due_at tried_at settled_at lease_until",
		rule: deleted, spare: `status = 'pending'`,
		why: "until the merchant's app has it, that the case closed and access is full again, by ids alone: it would lock them out for ever",
	},
	{
		name: "audit", order: "seq",
		whose: `(object = $1 OR detail = $1 OR detail LIKE $1 || ' %' OR object IN (SELECT id FROM cases WHERE customer_id = $1)
			OR object IN (SELECT id FROM conversations WHERE customer_id = $1))`,
		text: "action object detail", number: "seq", moment: "at", untold: "actor role ip request hash",
		rule: kept, forever: true,
		why: "it names customers by their id alone, and each entry vouches for the one before: taking one out would break the chain",
	},

	{name: "settings", untold: "name value", rule: nobodys, why: "what the installation knows of itself"},
	{
		name: "webhook_endpoints", untold: "id address events secret old_secret old_until created_at disabled_at disabled_why failing_since",
		rule: nobodys, why: "where the merchant's app is told",
	},
	{name: "campaigns", untold: "name version document applied_at actor", rule: nobodys, why: "the merchant's plans"},
	{name: "campaign_order", untold: "name position", rule: nobodys, why: "the merchant's plans"},
	{
		name: "staff", untold: "id email name role password enrol_hash enrol_until disabled_at created_at factor factor_at factor_step signed_in_at",
		rule: nobodys, why: "the merchant's own people",
	},
	{name: "staff_failures", untold: "hash failures locked_until", rule: nobodys, why: "the merchant's own people"},
	{
		name: "staff_sessions", untold: "hash staff_id created_at seen_at ended_at ip agent standing confirmed_at draft",
		rule: nobodys, why: "the merchant's own people",
	},
	{name: "staff_recovery", untold: "hash staff_id used_at", rule: nobodys, why: "the merchant's own people"},
	{name: "staff_devices", untold: "hash staff_id created_at seen_at", rule: nobodys, why: "the merchant's own people"},
	{name: "api_keys", untold: "id hash beginning name made_by made_at used_at ended_by ended_at", rule: nobodys, why: "the merchant's own programs"},
	{name: "staff_alerts", untold: "id staff_id what at ip agent", rule: nobodys, why: "the merchant's own people"},
}

// emptied are the texts of a nameless table that are forgotten.
func (t table) emptied() []string {
	stays := map[string]bool{}
	for _, column := range strings.Fields(t.keeps) {
		stays[column] = true
	}
	var all []string
	for _, column := range strings.Fields(t.text + " " + t.untold) {
		if !stays[column] {
			all = append(all, column)
		}
	}
	return all
}
