package desk

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"sollecito/internal/browsertest"
	"sollecito/static"
)

// keys are a page with a key just made, one with a long name and one that has ended, and the page that asks whether one is to
// end.
func keys(t *testing.T) (made, ending KeysPage) {
	made = KeysPage{Frame: frame(t), Made: &MadeKey{Name: "Web app", Secret: "sol_" + strings.Repeat("kq7z", 13)}, Keys: []APIKey{
		{ID: "key_3", Name: "Web app", Beginning: "sol_kq7zkq", MadeBy: "Ines Ferrer", MadeAt: now},
		{ID: "key_2", Name: "The synchronisation of customers and invoices with our CRM", Beginning: "sol_h2w4vb", MadeBy: "samir.haddad@lumen.example", MadeAt: at(9, 3, 9, 12), UsedAt: now},
		{ID: "key_1", Name: hostile, Beginning: "sol_a5n3xe", MadeBy: "Ines Ferrer", MadeAt: at(1, 7, 11, 30), UsedAt: at(10, 28, 16, 5), EndedBy: "Samir Haddad", EndedAt: at(10, 28, 16, 9)},
	}}
	made.Nav, made.Staff.Role = NavKeys, "admin"
	ending = made
	ending.Made, ending.Ending = nil, &made.Keys[1]
	return made, ending
}

// The page is whole on a phone and on a desk, in light and in dark, with much on it and with nothing.
func TestThePageOfKeysIsWholeOnEveryScreen(t *testing.T) {
	ctx := browsertest.Start(t)
	assets, err := static.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	made, ending := keys(t)
	pages := map[string]KeysPage{"made": made, "ending": ending, "none": {Frame: made.Frame}}
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, assets)
	mux.HandleFunc("GET /admin/{page}", func(w http.ResponseWriter, r *http.Request) {
		p := pages[r.PathValue("page")]
		p.Asset = assets.Path
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = Keys(p).Render(r.Context(), w)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for name := range pages {
		for _, form := range browsertest.Forms() {
			err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/admin/"+name))
			if err != nil {
				t.Fatal(err)
			}
			faults, err := browsertest.Faults(ctx, form, "en")
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range faults {
				t.Errorf("%s, %s: %s", name, form, fault)
			}
			if *preview == "" {
				continue
			}
			png, err := browsertest.Picture(ctx, form)
			if err == nil {
				err = os.WriteFile(filepath.Join(*preview, "keys-"+name+"-"+strings.ReplaceAll(form.String(), " ", "-")+".png"), png, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
