package views

import (
	"strconv"
	"testing"
	"time"

	"github.com/a-h/templ"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

// sample is one page in one state, and what is true of it.
type sample struct {
	name     string
	page     templ.Component
	mainActs int  // how many filled buttons it has
	amount   bool // shows a sum as the largest thing
}

const baseURL = "https://pay.lumen.example"

func catalog(t *testing.T) *l10n.Catalog {
	t.Helper()
	c, err := l10n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func frameFor(c *l10n.Catalog, tag string, asset func(string) string) Frame {
	return Frame{
		Locale:    c.Locale(tag),
		Languages: c.Locales(),
		Path:      "/pay",
		Merchant: Merchant{
			Name: "Lumen Studio", LegalAddress: "Lumen Studio S.r.l., Via Tortona 31, 20144 Milano, Italy",
			SupportEmail: "billing@lumen.studio", HomeURL: "https://lumen.studio",
		},
		MaskedEmail: "c•••@b•••.it",
		Nonce:       "bm9uY2U",
		StripeJS:    "https://js.stripe.com/v3/", PublishableKey: "pk_test_123",
		Asset: asset,
	}
}

func plainAsset(name string) string { return "/static/" + name }

func on(month time.Month, day int) time.Time {
	return time.Date(2025, month, day, 9, 30, 0, 0, time.UTC)
}

func eur(minor int64) billing.Money { return billing.Money{Minor: minor, Currency: "eur"} }

func visa() *CardOnFile {
	return &CardOnFile{Method: billing.Method{Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 8, ExpYear: 2027}}
}

func november() Invoice {
	return Invoice{
		ID: "in_3", Number: "LS-2025-1171", What: "Studio plan, monthly", From: on(11, 3), To: on(12, 2),
		Since: on(11, 3), Remaining: eur(2900), Class: billing.ClassGeneric, HasPDF: true,
	}
}

func threeYen() []Invoice {
	var invoices []Invoice
	for n, month := range []time.Month{9, 10, 11} {
		i := november()
		i.ID = []string{"in_1", "in_2", "in_3"}[n]
		i.Number = []string{"LS-2025-0912", "LS-2025-1033", "LS-2025-1171"}[n]
		i.What, i.Since, i.From, i.To = "Studio plan", on(month, 3), on(month, 3), on(month+1, 2)
		i.Remaining = billing.Money{Minor: 4800, Currency: "jpy"}
		i.Class = billing.ClassExpired
		invoices = append(invoices, i)
	}
	return invoices
}

func twoCurrencies() []Invoice {
	a, b, c := november(), november(), november()
	a.ID, a.Since = "in_a", on(10, 3)
	b.ID, b.Since = "in_b", on(11, 3)
	c.ID, c.What, c.Since, c.Remaining = "in_c", "Fonts add-on", on(11, 5), billing.Money{Minor: 1200, Currency: "usd"}
	return []Invoice{a, b, c}
}

func dueThread() []Entry {
	return []Entry{
		{When: on(11, 3), Kind: Past, Said: Said{Key: "thread.declined"}},
		{When: on(11, 6), Kind: Now, Said: Said{Key: "thread.pay_now"}},
		{When: on(11, 10), Kind: Next, Said: Said{Key: "thread.retry", Args: l10n.Args{"Card": visa()}}},
		{When: on(11, 18), Kind: Next, Said: Said{Key: "thread.will_restrict"}},
	}
}

func due(f Frame) OverviewPage {
	return OverviewPage{
		Frame: f, FirstName: "Chiara", Reason: billing.ClassGeneric, Invoices: []Invoice{november()}, Card: visa(),
		Main: MainPay, Hosted: true, Thread: dueThread(), Contact: &ContactPlan{Remaining: 2, Next: on(11, 10)},
	}
}

func receipt() Receipt {
	return Receipt{InvoiceID: "in_3", InvoiceNumber: "LS-2025-1171", ReceiptNumber: "2184-7730", What: "Studio plan, monthly",
		Paid: eur(2900), PaidOn: on(11, 6), With: visa(), HasPDF: true}
}

func samples(f Frame) []sample {
	overview := func(name string, mainActs int, change func(*OverviewPage)) sample {
		p := due(f)
		change(&p)
		return sample{name: name, page: Overview(p), mainActs: mainActs, amount: true}
	}
	list := []sample{
		overview("due", 1, func(p *OverviewPage) {}),
		overview("due-nobody", 1, func(p *OverviewPage) { p.FirstName, p.Thread, p.Contact = "", nil, nil }),
		overview("due-test-mode-stale", 1, func(p *OverviewPage) {
			p.TestMode = true
			p.Notice = f.text("note.stale", l10n.Args{"Day": f.Locale.Day(on(11, 6)), "Clock": f.Locale.Clock(on(11, 6))})
		}),
		overview("due-expired", 1, func(p *OverviewPage) {
			p.Reason, p.Main, p.ForFuture = billing.ClassExpired, MainAddCard, []string{"Studio plan", "Fonts add-on"}
			p.Card.ExpYear, p.Card.Expired = 2025, true
		}),
		overview("due-no-method", 1, func(p *OverviewPage) { p.Reason, p.Main, p.Card = billing.ClassNoMethod, MainAddCard, nil }),
		overview("due-overdue", 1, func(p *OverviewPage) { p.Reason, p.Main, p.Card = billing.ClassOverdue, MainAddCard, nil }),
		overview("due-approve", 1, func(p *OverviewPage) { p.Reason, p.Main = billing.ClassAuthentication, MainApprove }),
		overview("due-disputed", 0, func(p *OverviewPage) {
			p.Main, p.Note = MainNone, &Note{Kind: NotePause, Said: Said{Key: "note.dispute"}}
		}),
		overview("due-restricted", 1, func(p *OverviewPage) {
			p.Note = &Note{Kind: NoteWait, Said: Said{Key: "note.restricted"}}
		}),
		overview("due-grace", 1, func(p *OverviewPage) {
			p.Note = &Note{Kind: NoteWait, Said: Said{Key: "note.grace", Args: l10n.Args{"Day": on(11, 15)}}}
			p.Contact = &ContactPlan{Remaining: 1, Next: on(11, 10)}
		}),
		overview("several", 1, func(p *OverviewPage) {
			p.FirstName, p.Reason, p.Main, p.Invoices = "Haruka", billing.ClassExpired, MainAddCard, threeYen()
			p.ForFuture = []string{"Studio plan", "Fonts add-on"}
			p.Card, p.Contact = nil, &ContactPlan{}
		}),
		overview("several-currencies", 1, func(p *OverviewPage) { p.Invoices = twoCurrencies() }),
		overview("several-disputed", 0, func(p *OverviewPage) { p.Invoices, p.Main = twoCurrencies(), MainNone }),
		overview("several-approve", 1, func(p *OverviewPage) { p.Invoices, p.Main = threeYen(), MainApprove }),
		overview("due-promised", 1, func(p *OverviewPage) {
			p.Contact, p.Promise = nil, &Promise{On: on(11, 28), Charge: true, Amounts: []billing.Money{eur(2900)}, Card: visa(), Retry: on(11, 20), Others: true, CanChange: true, Made: true, Mailed: true}
		}),
		overview("due-promised-self", 1, func(p *OverviewPage) {
			p.CanClaim, p.CanCancel, p.Promise = true, true, &Promise{On: on(11, 28), Amounts: []billing.Money{eur(2900), {Minor: 1200, Currency: "usd"}}}
		}),
		overview("due-charging", 1, func(p *OverviewPage) {
			p.Promise = &Promise{On: on(11, 6), Charge: true, Amounts: []billing.Money{eur(2900)}, Card: visa(), Under: true}
		}),
		overview("due-other-ways", 1, func(p *OverviewPage) { p.CanPromise, p.CanClaim, p.CanCancel = true, true, true }),
		overview("due-keep-or-cancel", 1, func(p *OverviewPage) {
			p.Reason, p.Main, p.CanCancel = billing.ClassConsent, MainAddCard, true
			p.Note = &Note{Kind: NotePause, Said: Said{Key: "note.consent"}}
		}),
		overview("due-not-charged", 1, func(p *OverviewPage) {
			p.Note = &Note{Kind: NotePause, Said: Said{Key: "note.claim_until", Args: l10n.Args{"Day": on(11, 13)}}}
			p.NotCharged = &Note{Kind: NoteInfo, Said: Said{Key: "transfer.not_charged", Args: l10n.Args{"Amount": []billing.Money{eur(2900)}, "Day": on(11, 28)}}}
		}),
		overview("due-not-charged-disputed", 1, func(p *OverviewPage) {
			p.Note = &Note{Kind: NotePause, Said: Said{Key: "note.dispute_other"}}
			p.NotCharged = &Note{Kind: NoteInfo, Said: Said{Key: "promise.not_charged", Args: l10n.Args{"Amount": []billing.Money{eur(2900)}, "Day": on(11, 28)}}}
		}),
		overview("due-wants-to-cancel", 1, func(p *OverviewPage) { p.Cancels = true }),
		{name: "promise", page: ChoosePromise(PromisePage{Frame: f, Amounts: []billing.Money{eur(2900)}, Card: visa(), Days: []time.Time{on(11, 7), on(11, 8)}, Chosen: "2025-11-08", Last: true}), mainActs: 1},
		{name: "promise-self-fault", page: ChoosePromise(PromisePage{Frame: f, Amounts: []billing.Money{eur(2900)}, Days: []time.Time{on(11, 7)}, Faults: []Fault{{Field: "day", Said: Said{Key: "promise.fault_day"}}}}), mainActs: 1},
		{name: "promise-review", page: ReviewPromise(PromiseReviewPage{Frame: f, Invoices: []Invoice{november()}, Card: visa(), On: on(11, 28), At: on(11, 28), Retry: on(11, 10), Attempt: "att_1"}), mainActs: 1, amount: true},
		{name: "promise-review-self", page: ReviewPromise(PromiseReviewPage{Frame: f, Invoices: threeYen(), On: on(11, 28), Before: []billing.Money{eur(2900)}, Attempt: "att_1"}), mainActs: 1, amount: true},
		{name: "promise-end", page: EndPromise(PromiseEndPage{Frame: f, On: on(11, 28), Charge: true}), mainActs: 1},
		{name: "transfer", page: Transfer(TransferPage{Frame: f, Until: on(11, 13)}), mainActs: 1},
		{name: "transfer-charge", page: Transfer(TransferPage{Frame: f, Until: on(11, 13), Charge: &Promise{On: on(11, 28), Charge: true, Amounts: []billing.Money{eur(2900)}}}), mainActs: 1},
		{name: "transfer-charging", page: Transfer(TransferPage{Frame: f, Charge: &Promise{On: on(11, 6), Charge: true, Amounts: []billing.Money{eur(2900)}, Under: true}}), mainActs: 1},
		{name: "transfer-fault", page: Transfer(TransferPage{Frame: f, Until: on(11, 13), Text: "4242", Faults: []Fault{{Field: "text", Said: Said{Key: "support.fault_card"}}}}), mainActs: 1},
		{name: "cancel", page: Cancel(CancelPage{Frame: f, Open: []billing.Money{eur(2900)}}), mainActs: 1},
		{name: "cancel-asked", page: Cancel(CancelPage{Frame: f, Asked: true}), mainActs: 1},
		{name: "settled", page: Settled(SettledPage{Frame: f, FirstName: "Chiara", Receipts: []Receipt{receipt(), {InvoiceID: "in_2", InvoiceNumber: "LS-2", Paid: eur(2900), PaidOn: on(10, 3), OutOfBand: true}}, Renewal: &Renewal{On: on(12, 3), Amount: eur(2900)}}), mainActs: 1},
		{name: "settled-empty", page: Settled(SettledPage{Frame: f}), mainActs: 1},
		{name: "ahead-expiring", page: Ahead(AheadPage{Frame: f, FirstName: "Chiara", Card: visa(), What: "Studio plan", Renewal: Renewal{On: on(12, 3), Amount: eur(2900)}, ForFuture: []string{"Studio plan"}}), mainActs: 1, amount: true},
		{name: "ahead-expired", page: Ahead(AheadPage{Frame: f, Card: &CardOnFile{Method: visa().Method, Expired: true}, Renewal: Renewal{On: on(12, 3), Amount: eur(2900)}}), mainActs: 1, amount: true},
		{name: "ahead-no-method", page: Ahead(AheadPage{Frame: f, FirstName: "Chiara", What: "Studio plan", Renewal: Renewal{On: on(12, 3), Amount: eur(2900)}, ForFuture: []string{"Studio plan", "Fonts"}}), mainActs: 1, amount: true},
		{name: "processing", page: Processing(ProcessingPage{Frame: f, FirstName: "Chiara", Amounts: []billing.Money{eur(2900)}, What: "Studio plan, monthly", Card: &CardOnFile{Method: billing.Method{Type: "sepa_debit", Brand: "ING", Last4: "3000"}}, Until: on(11, 11)}), mainActs: 1, amount: true},
		{name: "processing-unknown", page: Processing(ProcessingPage{Frame: f, Amounts: []billing.Money{eur(2900)}, Card: &CardOnFile{Method: billing.Method{Type: "sepa_debit"}}}), mainActs: 1, amount: true},
		{name: "refunded", page: Refunded(RefundedPage{Frame: f, Receipt: refundedReceipt(2900), On: on(11, 9), Receipts: []Receipt{refundedReceipt(2900)}}), mainActs: 1, amount: true},
		{name: "refunded-part", page: Refunded(RefundedPage{Frame: f, Receipt: refundedReceipt(900), Credited: eur(900), Earlier: true}), mainActs: 1, amount: true},
		{name: "credited", page: Refunded(RefundedPage{Frame: f, Receipt: refundedReceipt(0), Credited: eur(500), Receipts: []Receipt{refundedReceipt(0)}}), mainActs: 1, amount: true},
		{name: "declined-again", page: Declined(DeclinedPage{Frame: f, Reason: billing.ClassTried, Invoices: []Invoice{november()}, Card: visa(), Main: MainAddCard, Hosted: true, Again: on(11, 9)}), mainActs: 1, amount: true},
		{name: "declined-wait", page: Declined(DeclinedPage{Frame: f, Reason: billing.ClassTried, Invoices: []Invoice{november()}, Card: visa(), Main: MainNone, Hosted: true, AnyCard: true, Again: on(11, 9)}), amount: true},
		{name: "whose", page: Whose(WhosePage{Frame: f, Payable: true, Shares: true}), mainActs: 1},
		{name: "papers", page: Papers(PapersPage{Frame: f}), mainActs: 1},
		{name: "papers-code", page: Papers(PapersPage{Frame: f, PDF: &Invoice{ID: "in_3", Number: "LS-2025-1171"}, Code: CodeEntry{Asked: true, Typed: "12345", Faults: []Fault{{Field: "code", Said: Said{Key: "code.fault_wrong"}}}}}), mainActs: 1},
		{name: "papers-often", page: Papers(PapersPage{Frame: f, Code: CodeEntry{Faults: []Fault{{Field: "code", Said: Said{Key: "code.fault_often"}}}}}), mainActs: 1},
		{name: "papers-open", page: Papers(PapersPage{Frame: f, PDF: &Invoice{ID: "in_3", Number: "LS-2025-1171"}, Open: true}), mainActs: 1},
		{name: "papers-nobody", page: Papers(PapersPage{Frame: f, Code: CodeEntry{Nobody: true}}), mainActs: 1},
		{name: "written-off", page: WrittenOff(WrittenOffPage{Frame: f, FirstName: "Chiara", Invoices: []Invoice{november()}, Payable: true}), mainActs: 1, amount: true},
		{name: "written-off-closed", page: WrittenOff(WrittenOffPage{Frame: f, Invoices: threeYen()}), mainActs: 1, amount: true},
		{name: "review", page: Review(ReviewPage{Frame: f, Invoices: []Invoice{november()}, Card: *visa(), Attempt: "att_1"}), mainActs: 1, amount: true},
		{name: "review-several", page: Review(ReviewPage{Frame: f, Invoices: twoCurrencies(), Card: *visa(), Attempt: "att_1"}), mainActs: 1, amount: true},
		{name: "review-changed", page: Review(ReviewPage{Frame: f, Invoices: []Invoice{november()}, Card: *visa(), Attempt: "att_1", Before: []billing.Money{eur(3900)}}), mainActs: 1, amount: true},
		{name: "card", page: Card(CardPage{Frame: f, Invoices: []Invoice{november()}, Currency: "eur", Methods: []string{"card"}, Attempt: "att_1", ForFuture: []string{"Studio plan"}, ReturnURL: baseURL + "/pay/card/finish", Hosted: "in_3"}), mainActs: 1, amount: true},
		{name: "card-several", page: Card(CardPage{Frame: f, Invoices: threeYen(), Currency: "jpy", Attempt: "att_1", ReturnURL: baseURL + "/pay/card/finish", Hosted: "in_1"}), mainActs: 1, amount: true},
		{name: "card-save-only", page: Card(CardPage{Frame: f, Currency: "eur", Attempt: "att_1", ReturnURL: baseURL + "/pay/card/finish", Fault: f.text("card.failed")}), mainActs: 1},
		{name: "card-finish", page: CardFinish(CardFinishPage{Frame: f, SetupIntent: "seti_1", Attempt: "att_1", Invoices: []Invoice{november()}}), mainActs: 1, amount: true},
		{name: "approve", page: Approve(ApprovePage{Frame: f, Invoice: november(), Card: visa()}), mainActs: 1, amount: true},
		{name: "approve-failed", page: Approve(ApprovePage{Frame: f, Invoice: november(), Fault: f.text("approve.failed")}), mainActs: 1, amount: true},
		{name: "paid", page: Paid(PaidPage{Frame: f, FirstName: "Chiara", Receipts: []Receipt{receipt()}, ReceiptSent: true, Restored: true, Renewal: &Renewal{On: on(12, 3), Amount: eur(2900)}, Thread: []Entry{
			{When: on(11, 6), Kind: Now, Said: Said{Key: "thread.paid_now"}}, {When: on(12, 3), Kind: Next, Said: Said{Key: "thread.renews"}}}}), mainActs: 1, amount: true},
		{name: "paid-several", page: Paid(PaidPage{Frame: f, Receipts: []Receipt{receipt(), {InvoiceID: "in_c", What: "Fonts add-on", Paid: billing.Money{Minor: 1200, Currency: "usd"}, PaidOn: on(11, 6), With: visa()}}}), mainActs: 1, amount: true},
		{name: "partly", page: PartlyPaid(PartlyPaidPage{Frame: f, Receipts: []Receipt{receipt()}, Open: threeYen()[:2], Card: visa(), Main: MainAddCard}), mainActs: 1, amount: true},
		{name: "declined", page: Declined(DeclinedPage{Frame: f, Reason: billing.ClassMoney, Invoices: []Invoice{november()}, Card: visa(), Main: MainPay, Hosted: true}), mainActs: 1, amount: true},
		{name: "declined-dead", page: Declined(DeclinedPage{Frame: f, Reason: billing.ClassDead, Invoices: threeYen(), Card: visa(), Main: MainAddCard}), mainActs: 1, amount: true},
		{name: "card-saved", page: CardSaved(CardSavedPage{Frame: f, Reason: billing.ClassMoney, Invoices: []Invoice{november()}, Card: *visa(), Main: MainPay, RetryOn: &Said{Key: "result.retry_on", Args: l10n.Args{"Day": on(11, 10)}}}), mainActs: 1, amount: true},
		{name: "checking", page: Checking(CheckingPage{Frame: f, Amounts: []billing.Money{eur(2900)}}), mainActs: 1, amount: true},
		{name: "support", page: Support(SupportPage{Frame: f, Now: on(11, 6), Open: []billing.Money{eur(5800)}, Resting: true, Sent: true, CanClaim: true, Messages: []Message{
			{Mine: true, Text: "Hi, our bookkeeper can only pay by bank transfer this month.\n\nWhich reference should we use?", At: on(11, 5)},
			{Author: "Ines", Text: "Hello Tomasz, of course. Please use LS-2025-1140.", At: on(11, 6)},
			{Mine: true, Text: "Perfect, thank you.", At: on(10, 6)}}}), mainActs: 1},
		{name: "support-first", page: Support(SupportPage{Frame: f, Now: on(11, 6)}), mainActs: 1},
		{name: "support-fault", page: Support(SupportPage{Frame: f, Now: on(11, 6), Resting: true, Text: "typed", Faults: []Fault{{Field: "text", Said: Said{Key: "support.fault_long", Args: l10n.Args{"Most": 5000}}}}}), mainActs: 1},
		{name: "choices", page: Choices(choices(f)), mainActs: 1},
		{name: "choices-kept", page: Choices(func() ChoicesPage {
			p := choices(f)
			p.Kept, p.Before, p.App = true, &Choice{Way: WayBoth, From: 9, To: 18}, false
			p.Outlook = Outlook{Open: true, Resting: true, Messages: p.Outlook.Messages}
			return p
		}()), mainActs: 1},
		{name: "choices-fault", page: Choices(func() ChoicesPage {
			p := choices(f)
			p.Outlook, p.Limits.Weekdays, p.Limits.From, p.Limits.To = Outlook{}, [7]bool{true, true, true, true, true, true, true}, 0, 24
			p.Faults = []Fault{{Field: "from", Said: Said{Key: "choices.fault_hours", Args: p.Hours()}}}
			return p
		}()), mainActs: 1},
		{name: "choices-review", page: ChoicesReview(ChoicesReviewPage{Frame: f, Outlook: choices(f).Outlook, Limits: choices(f).Limits, Choice: Choice{Way: WayApp, From: 9, To: 12}, App: true}), mainActs: 1},
		{name: "choices-review-none", page: ChoicesReview(ChoicesReviewPage{Frame: f, Outlook: Outlook{Open: true}, Limits: choices(f).Limits, Choice: Choice{Way: WayNone, From: 9, To: 18}, App: true}), mainActs: 1},
		{name: "stop", page: Stop(StopPage{Frame: nobody(f), Step: StopOffer, Token: "t", Masked: "c•••@b•••.it"}), mainActs: 1},
		{name: "stop-ask", page: Stop(StopPage{Frame: nobody(f), Step: StopAsk, Token: "t", Masked: "c•••@b•••.it"}), mainActs: 1},
		{name: "stop-done", page: Stop(StopPage{Frame: nobody(f), Step: StopDone, Token: "t", Masked: "c•••@b•••.it", Undo: true})},
		{name: "stop-undone", page: Stop(StopPage{Frame: nobody(f), Step: StopUndone, Token: "t", Masked: "c•••@b•••.it"})},
		{name: "link-sent", page: LinkSent(LinkSentPage{Frame: nobody(f)})},
		{name: "methods", page: Methods(MethodsPage{Frame: f, Methods: purse()}), mainActs: 0},
		{name: "methods-none", page: Methods(MethodsPage{Frame: f, Removing: visa()}), mainActs: 0},
		{name: "methods-removed", page: Methods(MethodsPage{Frame: f, Methods: purse()[1:], Removed: visa(), Mailed: true}), mainActs: 0},
		{name: "remove", page: RemoveMethod(RemoveMethodPage{Frame: f, Method: purse()[0], Others: purse()[1:2], Open: []billing.Money{eur(2900)}}), mainActs: 1},
		{name: "remove-void", page: RemoveMethod(RemoveMethodPage{Frame: f, Method: purse()[2], Code: CodeEntry{Faults: []Fault{{Field: "code", Said: Said{Key: "code.fault_void"}}}}}), mainActs: 1},
		{name: "remove-code", page: RemoveMethod(RemoveMethodPage{Frame: f, Method: purse()[0], Others: purse()[1:], Successor: "pm_2", Code: CodeEntry{Asked: true}}), mainActs: 1},
		{name: "remove-code-wrong", page: RemoveMethod(RemoveMethodPage{Frame: f, Method: purse()[2], Code: CodeEntry{
			Asked: true, Typed: "12345", Faults: []Fault{{Field: "code", Said: Said{Key: "code.fault_wrong"}}},
		}}), mainActs: 1},
		{name: "remove-nobody", page: RemoveMethod(RemoveMethodPage{Frame: f, Method: purse()[2], Code: CodeEntry{Nobody: true}}), mainActs: 1},
		{name: "remove-alone", page: RemoveMethod(RemoveMethodPage{Frame: f, Method: purse()[0], Obstacle: billing.ServesAlone}), mainActs: 1},
		{name: "remove-underway", page: RemoveMethod(RemoveMethodPage{Frame: f, Method: purse()[0], Obstacle: billing.UnderWay}), mainActs: 1},
		{name: "remove-promised", page: RemoveMethod(RemoveMethodPage{Frame: f, Method: purse()[0], Obstacle: billing.IsPromised}), mainActs: 1},
		{name: "share", page: Share(SharePage{Frame: f, Invoices: []Invoice{november()}}), mainActs: 1, amount: true},
		{name: "share-several", page: Share(SharePage{Frame: f, Invoices: threeYen(), Chosen: "in_1", Shared: []Shared{{ID: "link_1", Number: "LS-2025-0912", MadeAt: on(11, 5)}}}), mainActs: 1},
		{name: "share-made", page: Share(SharePage{Frame: f, Invoices: []Invoice{november()}, Address: "https://pay.lumen.example/l/7Qw2h0J1cXb9nTq5Zs8kVyR3mLdUaEf6Gp4HiOjKwCx"}), mainActs: 1, amount: true},
		{name: "share-often", page: Share(SharePage{Frame: f, Invoices: []Invoice{november()}, Faults: []Fault{{Field: "make", Said: Said{Key: "share.fault_often"}}}}), mainActs: 1, amount: true},
		{name: "guest", page: Guest(guestPage(f, GuestPays, "")), mainActs: 1, amount: true},
		{name: "guest-debit", page: Guest(GuestPage{Frame: f, Invoice: november(), For: "C••• B•••", Attempt: "att_1", ReturnURL: baseURL + "/pay/invoice/finish", Methods: []string{"card", "sepa_debit"}}), mainActs: 1, amount: true},
		{name: "guest-rest", page: Guest(GuestPage{Frame: f, Invoice: november(), For: "C••• B•••", State: GuestHosted}), mainActs: 1, amount: true},
		{name: "card-debit", page: Card(CardPage{Frame: f, Invoices: []Invoice{november()}, Currency: "eur", Methods: []string{"card", "sepa_debit"}, Attempt: "att_1", ForFuture: []string{"Studio plan"}, ReturnURL: baseURL + "/pay/card/finish", Hosted: "in_3"}), mainActs: 1, amount: true},
		{name: "guest-declined", page: Guest(guestPage(f, GuestPays, f.text("guest.declined"))), mainActs: 1, amount: true},
		{name: "guest-approves", page: Guest(guestPage(f, GuestApproves, "")), mainActs: 1, amount: true},
		{name: "guest-waits", page: Guest(guestPage(f, GuestWaits, "")), mainActs: 1, amount: true},
		{name: "guest-processing", page: Guest(guestPage(f, GuestProcessing, "")), amount: true},
		{name: "guest-paid", page: Guest(guestPage(f, GuestPaid, "")), amount: true},
		{name: "guest-closed", page: Guest(guestPage(f, GuestClosed, ""))},
		{name: "genuine", page: Genuine(GenuinePage{Frame: nobody(f), Domain: "lumen.studio", Host: "pay.lumen.example"}), mainActs: 1},
		{name: "genuine-fault", page: Genuine(GenuinePage{Frame: nobody(f), Domain: "lumen.studio", Host: "pay.lumen.example", Typed: "chiara@",
			Faults: []Fault{{Field: "reference", Said: Said{Key: "genuine.fault"}}}}), mainActs: 1},
		{name: "genuine-sent", page: LinkSent(LinkSentPage{Frame: nobody(f), List: true})},
		{name: "dead-link", page: DeadLink(DeadLinkPage{Frame: nobody(f)}), mainActs: 1},
		{name: "dead-link-fault", page: DeadLink(DeadLinkPage{Frame: nobody(f), Email: "chiara@", Faults: []Fault{{Field: "email", Said: Said{Key: "dead_link.fault_email"}}}}), mainActs: 1},
	}
	for _, class := range []billing.Class{billing.ClassDead, billing.ClassConsent, billing.ClassAuthentication, billing.ClassExpired, billing.ClassFixCard, billing.ClassRenewed,
		billing.ClassMoney, billing.ClassTransient, billing.ClassGeneric, billing.ClassOurs, billing.ClassNoMethod, billing.ClassOverdue, billing.ClassNone} {
		list = append(list, overview("reason-"+string(class), 1, func(p *OverviewPage) { p.Reason = class }))
	}
	for _, status := range []int{400, 403, 404, 405, 409, 413, 422, 429, 500, 503} {
		p := ProblemPage{Frame: f, Status: status, RequestID: "01JD3F", RetryIn: 90 * time.Second}
		list = append(list, sample{name: "problem-" + strconv.Itoa(status), page: Problem(p), mainActs: 1})
	}
	return list
}

func guestPage(f Frame, state GuestState, fault string) GuestPage {
	return GuestPage{Frame: nobody(f), Invoice: november(), For: "C••• B•••", State: state, Attempt: "press_1", Paid: eur(2900), Fault: fault,
		ReturnURL: baseURL + "/pay/invoice/finish?attempt=press_1"}
}

// purse is a card that pays for two plans, one that expires soon and an account.
func purse() []Held {
	return []Held{
		{CardOnFile: CardOnFile{Method: billing.Method{ID: "pm_1", Type: "card", Brand: "visa", Last4: "4242", ExpMonth: 8, ExpYear: 2027}}, Default: true, Serves: []string{"Studio plan", "Fonts add-on"}},
		{CardOnFile: CardOnFile{Method: billing.Method{ID: "pm_2", Type: "card", Brand: "mastercard", Last4: "4444", ExpMonth: 12, ExpYear: 2025}}, Soon: true},
		{CardOnFile: CardOnFile{Method: billing.Method{ID: "pm_3", Type: "sepa_debit", Last4: "3000"}}},
	}
}

// choices is the page of somebody with two messages to come, the second of which nobody can date.
func choices(f Frame) ChoicesPage {
	return ChoicesPage{
		Frame: f, Outlook: Outlook{Open: true, Messages: []Coming{{At: on(11, 10), Way: WayBoth}, {Way: WayMail}}},
		Limits: Limits{Most: 3, Days: 7, GapHours: 24, From: 9, To: 18, Weekdays: [7]bool{false, true, true, true, true, true, false}, Holidays: true, Zone: "Europe/Rome"},
		Choice: Choice{Way: WayBoth, From: 9, To: 18}, App: true, Confirms: true,
	}
}

// nobody is the frame of a page without a session.
func nobody(f Frame) Frame {
	f.MaskedEmail = ""
	return f
}

// refundedReceipt is a payment of 29 euro of which so much was given back.
func refundedReceipt(minor int64) Receipt {
	return Receipt{InvoiceID: "in_3", InvoiceNumber: "LS-2025-1171", What: "Studio plan", Paid: eur(2900), PaidOn: on(11, 5), With: visa(), HasPDF: true, Refunded: eur(minor)}
}
