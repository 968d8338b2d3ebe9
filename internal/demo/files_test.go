package demo

import (
	commandline "flag"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

var files = commandline.String("html", "", "folder that gets the page of every situation as a file")

// TestSituationsAsFiles writes what a validator is asked about: the page of every situation as the portal sends it, in a
// language from the left and one from the right.
func TestSituationsAsFiles(t *testing.T) {
	if *files == "" {
		t.Skip("-html names no folder")
	}
	v := stageFor(t, Options{})
	for _, s := range v.situations() {
		for _, tag := range []string{"en", "ar"} {
			err := os.WriteFile(filepath.Join(*files, "situation."+tag+"."+s.Name+".html"), v.pageOf(s, tag), 0o644)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// pageOf is the page of a situation in a language.
func (v *outsider) pageOf(s stateEntry, language string) []byte {
	v.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		v.t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	send := func(method, address string, fields url.Values) (at string, page []byte) {
		req, err := http.NewRequest(method, address, strings.NewReader(fields.Encode()))
		if err != nil {
			v.t.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		resp, err := client.Do(req)
		if err != nil {
			v.t.Fatal(err)
		}
		defer resp.Body.Close()
		page, err = io.ReadAll(resp.Body)
		if err != nil {
			v.t.Fatal(err)
		}
		return resp.Request.URL.String(), page
	}
	at, _ := send(s.Method, s.Address, nil)
	send(http.MethodPost, v.base+"/pay/language", url.Values{"lang": {language}, "back": {"/pay/link"}})
	_, page := send(http.MethodGet, at, nil)
	for range s.Presses {
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(page)))
		if err != nil {
			v.t.Fatal(err)
		}
		form := doc.Find("main .main-act").First().Closest("form")
		fields := url.Values{}
		form.Find("input[name]").Each(func(_ int, in *goquery.Selection) {
			if in.AttrOr("type", "") != "radio" || in.Is("[checked]") {
				fields.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
			}
		})
		_, page = send(strings.ToUpper(form.AttrOr("method", "")), v.base+form.AttrOr("action", ""), fields)
	}
	return page
}
