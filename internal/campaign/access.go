package campaign

// Access is what the merchant's app should allow.
type Access string

const (
	Full       Access = "full"
	Grace      Access = "grace"
	Restricted Access = "restricted"
	Suspended  Access = "suspended"
)

// Tighter reports whether a allows less than b.
func (a Access) Tighter(b Access) bool {
	rank := map[Access]int{Full: 1, Grace: 2, Restricted: 3, Suspended: 4} // "" allows what there was
	return rank[a] > rank[b]
}
