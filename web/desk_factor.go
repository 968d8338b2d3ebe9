package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"sollecito/internal/fault"
	"sollecito/internal/staff"
	"sollecito/views/desk"
)

func (s *Server) showCode(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	query := r.URL.Query()
	back := safeBack(query.Get("back"))
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	if at.Standing != staff.Half || !at.Factor {
		http.Redirect(w, r, further(at, back), http.StatusSeeOther)
		return nil
	}
	s.show(w, r, http.StatusOK, desk.Code(desk.CodePage{Frame: s.deskFrame(r), Back: back, Recovery: query.Get("by") == "recovery"}))
	return nil
}

func (s *Server) enterCode(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	p := desk.CodePage{Frame: s.deskFrame(r), Back: safeBack(r.PostFormValue("back")), Recovery: r.PostFormValue("by") == "recovery"}
	at, err := s.seatOf(r)
	if fault.Is(err, fault.SignedOut) || err == nil && at.Standing != staff.Half {
		// A second press, or too late: the sign-in page knows where to go on.
		http.Redirect(w, r, "/admin/signin?back="+escape(deskPath(p.Back)), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	err = s.withinSignIns(r)
	if err != nil {
		return err
	}
	entry, err := s.Members.EnterCode(r.Context(), at.token, r.PostFormValue("code"), s.callerOf(r))
	if fault.Is(err, fault.SignedOut) { // the first of two presses came in meanwhile
		http.Redirect(w, r, "/admin/signin?back="+escape(deskPath(p.Back)), http.StatusSeeOther)
		return nil
	}
	code, drawn := notTaken(w, err, &p.Fault, &p.Wait)
	if drawn {
		s.show(w, r, code, desk.Code(p))
		return nil
	}
	if err != nil {
		return err
	}
	s.enter(w, entry)
	http.Redirect(w, r, deskPath(p.Back), http.StatusSeeOther)
	return nil
}

// enter hands the browser what a session that came further in is called from now on.
func (s *Server) enter(w http.ResponseWriter, entry staff.Entry) {
	s.setStaffCookie(w, entry.Token)
	s.setDeviceCookie(w, entry.Device)
}

// safeBack is a way back of ours, "" when none was asked for.
func safeBack(back string) string {
	if back == "" {
		return ""
	}
	return deskPath(back)
}

// notTaken tells a try that was not taken on the page that asked for it, and answers the page's status. drawn is false
// for every other error and none.
func notTaken(w http.ResponseWriter, err error, said *string, wait *time.Duration) (status int, drawn bool) {
	var later *staff.TryLater
	switch {
	case errors.As(err, &later):
		*wait = later.Wait
		w.Header().Set("Retry-After", strconv.Itoa(int(later.Wait.Seconds())+1))
		return http.StatusTooManyRequests, true
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.Conflict):
		*said = fault.MessageOf(err) + "."
		return http.StatusUnprocessableEntity, true
	}
	return 0, false
}

func (s *Server) showFactor(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	back := safeBack(r.URL.Query().Get("back"))
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	if at.Standing == staff.Full && !at.Fresh {
		http.Redirect(w, r, "/admin/confirm?back="+escape("/admin/factor"), http.StatusSeeOther)
		return nil
	}
	if at.Standing == staff.Keeping || at.Standing == staff.Half && at.Factor {
		http.Redirect(w, r, further(at, back), http.StatusSeeOther)
		return nil
	}
	p, err := s.factorPage(r, at, back)
	if err != nil {
		return err
	}
	s.show(w, r, http.StatusOK, desk.Factor(p))
	return nil
}

func (s *Server) factorPage(r *http.Request, at seat, back string) (desk.FactorPage, error) {
	seed, err := s.Members.StartFactor(r.Context(), at.token, s.Merchant.Name)
	if err != nil {
		return desk.FactorPage{}, err
	}
	p := desk.FactorPage{Frame: s.deskFrame(r), Back: back, Email: at.Email, URI: seed.URI, Secret: seed.Secret, Change: at.Factor}
	p.QR, err = drawQR(seed.URI)
	return p, err
}

// quiet is the margin a QR code has around it, in modules (ISO/IEC 18004).
const quiet = 4

// drawQR turns words into the square of a QR code. Runs of dark modules in a row are one stroke of the path.
func drawQR(words string) (desk.QR, error) {
	code, err := qr.Encode(words, qr.M, qr.Auto)
	if err != nil {
		return desk.QR{}, err
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			n := 0
			for x+n < size && dark(code, x+n, y) {
				n++
			}
			if n > 0 {
				path.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h" + strconv.Itoa(n) + "v1h-" + strconv.Itoa(n) + "z")
				x += n
			}
		}
	}
	return desk.QR{Size: size + 2*quiet, Path: path.String()}, nil
}

func dark(code barcode.Barcode, x, y int) bool {
	r, _, _, _ := code.At(x, y).RGBA()
	return r == 0
}

func (s *Server) finishFactor(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	back := safeBack(r.PostFormValue("back"))
	door := "/admin/signin?back=" + escape(deskPath(back))
	at, err := s.seatOf(r)
	if fault.Is(err, fault.SignedOut) { // a second press: the sign-in page knows where to go on
		http.Redirect(w, r, door, http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	if at.Standing == staff.Keeping || at.Standing == staff.Half && at.Factor || at.Standing == staff.Full && !at.Fresh {
		// A second press, set up elsewhere meanwhile, or too long ago: the page itself knows where to go on.
		http.Redirect(w, r, "/admin/factor", http.StatusSeeOther)
		return nil
	}
	err = s.withinSignIns(r)
	if err != nil {
		return err
	}
	entry, err := s.Members.FinishFactor(r.Context(), at.token, r.PostFormValue("code"), s.callerOf(r))
	if fault.Is(err, fault.SignedOut) { // the first of two presses came in meanwhile
		http.Redirect(w, r, door, http.StatusSeeOther)
		return nil
	}
	var said string
	var wait time.Duration
	code, drawn := notTaken(w, err, &said, &wait)
	if drawn {
		p, pageErr := s.factorPage(r, at, back)
		if pageErr != nil {
			return pageErr
		}
		p.Fault, p.Wait = said, wait
		s.show(w, r, code, desk.Factor(p))
		return nil
	}
	if err != nil {
		return err
	}
	s.Wake()
	s.enter(w, entry)
	to := "/admin/factor/codes"
	if back != "" {
		to += "?back=" + escape(back)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (s *Server) showCodes(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	return s.drawCodes(w, r, http.StatusOK, safeBack(r.URL.Query().Get("back")), "")
}

func (s *Server) drawCodes(w http.ResponseWriter, r *http.Request, code int, back, missing string) error {
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	if at.Standing != staff.Keeping {
		http.Redirect(w, r, further(at, back), http.StatusSeeOther)
		return nil
	}
	codes, err := s.Members.Codes(r.Context(), at.token)
	if err != nil {
		return err
	}
	s.show(w, r, code, desk.Codes(desk.CodesPage{Frame: s.deskFrame(r), Back: back, Codes: codes, Fault: missing}))
	return nil
}

func (s *Server) keepCodes(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	back := safeBack(r.PostFormValue("back"))
	if r.PostFormValue("kept") == "" {
		return s.drawCodes(w, r, http.StatusUnprocessableEntity, back, "Say that you have kept them: they are not shown again.")
	}
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	entry, err := s.Members.KeepCodes(r.Context(), at.token, s.callerOf(r))
	if err != nil {
		return err
	}
	if entry.Token != "" {
		s.enter(w, entry)
		at.token = entry.Token
	}
	if back == "" {
		back = s.tellAt("/admin", "kept", at.token)
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

func (s *Server) showConfirm(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	p := s.confirmPage(r, "/admin/confirm")
	p.Kept = []desk.Field{{Name: "back", Value: deskPath(r.URL.Query().Get("back"))}}
	s.show(w, r, http.StatusOK, desk.Confirm(p))
	return nil
}

func (s *Server) confirmPage(r *http.Request, action string) desk.ConfirmPage {
	return desk.ConfirmPage{Frame: s.deskFrame(r), Action: action}
}

func (s *Server) confirm(w http.ResponseWriter, r *http.Request, _ staff.Member) error {
	at, err := s.seatOf(r)
	if err != nil {
		return err
	}
	back := deskPath(r.PostFormValue("back"))
	p := s.confirmPage(r, "/admin/confirm")
	p.Kept = []desk.Field{{Name: "back", Value: back}}
	_, sure, err := s.prove(w, r, at, p)
	if err != nil || !sure {
		return err
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// makeSure asks for both factors before something that must not be done in somebody's name. A page is asked for first
// and led back to; a form that was sent is kept, passwords left out, and goes on once both factors came with it.
func (s *Server) makeSure(w http.ResponseWriter, r *http.Request, at seat) (seat, bool, error) {
	if r.Method != http.MethodPost {
		http.Redirect(w, r, "/admin/confirm?back="+escape(r.URL.RequestURI()), http.StatusSeeOther)
		return at, false, nil
	}
	p := s.confirmPage(r, r.URL.EscapedPath()) // as it was asked for: decoded, an id with slashes would name another
	p.Sent = true
	for name, values := range r.PostForm {
		if name == "password" || strings.HasPrefix(name, "confirm_") {
			continue
		}
		for _, value := range values {
			p.Kept = append(p.Kept, desk.Field{Name: name, Value: value})
		}
	}
	if r.PostForm.Has("confirm_code") {
		return s.prove(w, r, at, p)
	}
	s.show(w, r, http.StatusOK, desk.Confirm(p))
	return at, false, nil
}

// prove takes password and code from the form; sure is false when a page that asks again was drawn.
func (s *Server) prove(w http.ResponseWriter, r *http.Request, at seat, p desk.ConfirmPage) (seat, bool, error) {
	err := s.withinSignIns(r)
	if err != nil {
		return at, false, err
	}
	entry, err := s.Members.Confirm(r.Context(), at.token, r.PostFormValue("confirm_password"), r.PostFormValue("confirm_code"), s.callerOf(r))
	code, drawn := notTaken(w, err, &p.Fault, &p.Wait)
	if drawn {
		s.show(w, r, code, desk.Confirm(p))
		return at, false, nil
	}
	if err != nil {
		return at, false, err
	}
	s.enter(w, entry)
	at.token, at.Fresh = entry.Token, true
	return at, true, nil
}
