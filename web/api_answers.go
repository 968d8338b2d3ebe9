package web

import (
	"database/sql"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sollecito/internal/billing"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/outbox"
)

// What the calls answer. openapi.json says what each field means; a test holds the two together.

type apiAccess struct {
	Customer    string  `json:"customer"`
	Access      string  `json:"access"`
	Allowed     bool    `json:"allowed"`
	Until       *string `json:"until"`
	Reason      string  `json:"reason"`
	Explanation string  `json:"explanation"`
}

type apiMoney struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
}

type apiCustomer struct {
	ID       string     `json:"id"`
	Name     *string    `json:"name"`
	Email    *string    `json:"email"`
	Language string     `json:"language"`
	Access   string     `json:"access"`
	Case     *string    `json:"case"`
	Owed     []apiMoney `json:"owed"`
}

type apiCase struct {
	ID              string  `json:"id"`
	Customer        string  `json:"customer"`
	Status          string  `json:"status"`
	Paused          bool    `json:"paused"`
	Access          string  `json:"access"`
	Campaign        string  `json:"campaign"`
	CampaignVersion int64   `json:"campaign_version"`
	OpenedAt        string  `json:"opened_at"`
	ClosedAt        *string `json:"closed_at"`
}

type apiCases struct {
	Cases []apiCase `json:"cases"`
	Next  *string   `json:"next"`
}

type apiWholeCase struct {
	apiCase
	Pauses   []apiPause   `json:"pauses"`
	Next     *apiStep     `json:"next"`
	Invoices []apiInvoice `json:"invoices"`
}

type apiPause struct {
	Reason string  `json:"reason"`
	Since  string  `json:"since"`
	Until  *string `json:"until"`
}

type apiStep struct {
	Step     string           `json:"step"`
	At       *string          `json:"at"`
	Channels []outbox.Channel `json:"channels"`
	Access   *string          `json:"access"`
}

type apiInvoice struct {
	ID        string   `json:"id"`
	Number    *string  `json:"number"`
	Status    string   `json:"status"`
	Remaining apiMoney `json:"remaining"`
}

// explanations say a reason to the people who read an app's log.
var explanations = map[dunning.AccessReason]string{
	dunning.GoodStanding: "Nothing that we remind of is unpaid.",
	dunning.Overdue:      "A payment is overdue; nothing has been taken away yet.",
	dunning.TakenAway:    "A payment is overdue, and what was announced for it took place.",
	dunning.LeftUnpaid:   "The reminders have ended and a payment is still missing; access stays as they left it until it is paid.",
}

// access answers what the merchant's app should allow: the stored state, which a payment changes in the same transaction
// in which it becomes known.
func (a *api) access(r *http.Request) (any, error) {
	var answer apiAccess
	err := a.about(r, func(tx *sql.Tx, c billing.Customer) error {
		now, err := a.Cases.AllowanceOf(r.Context(), tx, c.ID, a.Now())
		answer = apiAccess{
			Customer: c.ID, Access: string(now.Access), Allowed: now.Allowed(), Until: instantOf(now.Until),
			Reason: string(now.Reason), Explanation: explanations[now.Reason],
		}
		return err
	})
	return answer, err
}

func (a *api) customer(r *http.Request) (any, error) {
	var answer apiCustomer
	err := a.about(r, func(tx *sql.Tx, c billing.Customer) error {
		answer = apiCustomer{ID: c.ID, Name: orNull(c.Name), Email: orNull(c.Email), Language: a.languageOf(c).Tag()}
		access, err := a.Cases.AccessOf(r.Context(), tx, c.ID)
		if err != nil {
			return err
		}
		answer.Access = string(access)
		open, err := a.Cases.OpenOf(r.Context(), tx, c.ID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		answer.Case = orNull(open.ID)
		answer.Owed, err = a.owed(r, tx, c.ID)
		return err
	})
	return answer, err
}

// owed is what remains of the invoices that are overdue, those whose debit is under way among them, as staff see it.
func (a *api) owed(r *http.Request, tx *sql.Tx, customer string) ([]apiMoney, error) {
	open, err := billing.OpenInvoices(r.Context(), tx, customer)
	if err != nil {
		return nil, err
	}
	var amounts []billing.Money
	for _, i := range open {
		if i.Overdue(a.Now().Unix()) || i.Processing() {
			amounts = append(amounts, i.Remaining())
		}
	}
	sums := []apiMoney{}
	for _, total := range billing.Totals(amounts) {
		sums = append(sums, moneyOf(total))
	}
	return sums, nil
}

// How many cases are listed at once.
const (
	usualCases = 50
	mostCases  = 200
)

func (a *api) listCases(r *http.Request) (any, error) {
	// Query leaves out what it cannot read, a semicolon's neighbours too: a filter that is left out answers all cases.
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, unusable("The parameters cannot be read: separate them with an ampersand, and write other signs as %XX.")
	}
	filter, limit, err := filterOf(query)
	if err != nil {
		return nil, err
	}
	var found []dunning.Case
	err = a.DB.See(r.Context(), func(tx *sql.Tx) (err error) {
		found, err = a.Cases.List(r.Context(), tx, filter, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	answer := apiCases{Cases: []apiCase{}}
	if len(found) > limit {
		found = found[:limit]
		answer.Next = &found[limit-1].ID
	}
	for _, c := range found {
		answer.Cases = append(answer.Cases, apiCaseOf(c))
	}
	return answer, nil
}

// filterOf reads which cases are asked for. A parameter that we don't know is refused, and so is an empty filter: whoever
// misspells one, or whose variable holds nothing, would get all cases for those they meant.
func filterOf(query url.Values) (dunning.Filter, int, error) {
	for name, values := range query {
		if !slices.Contains([]string{"status", "customer", "limit", "after"}, name) {
			return dunning.Filter{}, 0, unusable("There is no parameter " + strconv.Quote(name) + ": status, customer, limit and after are all.")
		}
		if len(values) > 1 {
			return dunning.Filter{}, 0, unusable("The parameter " + name + " stands there twice.")
		}
		if values[0] == "" && (name == "status" || name == "customer") {
			return dunning.Filter{}, 0, unusable("The parameter " + name + " is empty: leave it out to get all cases.")
		}
	}
	filter := dunning.Filter{Customer: query.Get("customer"), Status: dunning.Status(query.Get("status")), Before: query.Get("after")}
	if filter.Status != "" && !slices.Contains([]dunning.Status{dunning.Open, dunning.Recovered, dunning.Exhausted, dunning.Canceled}, filter.Status) {
		return dunning.Filter{}, 0, unusable("The status is one of open, recovered, exhausted and canceled.")
	}
	if filter.Before != "" && !strings.HasPrefix(filter.Before, "case_") {
		return dunning.Filter{}, 0, unusable("after is what an earlier answer said is next, as case_….")
	}
	if !query.Has("limit") {
		return filter, usualCases, nil
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 || limit > mostCases {
		return dunning.Filter{}, 0, unusable("The limit is a whole number from 1 to " + strconv.Itoa(mostCases) + ".")
	}
	return filter, limit, nil
}

func unusable(why string) error {
	return refusal{http.StatusUnprocessableEntity, "parameter_invalid", why}
}

func (a *api) oneCase(r *http.Request) (any, error) {
	var answer apiWholeCase
	err := a.DB.See(r.Context(), func(tx *sql.Tx) error {
		c, err := a.Cases.Find(r.Context(), tx, r.PathValue("id"))
		if err != nil {
			return err
		}
		answer = apiWholeCase{apiCase: apiCaseOf(c), Pauses: []apiPause{}, Invoices: []apiInvoice{}}
		pauses, err := a.Cases.ActivePauses(r.Context(), tx, c.ID)
		if err != nil {
			return err
		}
		for _, p := range pauses {
			answer.Pauses = append(answer.Pauses, apiPause{Reason: string(p.Reason), Since: instant(p.Since), Until: instantOf(a.at(p.Until))})
		}
		invoices, err := a.Cases.InvoicesOf(r.Context(), tx, c)
		if err != nil {
			return err
		}
		for _, i := range invoices {
			answer.Invoices = append(answer.Invoices, apiInvoice{ID: i.ID, Number: orNull(i.Number), Status: i.Status, Remaining: moneyOf(i.Remaining())})
		}
		answer.Next, err = a.nextOf(r, tx, c)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return nil, refusal{http.StatusNotFound, "case_unknown", "There is no such case."}
	}
	return answer, err
}

// nextOf is the step a case takes next, as far as is known now; nil while it rests or when none is left. It has no time while
// all sending is stopped: it waits for whoever resumes it.
func (a *api) nextOf(r *http.Request, tx *sql.Tx, c dunning.Case) (*apiStep, error) {
	if c.Status != dunning.Open || c.RestingSince > 0 {
		return nil, nil
	}
	in, err := a.Cases.SituationOf(r.Context(), tx, c, a.Now())
	if err != nil {
		return nil, err
	}
	notices, err := outbox.OfCase(r.Context(), tx, c.ID)
	if err != nil {
		return nil, err
	}
	ahead := c.Foresee(in, notices)
	if len(ahead) == 0 {
		return nil, nil
	}
	next := ahead[0]
	step := &apiStep{Step: next.Step.Key, Channels: []outbox.Channel{}, Access: orNull(string(next.Step.Access))}
	if c.Holdout { // to nobody, and access stays
		step.Access = nil
	} else {
		step.Channels = append(step.Channels, in.Ways(next.Step)...)
	}
	sending, err := dunning.SendingSwitch(r.Context(), tx)
	if err != nil {
		return nil, err
	}
	waits := next.Held != "" || sending.Stopped
	if next.Step.Acts() && !waits { // its day may have come already: then it is being decided or done
		_, err = a.Cases.FinalOf(r.Context(), tx, c.ID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		waits = err == nil
	}
	if !waits {
		step.At = instantOf(next.At)
	}
	return step, nil
}

func apiCaseOf(c dunning.Case) apiCase {
	answer := apiCase{
		ID: c.ID, Customer: c.CustomerID, Status: string(c.Status), Paused: c.Status == dunning.Open && c.RestingSince > 0,
		Access: string(c.Access), Campaign: c.Campaign, CampaignVersion: c.CampaignVersion, OpenedAt: instant(c.OpenedAt),
	}
	if c.ClosedAt > 0 {
		closed := instant(c.ClosedAt)
		answer.ClosedAt = &closed
	}
	return answer
}

func moneyOf(m billing.Money) apiMoney { return apiMoney{Minor: m.Minor, Currency: m.Currency} }

func instant(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// instantOf is an instant as programs read it, null for none.
func instantOf(at time.Time) *string {
	if at.IsZero() {
		return nil
	}
	text := at.UTC().Format(time.RFC3339)
	return &text
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
