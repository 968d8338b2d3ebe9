package desk

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"sollecito/internal/billing"
	"sollecito/internal/browsertest"
	"sollecito/static"
)

// However long a figure is written, it stands on one line in its tile and is not cut off, in every width a desk may have.
func TestALongFigureStandsOnOneLine(t *testing.T) {
	ctx := browsertest.Start(t)
	assets, err := static.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, sum := range []billing.Money{
		eur(2900), eur(123456789), {Minor: 123456700, Currency: "mxn"}, {Minor: 123456789000, Currency: "idr"}, {Minor: 123456789000, Currency: "chf"}, {Minor: 12345678901200, Currency: "chf"},
	} {
		p := today(t)
		p.Asset = assets.Path
		p.Tiles[1].Money, p.Tiles[2].Money = []billing.Money{sum, jpy(100)}, []billing.Money{sum}
		mux := http.NewServeMux()
		mux.Handle("GET "+static.Prefix, assets)
		mux.HandleFunc("GET /admin", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_ = Today(p).Render(r.Context(), w)
		})
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		for _, width := range []int64{320, 360, 480, 768, 1000, 1280} {
			err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800), chromedp.Navigate(server.URL+"/admin"))
			if err != nil {
				t.Fatal(err)
			}
			cramped, err := browsertest.Cramped(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cramped {
				t.Errorf("%d wide: %s", width, c)
			}
			cut, err := chromedp.Run(ctx, chromedp.Evaluate[int](cutOff))
			if err != nil {
				t.Fatal(err)
			}
			if cut > 0 {
				t.Errorf("%d wide: %d figures reach over the edge of their tile, among them %s", width, cut, money(p.Frame, sum))
			}
		}
	}
}

const cutOff = `[...document.querySelectorAll('.tile bdi')].filter((f) => f.getBoundingClientRect().right > f.closest('.tile').getBoundingClientRect().right ||
	f.getBoundingClientRect().right > f.closest('.tiles').getBoundingClientRect().right).length`
