package web

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzStopForm holds the reading of what any mail program posts: it never fails, and says One-Click only of what does.
func FuzzStopForm(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click")
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n")
	f.Add("multipart/form-data", "--b--")
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"; filename=\"x\"\r\n\r\nOne-Click\r\n--b--\r\n")
	f.Add("", "%zz&step=yes;")
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequest("POST", "/pay/stop/x", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		form := stopForm(httptest.NewRecorder(), r)
		said := form.Get("List-Unsubscribe")
		if strings.EqualFold(said, "One-Click") && !strings.Contains(strings.ToLower(body), "one") && !strings.Contains(body, "%") {
			t.Errorf("%q read out of %q", said, body)
		}
	})
}
