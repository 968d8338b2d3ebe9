package views

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"sollecito/internal/browsertest"
	"sollecito/internal/sandbox"
	"sollecito/static"
)

func TestZZSandbox(t *testing.T) {
	sb := sandbox.New(sandbox.Options{Now: time.Now})
	t.Cleanup(sb.Close)
	home := httptest.NewServer(sb.Handler())
	t.Cleanup(home.Close)
	sb.SetPublicURL(home.URL)
	assets, err := static.New()
	noError(t, err)
	f := frameFor(catalog(t), "it", assets.Path)
	f.StripeJS, f.PublishableKey = home.URL+"/v3/", sb.PublishableKey()
	page := CardPage{Frame: f, Invoices: []Invoice{november()}, Currency: "eur", Methods: []string{"card"}, Attempt: "att_1", ReturnURL: "http://127.0.0.1/pay/card/finish", Hosted: "in_3"}
	var sent []string
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, assets)
	mux.HandleFunc("POST /pay/card/intent", func(w http.ResponseWriter, r *http.Request) {
		q, _ := http.NewRequest("POST", home.URL+"/v1/setup_intents", strings.NewReader(url.Values{"payment_method_types[]": {"card"}, "usage": {"off_session"}}.Encode()))
		q.Header.Set("Authorization", "Bearer "+sb.SecretKey())
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Error(err)
			return
		}
		b, _ := io.ReadAll(a.Body)
		t.Log(a.Status, string(b))
		w.WriteHeader(a.StatusCode)
		w.Write(b)
	})
	mux.HandleFunc("POST /pay/card", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		sent = append(sent, r.PostForm.Encode())
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<p id=landed>x`)
	})
	mux.HandleFunc("GET /pay/card", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", strings.ReplaceAll("default-src 'none'; script-src 'self' 'nonce-"+f.Nonce+"' {h}; style-src 'self'; img-src 'self'; connect-src 'self' {h}; frame-src {h}; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'", "{h}", home.URL))
		Card(page).Render(r.Context(), w)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	ctx := browsertest.Start(t)
	complaints, err := browsertest.Complaints(ctx)
	noError(t, err)
	do(t, ctx, chromedp.EmulateViewport(360, 1000))
	shot := func(name string) {
		b, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		noError(t, err)
		os.WriteFile("/tmp/pv/"+name+".png", b, 0o644)
	}
	_ = emulation.SetEmulatedMedia
	for _, number := range []string{"4242424242424242", "4000000000003220", "4000000000000002"} {
		do(t, ctx, chromedp.Navigate(srv.URL+"/pay/card"))
		poll[bool](t, ctx, `!document.querySelector('.main-act').hidden`)
		noError(t, browsertest.FillCard(ctx, number, "12/34", "123"))
		if number[1] == '2' {
			shot("sandbox-card")
		}
		do(t, ctx, chromedp.Click(chromedp.CSS(".main-act")))
		time.Sleep(2 * time.Second)
		dbg, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + ' ' + document.body.innerText.slice(0,300)`))
		t.Log(dbg, sent, complaints())
		shot("dbg")
		switch number {
		case "4000000000000002":
			t.Log(poll[string](t, ctx, toldFault))
			shot("sandbox-declined")
			continue
		case "4000000000003220":
			shot("sandbox-bank")
			noError(t, browsertest.AnswerBank(ctx, true))
		}
		do(t, ctx, chromedp.WaitReady(chromedp.CSS("#landed")))
	}
	t.Log(sent, complaints())
}
