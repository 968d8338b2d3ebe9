package campaign

// Access is what the merchant's app should allow.
type Access string

// From the most to the least; what each means in the app is the merchant's to say.
const (
	Full       Access = "full"       // nothing is overdue
	Grace      Access = "grace"      // something is, and nothing is taken away yet
	Restricted Access = "restricted" // an announced consequence took place
	Suspended  Access = "suspended"  // the same, to the end
)

var accesses = []Access{Full, Grace, Restricted, Suspended}

// Tighter reports whether a allows less than b.
func (a Access) Tighter(b Access) bool {
	rank := map[Access]int{Full: 1, Grace: 2, Restricted: 3, Suspended: 4} // "" allows what there was
	return rank[a] > rank[b]
}
