package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/views/stage"
)

// situation is one state in which a customer's page can be met. It is never drawn for show: somebody of the cast is in
// it, and whoever goes there sees the page that the portal draws for them.
type situation struct {
	group string
	name  string // in the address, /demo/states/NAME
	title string
	see   string // what one sees there
	who   string // scenario of whose page it is; "" for nobody's

	// path is where it stands. In it {press} is the last press of that customer, {invoice} the invoice that failed, {old}
	// a token of theirs that no longer works, {handed} one for somebody else, {spare} a payment method that nothing is
	// charged to, {id} their own id. Only with a customer, and not below /l/ or /demo/, their session is opened on the way.
	path string

	presses int   // how often the main button has to be pressed there first
	first   *stir // what has to happen first; nil for nothing
}

// stir is something that happens just before a situation can be seen, because it does not last.
type stir struct {
	button  string
	happens func(d *Demo, ctx context.Context, as *walkIn) error
}

// The groups in which the situations are listed.
const (
	groupOwed    = "Something is owed"
	groupPaying  = "Paying"
	groupDone    = "Nothing is owed"
	groupRests   = "Reminders are paused"
	groupTaken   = "Consequences"
	groupWishes  = "Wishes"
	groupLinks   = "Links"
	groupStaff   = "As staff sees it"
	groupTrouble = "Trouble"
)

// states is every situation, one line each, in the order in which they are listed.
func states() []situation {
	return []situation{
		{group: groupOwed, name: "due", title: "A payment failed", see: "What is due, why, what happens when, and one button to pay with the card on file", who: "soft_decline", path: "/pay"},
		{group: groupOwed, name: "expired_card", title: "The card has expired", see: "The button asks for another card", who: "expired_card", path: "/pay"},
		{group: groupOwed, name: "no_method", title: "No card on file", see: "The button asks for a card", who: "no_payment_method", path: "/pay"},
		{group: groupOwed, name: "approval", title: "The bank wants a yes", see: "Nothing was taken; the button leads to the bank’s question", who: "authentication_required", path: "/pay"},
		{group: groupOwed, name: "several", title: "Several invoices", see: "All or some of them, oldest first; yen and euro are never added", who: "several_invoices", path: "/pay"},
		{group: groupOwed, name: "part_paid", title: "Part of it is paid", see: "The rest, and only that, is asked for on Stripe’s own page", who: "part_paid", path: "/pay"},
		{group: groupOwed, name: "overdue", title: "An invoice is past its due date", see: "Nothing failed; a day passed. A manager may work out late interest, of which this page says nothing", who: "overdue_transfer", path: "/pay"},
		{group: groupOwed, name: "late_interest", title: "Late interest, as staff sees it", see: "On the staff page of a business: a proposal for a person to confirm, line by line", who: "overdue_transfer", path: "/demo/staff?customer={id}"},
		{group: groupOwed, name: "arabic", title: "Right to left", see: "A due payment in Arabic", who: "grace", path: "/pay"},
		{group: groupOwed, name: "long_names", title: "Long names, and markup in them", see: "What strangers write stays text and breaks no page", who: "long_names", path: "/pay"},

		{group: groupPaying, name: "review", title: "Before the press that charges", see: "The sum and the card once more; nothing has been charged yet", who: "soft_decline", path: "/pay", presses: 1},
		{group: groupPaying, name: "card", title: "Adding a card", see: "Stripe’s fields; with JavaScript switched off, the way to Stripe’s own page in their place", who: "expired_card", path: "/pay/card"},
		{group: groupPaying, name: "bank_question", title: "The bank’s question", see: "How the approval goes; the button opens it", who: "authentication_required", path: "/pay/approve"},
		{group: groupPaying, name: "processing", title: "A bank debit is under way", see: "No second button to pay, and by when the bank’s answer is expected", who: "bank_debit", path: "/pay"},
		{group: groupPaying, name: "debit_failed", title: "A bank debit came back", see: "Days later the bank said no; nothing was taken, and the ways on", who: "debit_failed", path: "/pay"},
		{group: groupPaying, name: "account_unproven", title: "A bank account to confirm", see: "Small deposits are on their way to it; the button leads to the page where they are named", who: "account_unproven", path: "/pay"},
		{group: groupPaying, name: "paid", title: "Just paid", see: "Sum, card, day, the receipt and what comes next", who: "just_paid", path: "/pay/result?press={press}"},
		{group: groupPaying, name: "declined", title: "Declined just now", see: "Nothing has been taken, why, and the ways on", who: "declined_now", path: "/pay/result?press={press}"},
		{group: groupPaying, name: "card_saved", title: "Card kept, charge declined", see: "The new card is kept; the charge did not go through", who: "card_saved", path: "/pay/result?press={press}"},
		{group: groupPaying, name: "partly", title: "Some paid, some not", see: "What was paid, what is still open", who: "partly_paid", path: "/pay/result?press={press}"},
		{group: groupPaying, name: "changed", title: "The amount changed meanwhile", see: "Old and new amount; it asks again before it charges", who: "amount_changes", path: "/pay/review", first: &stir{"Choose, then credit 1 dollar", (*Demo).amountChanges}},
		{group: groupPaying, name: "too_often", title: "Tried too often", see: "Five tries were declined; the sixth is not made, and from when on it may be", who: "tried_often", path: "/pay", presses: 2},

		{group: groupDone, name: "settled", title: "Paid after a reminder", see: "All is settled, with the receipts and the next charge", who: "recovered", path: "/pay"},
		{group: groupDone, name: "paid_elsewhere", title: "Paid elsewhere", see: "Paid by transfer; nothing to do", who: "paid_elsewhere", path: "/pay"},
		{group: groupDone, name: "void", title: "The invoice was withdrawn", see: "Nothing is owed", who: "voided", path: "/pay"},
		{group: groupDone, name: "written_off", title: "Written off", see: "Nobody asks any more; paying it all the same is possible on Stripe’s own page", who: "written_off", path: "/pay"},
		{group: groupDone, name: "refunded", title: "A payment was refunded", see: "What was given back, when, and how long the bank may take", who: "refunded", path: "/pay"},
		{group: groupDone, name: "expires_soon", title: "The card expires before the renewal", see: "A word before anything fails", who: "card_expires_soon", path: "/pay"},
		{group: groupDone, name: "renews_without_card", title: "A renewal without a card", see: "A word before anything fails", who: "renewal_without_card", path: "/pay"},

		{group: groupRests, name: "disputed", title: "A payment is disputed", see: "The bank is looking into an earlier payment; reminders rest", who: "disputed", path: "/pay"},
		{group: groupRests, name: "promised", title: "A day was promised", see: "When the card is charged; paying now is still possible", who: "promised", path: "/pay"},
		{group: groupRests, name: "promise_broken", title: "A promise came to nothing", see: "The charge on the chosen day was declined, said without blame", who: "promise_broken", path: "/pay"},
		{group: groupRests, name: "paused", title: "Paused by staff", see: "Reminders are paused; paying is still possible", who: "paused", path: "/pay"},
		{group: groupRests, name: "claimed", title: "“I have paid by transfer”", see: "We wait for it until a date", who: "claimed", path: "/pay"},
		{group: groupRests, name: "conversation", title: "A conversation with support", see: "The thread; reminders rest until somebody answers", who: "conversation", path: "/pay/support"},
		{group: groupRests, name: "consent", title: "Consent withdrawn at the bank", see: "Keep the plan with another card, or end it", who: "consent_withdrawn", path: "/pay"},

		{group: groupTaken, name: "grace", title: "Grace: announced", see: "From which day access will be limited", who: "grace", path: "/pay"},
		{group: groupTaken, name: "restricted", title: "Access is limited", see: "Limited now, full again with the payment", who: "restricted", path: "/pay"},
		{group: groupTaken, name: "suspended", title: "Access is suspended", see: "Suspended now, full again with the payment", who: "suspended", path: "/pay"},
		{group: groupTaken, name: "ends_soon", title: "The plan is about to end", see: "From which day the plan may be ended", who: "ends_soon", path: "/pay"},
		{group: groupTaken, name: "ended", title: "The plan was ended", see: "When and why, how to contest it; the sum can still be paid", who: "ended", path: "/pay"},

		{group: groupWishes, name: "choices", title: "How we may write", see: "Channel, hours, and every message that may still come", who: "soft_decline", path: "/pay/choices"},
		{group: groupWishes, name: "opted_out", title: "No reminders wanted", see: "The page says that none come", who: "opted_out", path: "/pay"},
		{group: groupWishes, name: "promise", title: "Choose a day", see: "To be charged later, on a day of one’s own", who: "soft_decline", path: "/pay/promise"},
		{group: groupWishes, name: "leave", title: "“Cancel my plan”", see: "What ending the plan means, in two presses", who: "soft_decline", path: "/pay/cancel"},
		{group: groupWishes, name: "leaving", title: "Asked to end the plan", see: "A person will see to it; the wish can be taken back", who: "wants_to_cancel", path: "/pay"},
		{group: groupWishes, name: "transfer", title: "Saying that a transfer is on its way", see: "Until when we would wait for it", who: "soft_decline", path: "/pay/transfer"},
		{group: groupWishes, name: "support", title: "Writing to support", see: "A first message", who: "grace", path: "/pay/support"},

		{group: groupWishes, name: "methods", title: "Cards and accounts", see: "Every way to pay on file, which one is charged, and what for", who: "soft_decline", path: "/pay/methods"},
		{group: groupWishes, name: "remove_method", title: "Removing one", see: "What follows from it; a code comes by mail first", who: "soft_decline", path: "/pay/methods/{spare}/remove"},
		{group: groupWishes, name: "remove_code", title: "Removing one, with the code", see: "Where the code from the mail is typed or pasted", who: "soft_decline", path: "/pay/methods/{spare}/remove", first: &stir{"Ask for the code", (*Demo).asksForCode}},
		{group: groupWishes, name: "papers", title: "An invoice as PDF", see: "It holds an address, so a code from the mailbox comes before it", who: "soft_decline", path: "/pay/papers?pdf={invoice}"},
		{group: groupWishes, name: "share", title: "Have someone else pay", see: "A link to hand on, and those that work now", who: "soft_decline", path: "/pay/share"},
		{group: groupLinks, name: "guest", title: "The link that only pays", see: "One invoice, its sum, and nothing of the customer’s cards or address", who: "soft_decline", path: "/l/{handed}"},
		{group: groupLinks, name: "whose", title: "Somebody else got the mail", see: "What they see, what stays hidden, and that they may pay all the same", who: "soft_decline", path: "/pay/whose"},
		{group: groupLinks, name: "genuine", title: "“Is this email really from us?”", see: "How to tell, and a list by mail of what was sent", path: "/pay/genuine"},
		{group: groupLinks, name: "link_expired", title: "An expired link", see: "One page for every link that no longer works; a fresh one comes by mail", who: "paid_elsewhere", path: "/l/{old}"},
		{group: groupLinks, name: "link_replaced", title: "A link that was taken back", see: "The same page", who: "voided", path: "/l/{old}"},
		{group: groupLinks, name: "link_unknown", title: "A link that never was", see: "The same page again: it tells nobody who is known", path: "/l/" + strings.Repeat("A", 43)},
		{group: groupLinks, name: "link_sent", title: "A fresh link was asked for", see: "The same answer whoever asked", path: "/pay/link/sent"},

		{group: groupStaff, name: "bounced", title: "A letter came back", see: "The report, the address that gets no mail any more, and the next billing contact who got the letter", who: "bounced", path: "/demo/staff?customer={id}"},
		{group: groupStaff, name: "complained", title: "Reported as spam", see: "No mail goes to this address any more, until a manager says so; the app goes on telling", who: "complained", path: "/demo/staff?customer={id}"},
		{group: groupStaff, name: "two_pauses", title: "Two pauses at once", see: "What holds the case, each with its end; it goes on when the last one has ended", who: "two_pauses", path: "/demo/staff?customer={id}"},
		{group: groupStaff, name: "campaign_chosen", title: "Which campaign, and why", see: "A large sum: the segment that took the case, and why each step came when it did", who: "amount_changes", path: "/demo/staff?customer={id}"},
		{group: groupStaff, name: "way_shipped", title: "One way of two", see: "The variant of the campaign that the customer’s id gave them: the shipped words", who: wayOurs, path: "/demo/staff?customer={id}"},
		{group: groupStaff, name: "way_own_words", title: "The other way", see: "The other variant of the same campaign: the merchant’s own words, in the afternoon", who: wayShort, path: "/demo/staff?customer={id}"},
		{group: groupStaff, name: "held_out", title: "Held out", see: "A share that is told nothing, to measure by: each step is passed in silence, and why", who: heldOut, path: "/demo/staff?customer={id}"},
		{group: groupStaff, name: "own_retries", title: "Our own retries", see: "Stripe tries nothing; the campaign’s tries with their outcome, the next one, and how much of the card’s budget is used", who: "own_retries", path: "/demo/staff?customer={id}"},

		{group: groupTrouble, name: "our_fault", title: "Something broke on our side", see: "Our mistake, nothing was taken, the number to tell support, and a way back", who: "soft_decline", path: "/pay/methods?removal=" + damaged, first: &stir{"Damage a row of the database", (*Demo).damages}},
		{group: groupTrouble, name: "stripe_down", title: "Stripe does not answer", see: "Our trouble, nothing was charged, when to come back", who: "soft_decline", path: "/pay/methods", first: &stir{"Cut Stripe off for fifteen seconds", (*Demo).stripeFails}},
		{group: groupTrouble, name: "checking", title: "The answer was lost", see: "Whether it was charged is not known yet; the page looks again, and nothing is charged twice", who: "amount_changes", path: "/pay/result?press={press}", first: &stir{"Pay while Stripe is cut off", (*Demo).payUnanswered}},
		{group: groupTrouble, name: "no_page", title: "An address that does not exist", see: "Nothing is lost, and a way back", who: "soft_decline", path: "/pay/nowhere"},
	}
}

// walkIn is a browser that goes ahead of a visitor, as one customer, and hands its session over to them.
type walkIn struct {
	role
	portal  string
	browser *http.Client
	cookies []*http.Cookie // as the portal set them, the newest of each name
}

// walksIn opens a customer's link in the visitor's stead; the session the visitor had ends, as with any link.
func (d *Demo) walksIn(r *http.Request, who role) (*walkIn, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(d.base)
	if err != nil {
		return nil, err
	}
	jar.SetCookies(base, r.Cookies())
	w := &walkIn{role: who, portal: d.base, browser: &http.Client{
		Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return w, w.ask(r.Context(), http.MethodGet, link.NewAddresses(d.base).Link(who.Token), nil)
}

// ask makes a request that has to lead somewhere, and keeps the cookies it is answered with.
func (w *walkIn) ask(ctx context.Context, method, address string, f url.Values) error {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(f.Encode()))
	if err != nil {
		return err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := w.browser.Do(req)
	if err != nil {
		return fmt.Errorf("go ahead of a visitor: %w", err)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if err != nil {
		return fmt.Errorf("go ahead of a visitor: %w", err)
	}
	if resp.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("go ahead of a visitor: %s %s answers %d", method, req.URL.Path, resp.StatusCode)
	}
	w.cookies = append(w.cookies, resp.Cookies()...)
	return nil
}

// press sends one of the portal's forms.
func (w *walkIn) press(ctx context.Context, path string, f url.Values) error {
	return w.ask(ctx, http.MethodPost, w.portal+path, f)
}

func findState(name string) (situation, bool) {
	for _, s := range states() {
		if s.name == name {
			return s, true
		}
	}
	return situation{}, false
}

// actor answers whose page a situation is, nobody's role when it is nobody's; false when nobody is in it here, as in a
// folder from before there was one.
func (d *Demo) actor(s situation) (role, bool) {
	if s.who == "" {
		return role{}, true
	}
	for _, p := range d.memory.record().Cast {
		if p.Scenario == s.who {
			return p, true
		}
	}
	return role{}, false
}

// enterState opens a customer's session for the visitor and leads to where their situation stands. One that something
// has to happen for is entered by POST alone.
func (d *Demo) enterState(w http.ResponseWriter, r *http.Request) error {
	err := d.open()
	if err != nil {
		return err
	}
	s, known := findState(r.PathValue("name"))
	who, here := d.actor(s)
	switch {
	case !known:
		return fault.New(fault.NotFound, "There is no such situation; /demo/states lists them.")
	case !here:
		return fault.New(fault.NotFound, "Nobody is in this situation here. Begin a new demo, without --data or with another folder.")
	case s.first != nil && r.Method != http.MethodPost:
		http.Redirect(w, r, "/demo/states#"+s.name, http.StatusSeeOther)
		return nil
	}
	path := func() string {
		return strings.NewReplacer("{press}", who.Press, "{invoice}", who.Invoice, "{old}", who.Old, "{handed}", who.Handed, "{spare}", who.Spare, "{id}", who.ID).Replace(s.path)
	}
	if s.who == "" || !strings.HasPrefix(s.path, "/pay") || r.Method == http.MethodHead {
		http.Redirect(w, r, path(), http.StatusSeeOther)
		return nil
	}
	as, err := d.walksIn(r, who)
	if err != nil {
		return err
	}
	if s.first != nil {
		d.moving.Lock()
		err = s.first.happens(d, d.life, as)
		d.moving.Unlock()
		if err != nil {
			return d.ending(err)
		}
		who = as.role
	}
	for _, c := range as.cookies {
		http.SetCookie(w, c)
	}
	http.Redirect(w, r, path(), http.StatusSeeOther)
	return nil
}

func (d *Demo) showStates(w http.ResponseWriter, r *http.Request) error {
	err := d.open()
	if err != nil {
		return err
	}
	page := stage.StatesPage{Frame: d.frame(r)}
	for _, s := range states() {
		who, here := d.actor(s)
		if !here {
			continue
		}
		one := stage.State{Name: s.name, Title: s.title, See: s.see, Whose: who.Name, Presses: s.presses}
		if s.first != nil {
			one.Button = s.first.button
		}
		last := len(page.Groups) - 1
		if last < 0 || page.Groups[last].Title != s.group {
			page.Groups = append(page.Groups, stage.StateGroup{Title: s.group})
			last++
		}
		page.Groups[last].States = append(page.Groups[last].States, one)
	}
	return d.show(w, r, http.StatusOK, stage.States(page))
}

// stateEntry is one line of GET /demo/states.json.
type stateEntry struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	See      string `json:"see"`
	Customer string `json:"customer"` // "" for nobody's page
	Address  string `json:"address"`  // answers 303 to the page, with the customer's session
	Method   string `json:"method"`   // GET, or POST where something has to happen first
	Presses  int    `json:"presses"`  // of the main button, until one is there
}

func (d *Demo) listStates(w http.ResponseWriter, _ *http.Request) error {
	err := d.open()
	if err != nil {
		return err
	}
	all := []stateEntry{}
	for _, s := range states() {
		who, here := d.actor(s)
		if !here {
			continue
		}
		entry := stateEntry{Name: s.name, Title: s.title, See: s.see, Customer: who.ID, Address: d.base + "/demo/states/" + s.name, Method: http.MethodGet, Presses: s.presses}
		if s.first != nil {
			entry.Method = http.MethodPost
		}
		all = append(all, entry)
	}
	writeJSON(w, http.StatusOK, all)
	return nil
}
