package demo

import (
	"context"
	"slices"
	"time"
)

// The make-believe company. Its domain and its customers' are of the kind that can never be registered.
const (
	merchantName    = "Lumen Studio"
	merchantAddress = "Lumen Studio S.r.l., Via Tortona 31, 20144 Milano, Italy"
	merchantFrom    = "Lumen Studio <billing@lumen.example>"
	supportEmail    = "support@lumen.example"
	merchantZone    = "Europe/Rome"

	staffEmail = "giulia@lumen.example"
	staffName  = "Giulia Ferri"

	// staffPassword is told on the stage: nothing behind it is real.
	staffPassword = "lanterns over calm water"
)

// plan is what a customer subscribes to, monthly. The amount is in the currency's smallest unit.
type plan struct {
	product, currency string
	amount            int64
}

var (
	studioEUR = plan{"Studio plan", "eur", 2900}
	teamEUR   = plan{"Team plan", "eur", 8900}
	studioUSD = plan{"Studio plan", "usd", 3200}
	studioJPY = plan{"Studio plan", "jpy", 4800}
	studioNOK = plan{"Studio plan", "nok", 34900}
	agencyUSD = plan{"Agency plan", "usd", 490000}
)

const aDay = 24 * time.Hour

// player is one customer of the cast: who they are, and what happened to them before the curtain rises. Instants are
// how long before it.
type player struct {
	name, email, locale           string
	line1, city, postcode, nation string
	plan                          plan

	scenario string // the word for scripts
	story    string // the same for people
	joined   time.Duration
	failed   time.Duration // when the renewal failed; 0 for those it never did
	code     string        // how
	expiring bool          // their card's date passes before that renewal, or, for those it never did, before the next
	paid     time.Duration // when they paid after all; 0 for those who have not
	business bool
	contacts string // further billing contacts, comma-separated
	campaign string // which of the demo's own is theirs; "" for a shipped one
	extras   []extra
	turns    []turn
}

// turn is one more thing that happens to a player.
type turn struct {
	ago     time.Duration
	happens func(d *Demo, ctx context.Context, p *part) error
}

// part is a player on the stage: what they and their things are called at the stand-in.
type part struct {
	*role
	card, invoice string // the card they came with; the invoice that failed
}

// extra is a one-off invoice that fails beside the renewal.
type extra struct {
	what, currency string
	amount         int64
	made           time.Duration
}

// cast is everybody, in the order in which they are listed: the situations first, then three who simply pay, then two
// who do so until their next renewal. /demo/states lists what can be seen on their pages.
func cast() []player {
	return slices.Concat(situations(), promisers(), payers(), endings(), returned(), compared(), healthy())
}

func situations() []player {
	return []player{
		{
			name: "Anneke de Vries", email: "anneke@devries.example", locale: "nl",
			line1: "Prinsengracht 263", city: "Amsterdam", postcode: "1016 GV", nation: "NL", plan: studioEUR,
			scenario: "soft_decline", story: "Not enough money on the account",
			failed: 3*aDay + 3*time.Hour, code: "insufficient_funds", turns: []turn{{3 * aDay, (*Demo).keepMore}, {2 * aDay, (*Demo).handOn}},
		},
		{
			name: "Duarte Nogueira", email: "duarte@nogueira.example", locale: "pt",
			line1: "Rua da Boavista 84", city: "Porto", postcode: "4050-107", nation: "PT", plan: teamEUR,
			scenario: "expired_card", story: "The card on file has expired",
			failed: 6*aDay + 2*time.Hour, code: "expired_card", expiring: true,
		},
		{
			name: "Amina Okafor", email: "compta@okafor.example", locale: "fr",
			line1: "12 rue des Martyrs", city: "Paris", postcode: "75009", nation: "FR", plan: teamEUR,
			scenario: "authentication_required", story: "The bank wants the payment approved",
			failed: 1*aDay + 4*time.Hour, code: "authentication_required",
		},
		{
			name: "Haruka Nakamura", email: "haruka@nakamura.example", locale: "ja",
			line1: "2-11-3 Meguro", city: "Tokyo", postcode: "153-0063", nation: "JP", plan: studioJPY,
			scenario: "several_invoices", story: "Three invoices unpaid, in yen and in euro",
			failed: 10*aDay + 6*time.Hour, code: "generic_decline",
			extras: []extra{
				{"Extra storage, 500 GB", "jpy", 9600, 9*aDay + 5*time.Hour},
				{"Colour workshop in Milan", "eur", 12000, 8*aDay + 5*time.Hour},
			},
		},
		{
			name: "Chiara Bellini", email: "chiara@bellini.example", locale: "it",
			line1: "Via del Pratello 9", city: "Bologna", postcode: "40122", nation: "IT", plan: studioEUR,
			scenario: "italian", story: "Reads Italian; the bank said no without a reason",
			failed: 2*aDay + 3*time.Hour, code: "generic_decline",
		},
		{
			name: "Tomasz Wiśniewski", email: "tomasz@wisniewski.example", locale: "pl",
			line1: "ul. Długa 14", city: "Kraków", postcode: "31-147", nation: "PL", plan: studioEUR,
			scenario: "recovered", story: "Missed a payment, was reminded, and paid",
			failed: 21*aDay + 4*time.Hour, code: "insufficient_funds", paid: 14*aDay + 1*time.Hour,
		},
		{
			name: "Matthias Vogel", email: "matthias@vogel.example", locale: "de",
			line1: "Torstraße 98", city: "Berlin", postcode: "10119", nation: "DE", plan: teamEUR,
			scenario: "bank_debit", story: "Paid by bank debit yesterday; the bank takes some days",
			failed: 6*aDay + 3*time.Hour, code: "insufficient_funds",
			turns: []turn{{1*aDay + 2*time.Hour, (*Demo).payByDebit}},
		},
		{
			name: "Zoë Peeters", email: "zoe@peeters.example", locale: "nl-BE",
			line1: "Kammenstraat 41", city: "Antwerpen", postcode: "2000", nation: "BE", plan: studioEUR,
			scenario: "disputed", story: "Asked the bank to look into an earlier payment",
			failed: 6*aDay + 5*time.Hour, code: "do_not_honor",
			turns: []turn{{2*aDay + 1*time.Hour, (*Demo).dispute}},
		},
		{
			name: "Ingrid Solberg", email: "ingrid@solberg.example", locale: "nb",
			line1: "Grünerløkka 7", city: "Oslo", postcode: "0552", nation: "NO", plan: studioNOK,
			scenario: "part_paid", story: "Got a credit note and has paid a part",
			failed: 6*aDay + 2*time.Hour, code: "card_velocity_exceeded",
			turns: []turn{{3 * aDay, (*Demo).credit}, {2 * aDay, (*Demo).payPart}},
		},
		{
			name: "Aino Laine", email: "aino@laine.example", locale: "fi",
			line1: "Kalevankatu 12", city: "Helsinki", postcode: "00100", nation: "FI", plan: studioEUR,
			scenario: "overdue_transfer", story: "A business that pays by transfer; the invoice is past its due date", joined: 26 * aDay, business: true,
			turns: []turn{{20*aDay + 1*time.Hour, (*Demo).invoiceByTransfer}},
		},
		{
			name: "Luca Rinaldi", email: "luca@rinaldi.example", locale: "it",
			line1: "Corso Magenta 55", city: "Milano", postcode: "20123", nation: "IT", plan: studioEUR,
			scenario: "no_payment_method", story: "Removed the card; there is nothing to charge",
			failed: 4*aDay + 4*time.Hour, code: "generic_decline",
			turns: []turn{{4*aDay + 5*time.Hour, (*Demo).removeCard}},
		},
		{
			name: "Grace Whitfield", email: "grace@whitfield.example", locale: "en-US",
			line1: "214 Spring Street", city: "New York", postcode: "10012", nation: "US", plan: agencyUSD,
			scenario: "conversation", story: "A large sum in dollars; wrote to support and waits for an answer",
			failed: 7*aDay + 2*time.Hour, code: "withdrawal_count_limit_exceeded",
			turns: []turn{{20 * time.Hour, (*Demo).write}},
		},
		{
			name: "Jonas Keller", email: "jonas@keller.example", locale: "de-AT",
			line1: "Neubaugasse 23", city: "Wien", postcode: "1070", nation: "AT", plan: studioEUR,
			scenario: "consent_withdrawn", story: "Told the bank to refuse our charges; nobody is reminded",
			failed: 3*aDay + 2*time.Hour, code: "revocation_of_authorization",
		},
		{
			name: "Inés Carrasco", email: "ines@carrasco.example", locale: "es",
			line1: "Calle de la Palma 30", city: "Madrid", postcode: "28004", nation: "ES", plan: studioEUR,
			scenario: "written_off", story: "Written off by the merchant; nobody asks any more",
			failed: 17*aDay + 3*time.Hour, code: "lost_card",
			turns: []turn{{5*aDay + 3*time.Hour, (*Demo).writeOff}},
		},
	}
}

func healthy() []player {
	return []player{
		{
			name: "Freya Lindqvist", email: "freya@lindqvist.example", locale: "sv",
			line1: "Hornsgatan 44", city: "Stockholm", postcode: "118 21", nation: "SE", plan: studioEUR,
			scenario: "healthy", story: "Pays every month", joined: 12 * aDay,
		},
		{
			name: "Mirae Tan", email: "mirae@tan.example", locale: "en",
			line1: "18 Keong Saik Road", city: "Singapore", postcode: "089125", nation: "SG", plan: studioUSD,
			scenario: "healthy", story: "Pays every month, in dollars", joined: 9 * aDay,
		},
		{
			name: "Oluwaseun Adeyemi", email: "seun@adeyemi.example", locale: "en",
			line1: "7 Adeola Odeku Street", city: "Lagos", postcode: "101241", nation: "NG", plan: teamEUR,
			scenario: "healthy", story: "Pays every month for the whole team", joined: 5 * aDay,
		},
		{
			name: "Béatrice Morel", email: "beatrice@morel.example", locale: "fr",
			line1: "8 quai Saint-Vincent", city: "Lyon", postcode: "69001", nation: "FR", plan: studioEUR,
			scenario: "card_expires_soon", story: "Nothing is owed; the card expires before the next renewal", joined: 22 * aDay, expiring: true,
			turns: []turn{{21 * aDay, (*Demo).expireCard}},
		},
		{
			name: "Elif Demir", email: "elif@demir.example", locale: "tr",
			line1: "Moda Caddesi 61", city: "Istanbul", postcode: "34710", nation: "TR", plan: studioEUR,
			scenario: "renewal_without_card", story: "Nothing is owed; the card was removed, and the plan renews", joined: 23 * aDay,
			turns: []turn{{3 * aDay, (*Demo).removeCard}},
		},
	}
}

// joinedAt is when a player subscribed: a month before the renewal that failed, less a few hours, so that this renewal
// and not one by the calendar is the first.
func (p player) joinedAt(curtain time.Time) time.Time {
	if p.failed > 0 {
		return curtain.Add(-p.failed).AddDate(0, -1, 0).Add(6 * time.Hour)
	}
	return curtain.Add(-p.joined)
}

// cardExpiry is a day of the last month in which the card the player comes with is good: far ahead, or, for one that expires,
// the last one that is past at the renewal. Where a month and a day fall into one month, as from the 1st to the 31st, it is
// that one: the stand-in takes no card that has expired.
func (p player) cardExpiry(curtain time.Time) time.Time {
	if !p.expiring {
		return curtain.AddDate(3, 0, 0)
	}
	joined := p.joinedAt(curtain).UTC()
	fails := joined.AddDate(0, 1, 0)
	if p.failed > 0 {
		fails = curtain.Add(-p.failed).UTC()
	}
	before := time.Date(fails.Year(), fails.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	came := time.Date(joined.Year(), joined.Month(), 1, 0, 0, 0, 0, time.UTC)
	if before.Before(came) {
		return came
	}
	return before
}

// curtainTime is the instant at which the demo's story stands when people come in: the last working day's morning at
// the merchant's place that is not after the real time. Then offices are open, so that a mail that is due at once
// goes out at once, and the whole day is ahead.
func curtainTime(real time.Time, zone *time.Location) time.Time {
	local := real.In(zone)
	at := time.Date(local.Year(), local.Month(), local.Day(), 10, 30, 0, 0, zone)
	for at.After(real) || at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		at = at.AddDate(0, 0, -1)
	}
	return at
}
