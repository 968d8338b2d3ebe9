package database_test

import (
	"slices"
	"testing"

	"sollecito/internal/database"
)

// Ids of one program sort in the order they were made, however fast they are.
func TestIDsSortAsTheyWereMade(t *testing.T) {
	t.Parallel()
	made := make([]string, 20_000)
	for i := range made {
		made[i] = database.NewID("x")
	}
	if !slices.IsSorted(made) || len(slices.Compact(made)) != 20_000 || len(made[0]) != len("x_")+26 {
		t.Errorf("ids are not in the order they were made, or not all different: %v", made[:5])
	}
}
