// Package jobs does the work that time brings: reading customers again after events, taking steps that are due, handing
// letters to the mail server, looking into charges without an answer, sweeping. tasks.go is the table of it. Each task is a
// function that does one batch and says how much it did; it may run anywhere, and twice. The Runner calls them by its own
// timer, or when woken.
package jobs
