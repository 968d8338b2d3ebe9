package stage

// StatesPage lists every situation a customer's page can be met in, GET /demo/states. Going there is GET
// /demo/states/{name}, or POST where something has to happen first.
type StatesPage struct {
	Frame
	Groups []StateGroup
}

// StateGroup is situations of a kind.
type StateGroup struct {
	Title  string
	States []State
}

// State is one situation.
type State struct {
	Name    string // in the address
	Title   string
	See     string // what one sees there
	Whose   string // the customer; "" for nobody's page
	Presses int    // how often the main button has to be pressed there first
	Button  string // what happens first; "" when nothing has to
}

func (s State) path() string { return "/demo/states/" + s.Name }

// thenPress says how often to press, "" when the page is there at once.
func (s State) thenPress() string {
	switch s.Presses {
	case 0:
		return ""
	case 1:
		return "Then press the button once."
	}
	return "Then press the button twice."
}
