package views

import (
	"github.com/a-h/templ"

	"sollecito/internal/l10n"
)

// sentences draws one sentence after another, parted as the language parts them; nil ones are left out. Set beside each
// other in a template they would get its own space between them, which no two Japanese sentences have.
func sentences(f Frame, all ...templ.Component) templ.Component {
	var drawn []templ.Component
	for _, sentence := range all {
		if sentence == nil {
			continue
		}
		if len(drawn) > 0 {
			drawn = append(drawn, templ.Raw(f.Locale.Gap()))
		}
		drawn = append(drawn, sentence)
	}
	return templ.Join(drawn...)
}

// when answers a sentence that is said only then, otherwise nil.
func when(said bool, sentence templ.Component) templ.Component {
	if !said {
		return nil
	}
	return sentence
}

// hello is "Hello Chiara.", nil for whom we cannot name.
func hello(f Frame, firstName string) templ.Component {
	return when(firstName != "", say(f, "common.hello", l10n.Args{"Name": l10n.Isolated(firstName)}))
}

// why is the key of the sentence that says why something is owed.
func (p OverviewPage) why() string {
	if p.Main == MainHosted {
		return "reason.part_paid"
	}
	return reasonKey(p.Reason)
}

// expected says when the bank's answer is expected.
func (p ProcessingPage) expected() templ.Component {
	if p.Until.IsZero() {
		return say(p.Frame, "processing.some_days")
	}
	return say(p.Frame, "processing.until", l10n.Args{"Day": p.Locale.Day(p.Until)})
}

// lastPaid says when the last payment arrived, nil when there was none.
func (p SettledPage) lastPaid() templ.Component {
	if len(p.Receipts) == 0 {
		return nil
	}
	return say(p.Frame, "settled.paid_on", l10n.Args{"Day": p.Locale.DayYear(p.Receipts[0].PaidOn)})
}

// retries says when the charge is tried again, nil when it is not.
func (p CardSavedPage) retries() templ.Component {
	if p.RetryOn == nil {
		return nil
	}
	return saySaid(p.Frame, *p.RetryOn)
}
