// Package jobs does what time asks: reading customers again after events, taking steps that are due, handing
// letters to the mail server, looking into charges without an answer, sweeping. Each kind of work is one
// function that does a batch and says how much it did; it may run anywhere, twice. The Runner calls them by its
// own timer or when woken.
package jobs
