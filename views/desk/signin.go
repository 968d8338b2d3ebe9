package desk

import "time"

// SignInPage is the page where staff enter. Its form is POST /admin/signin with email, password and back.
type SignInPage struct {
	Frame
	Email string // what was typed before, kept
	Back  string // where to go after signing in, an absolute path of ours; "" for the list of cases

	// Refused is true after a wrong address or password: one sentence for both, so nobody learns which exists.
	Refused bool

	// Wait is how long the next try must wait, drawn as a note in whole seconds or minutes; 0 for none.
	Wait time.Duration
}

// EnrolPage is the page behind a one-use enrolment address: the new colleague chooses a name and a password. Its form
// is POST to Action with name and password.
type EnrolPage struct {
	Frame
	Action  string // the page's own address, /admin/enrol/{token}
	Email   string // whose account it becomes
	Role    string
	Name    string  // what was typed before, kept; a password never is
	Minimum int     // characters a password must have
	Faults  []Fault // at "name", "password"; at "" for the form as a whole

	// Dead is true when the address was used before, has passed its time or never existed; the page then holds no
	// form and says how to get a new one.
	Dead bool
}

// ProblemPage is the page for everything that could not be done: nothing there, not allowed, too often, our mistake.
type ProblemPage struct {
	Frame
	Status    int    // the HTTP status it goes out with
	Title     string // "" takes the usual one for the status
	Sentence  string // what to do now; "" takes the usual one for the status
	RequestID string // what to quote when asking; "" for none
	Back      string // an absolute path; "" leads to the list of cases, or to signing in when nobody is signed in
}
