// Package views draws the pages a customer sees. The doors hand it plain page structs in which everything is
// decided already: what is owed, which button leads on, which sentence says why. Here those structs become HTML,
// and money, days and words become the reader's own through the locale each page carries. It is a room of its own
// so that a page can be read, tested and looked at without a server, a database or a payment processor.
//
// One page is one struct and one templ: OverviewPage is drawn by Overview. Every address in a form is an absolute
// path, every change of state is a POST, and no page needs JavaScript except to hold the card fields.
package views
