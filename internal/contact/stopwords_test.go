package contact

import "testing"

// Every word we know for it is understood as it stands, and an e-mail is one in each of its spellings.
func TestEachOfTheStopWordsIsUnderstood(t *testing.T) {
	t.Parallel()
	for _, words := range append([]string{
		"Stop the mails", "No more mails", "Keine Mails mehr", "plus de mails", "Plus d’emails", "Plus d'e-mails", "Do not e-mail me", "Don’t e-mail me", "Please stop e-mailing me",
		"Stop e-mails", "Stop E-Mails!", "Stop sending me e-mails", "Basta e-mail", "Geen e-mails meer", "Keine weiteren E-Mails",
	}, stopWords...) {
		if !AsksToStop(words) {
			t.Errorf("%q is not understood", words)
		}
	}
	for _, words := range []string{"I will stop by the bank", "cancel", "more mails", "mails", "e-mail", "Please e-mail me", "Mail me the invoice", "Stop mail fraud"} {
		if AsksToStop(words) {
			t.Errorf("%q is taken for it", words)
		}
	}
}
