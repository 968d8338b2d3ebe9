package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// toldFor is how long a page says what a form did, in real time: long enough to read it again after a look elsewhere, too
// short for what was true once to be taken for news.
const toldFor = 15 * time.Minute

// tellAt is the address of the page that says what a form just did. The mark in it is made with the secret of the session
// the form came in: whoever types such an address, or sends it to somebody, makes no page say anything.
func (s *Server) tellAt(path, done, session string) string {
	at := strconv.FormatInt(s.Real().Unix(), 10)
	return path + "?" + url.Values{"done": {done}, "told": {at + "." + toldMark(path, done, at, session)}}.Encode()
}

// toldIn is what a form of this session just did, as the address of the page that follows it says; "" when none did. It
// reads alone, as every GET does: a reload says it again.
func (s *Server) toldIn(r *http.Request, session string) string {
	query := r.URL.Query()
	done := query.Get("done")
	at, mark, _ := strings.Cut(query.Get("told"), ".")
	unix, err := strconv.ParseInt(at, 10, 64)
	if err != nil || session == "" || r.Method != http.MethodGet || s.Real().Sub(time.Unix(unix, 0)) > toldFor {
		return ""
	}
	if !hmac.Equal([]byte(mark), []byte(toldMark(r.URL.EscapedPath(), done, at, session))) {
		return ""
	}
	return done
}

func toldMark(path, done, at, session string) string {
	mac := hmac.New(sha256.New, []byte(session))
	mac.Write([]byte("told\n" + path + "\n" + done + "\n" + at))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// tellDesk leads to the staff page that says what a form just did.
func (s *Server) tellDesk(w http.ResponseWriter, r *http.Request, path, done string) error {
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	http.Redirect(w, r, s.tellAt(path, done, at.token), http.StatusSeeOther)
	return nil
}
