package gateway_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sollecito/internal/gateway"
)

// What the operator is told to click together at Stripe is what the gateway asks for, no more and no less.
func TestTheDocumentsNameOurPermissionsAndEvents(t *testing.T) {
	t.Parallel()
	read, err := os.ReadFile("../../docs/going-live.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(read)
	var table strings.Builder
	fmt.Fprint(&table, "| Permission | Level | What it is for |\n|---|---|---|\n")
	for _, need := range gateway.Needs {
		fmt.Fprintf(&table, "| %s | %s | %s |\n", need.Resource, need.Level, need.For)
	}
	if !strings.Contains(text, table.String()+"\n") {
		t.Errorf("docs/going-live.md lists other permissions than\n%s", &table)
	}
	_, rest, _ := strings.Cut(text, "that version, and\n\n```\n")
	list, _, _ := strings.Cut(rest, "```")
	events := strings.Fields(list)
	if !slices.Equal(events, gateway.ListenTo) {
		t.Errorf("docs/going-live.md lists the events %q", events)
	}
	checklist, err := os.ReadFile("../../docs/stripe-sandbox-checklist.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(checklist), fmt.Sprintf("version %s, %d events", gateway.APIVersion, len(gateway.ListenTo))) {
		t.Error("docs/stripe-sandbox-checklist.md expects another endpoint than ours")
	}
}
