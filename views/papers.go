package views

// PapersPage asks for a code before it opens what holds the reader's address. GET /pay/papers, with pdf for the one
// invoice that was asked for. POST /pay/papers/code sends the code; POST /pay/papers with the field code opens them for
// the rest of the session.
type PapersPage struct {
	Frame
	PDF  *Invoice // nil for older receipts
	Open bool     // a code was typed already
	Code CodeEntry
}
