package staff_test

import (
	"testing"

	"sollecito/internal/fault"
	"sollecito/internal/staff"
)

func TestPeopleAreAdministeredByOthers(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	boss, _ := h.complete(t, "boss@example.com", staff.Admin)
	p, session := h.complete(t, "ada@example.com", staff.Agent)
	by := staff.Hand{ID: boss.ID, Role: staff.Admin}
	for name, deed := range map[string]func(string) error{
		"role":    func(whom string) error { return h.SetRole(ctx, by, whom, staff.Viewer) },
		"disable": func(whom string) error { return h.Disable(ctx, by, whom) },
		"end":     func(whom string) error { return h.EndSessions(ctx, by, whom) },
		"factor":  func(whom string) error { return h.ResetFactor(ctx, by, whom) },
	} {
		if err := deed(boss.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s of oneself: %v", name, err)
		}
		if err := deed("nobody"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of nobody: %v", name, err)
		}
	}
	_, err := h.Invite(ctx, by, "boss@example.com", "", staff.Viewer)
	wantKind(t, err, fault.Forbidden)
	wantKind(t, h.SetRole(ctx, by, p.ID, "owner"), fault.Invalid)
	err = h.SetRole(ctx, by, p.ID, staff.Admin)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.BySession(ctx, session)
	wantKind(t, err, fault.SignedOut)
	// Of two administrators who demote each other, one comes too late.
	err = h.SetRole(ctx, staff.Hand{ID: p.ID, Role: staff.Admin}, boss.ID, staff.Viewer)
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, h.SetRole(ctx, by, p.ID, staff.Viewer), fault.Forbidden)
	wantKind(t, h.Disable(ctx, by, p.ID), fault.Forbidden)
}
