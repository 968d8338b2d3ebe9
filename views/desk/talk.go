package desk

import "time"

// InboxPage is the list of conversations, GET /admin/inbox with ?view=.
type InboxPage struct {
	Frame
	Waiting bool // true shows those that wait for an answer (the default), false all
	Threads []Thread
	Pager   Pager
}

// Thread is one conversation in the list.
type Thread struct {
	ID         string
	CustomerID string
	Name       string
	Excerpt    string // the beginning of the last message
	FromStaff  bool   // the last word is ours
	At         time.Time
	Waiting    bool // it waits for our answer
}

// ConversationPage is one conversation with its answer form, GET /admin/conversations/{id}. The form is
// POST /admin/conversations/{id}/reply with text.
type ConversationPage struct {
	Frame
	ID         string
	CustomerID string
	Name       string
	Email      string // where the answer goes; "" when there is no usable address: it then shows on their page only
	Language   string // the customer's, in English: "Dutch"
	State      State
	Messages   []Message // oldest first
	Resting    bool      // reminders rest because of this conversation, until it is answered
	MayReply   bool      // false for a role that only reads
	Text       string    // what was typed before, kept
	Fault      string    // what is wrong with it; "" when nothing
	Limit      int       // characters an answer may have
}

// Message is one thing said.
type Message struct {
	FromStaff bool
	Author    string // who wrote it, as colleagues know them
	Text      string
	At        time.Time
	Delivery  string   // what became of its mail, in words: "Mailed in 2 s"; "" when it needs none
	CopyURL   string   // the exact kept copy; "" for none
	NotKept   []string // what came along with it by mail, with kind and size
}
