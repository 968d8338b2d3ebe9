// Package fault names the kinds of failure a person may be told of. A room that refuses something returns an
// Error of one of these kinds; the doors turn the kind into a status and a page (web) or tell its sentence
// (the commands). Everything else is an internal failure: logged in full, told to nobody in detail.
package fault
