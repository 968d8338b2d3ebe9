package doctor

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sollecito/internal/config"
	"sollecito/internal/database"
	"sollecito/internal/link"
	mailroom "sollecito/internal/mail"
	"sollecito/internal/sandbox"
)

// zone is a DNS that a test writes. Names that are not in it do not exist; "silent" answers nothing at all.
type zone struct {
	txt    map[string][]string
	mx     map[string][]*net.MX
	host   map[string][]string
	silent bool
}

func (z zone) answer(found bool) error {
	if z.silent {
		return &net.DNSError{Err: "timeout", IsTimeout: true}
	}
	if !found {
		return &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	return nil
}

func (z zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	return z.txt[name], z.answer(z.txt[name] != nil)
}

func (z zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return z.mx[name], z.answer(z.mx[name] != nil)
}

func (z zone) LookupHost(_ context.Context, name string) ([]string, error) {
	return z.host[name], z.answer(z.host[name] != nil)
}

// patient is a doctor for an installation whose mail is sent from lumen.it over the given server.
func patient(t *testing.T, smtp string, dns zone) *Doctor {
	t.Helper()
	server, err := mailroom.Parse(smtp)
	if err != nil {
		t.Fatal(err)
	}
	return &Doctor{
		Config: &config.Config{
			From: mail.Address{Address: "billing@lumen.it"}, SupportEmail: "help@lumen.it", Server: server, BaseURL: "https://pay.lumen.it",
			DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "none.db"), SessionKey: config.Secret(strings.Repeat("k", 32)),
		},
		Resolver: dns, Now: func() time.Time { return now }, HTTP: http.DefaultClient,
	}
}

func TestSPF(t *testing.T) {
	t.Parallel()
	many := zone{txt: map[string][]string{"lumen.it": {"v=spf1 include:a.it include:b.it -all"}}}
	for _, name := range []string{"a.it", "b.it"} {
		many.txt[name] = []string{"v=spf1 mx a exists:x include:c.it ~all"}
	}
	many.txt["c.it"] = []string{"v=spf1 a mx ip4:192.0.2.1 -all"}
	for _, c := range []struct {
		dns    zone
		result Result
		says   string
	}{
		{zone{}, Warn, "publishes no SPF"},
		{zone{silent: true}, Skipped, "DNS does not answer"},
		{zone{txt: map[string][]string{"lumen.it": {"google-site-verification=x", "v=spf1 include:amazonses.com -all"}}}, OK, "include:amazonses.com"},
		{zone{txt: map[string][]string{"lumen.it": {"v=spf1 redirect=_spf.lumen.it"}}}, OK, "redirect"},
		{zone{txt: map[string][]string{"lumen.it": {"v=spf1 a -all", "v=spf1 mx -all"}}}, Fail, "2 SPF records"},
		{zone{txt: map[string][]string{"lumen.it": {"v=spf1 +all"}}}, Fail, "whole world"},
		{zone{txt: map[string][]string{"lumen.it": {"v=spf1 a ?all"}}}, Warn, "does not say"},
		{zone{txt: map[string][]string{"lumen.it": {"v=spf10 a -all"}}}, Warn, "publishes no SPF"},
		{many, Fail, "more than 10"},
		{zone{txt: map[string][]string{"lumen.it": {"v=spf1 include:lumen.it -all"}}}, Fail, "more than 10"}, // a record that includes itself
	} {
		d := patient(t, "smtp://email-smtp.eu-south-1.amazonaws.com:587", c.dns)
		f := d.spf(t.Context(), "lumen.it")
		expect(t, f, c.result, c.says)
		if strings.Contains(f.Says, "publishes no SPF") && !strings.Contains(f.Mend, `lumen.it. TXT "v=spf1 include:amazonses.com -all"`) {
			t.Errorf("mend: %s", f.Mend)
		}
	}
}

func TestDMARC(t *testing.T) {
	t.Parallel()
	record := func(name, text string) zone { return zone{txt: map[string][]string{name: {text}}} }
	for _, c := range []struct {
		dns    zone
		result Result
		says   string
	}{
		{zone{}, Warn, "publishes no DMARC"},
		{zone{silent: true}, Skipped, "DNS does not answer"},
		{record("_dmarc.mail.lumen.it", "v=DMARC1; p=reject"), OK, "_dmarc.mail.lumen.it says p=reject"},
		{record("_dmarc.lumen.it", "v=DMARC1; p=none; rua=mailto:a@lumen.it"), OK, "_dmarc.lumen.it watches only"},
		{record("_dmarc.lumen.it", "v=DMARC1; p=reject; pct=50"), Warn, "pct="},
		{record("_dmarc.lumen.it", "v=DMARC1; p=reject; ri=3600"), Warn, "ri="},
		{record("_dmarc.lumen.it", "v=DMARC1; rua=mailto:a@lumen.it"), Warn, "no policy"},
		{zone{txt: map[string][]string{"_dmarc.lumen.it": {"v=DMARC1; p=none", "v=DMARC1; p=reject"}}}, Fail, "2 DMARC records"},
		{record("_dmarc.it", "v=DMARC1; p=reject"), Warn, "publishes no DMARC"}, // a top-level name is nobody's
	} {
		expect(t, patient(t, "smtp://mail.lumen.it", c.dns).dmarc(t.Context(), "mail.lumen.it"), c.result, c.says)
	}
}

// The key letters are signed with is looked for in DNS, and compared.
func TestOurOwnSignatures(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := mailroom.NewSigner("mail.lumen.it", []string{"s1"}, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	const name = "s1._domainkey.mail.lumen.it"
	key := base64.StdEncoding.EncodeToString(public)
	for _, c := range []struct {
		records []string
		result  Result
		says    string
	}{
		{nil, Fail, "no key is published at " + name},
		{[]string{"v=DKIM1; k=ed25519; p=" + key}, OK, "the one letters are signed with"},
		{[]string{"k=ed25519; p=" + key[:10] + " " + key[10:]}, OK, "the one letters are signed with"},
		{[]string{"v=DKIM1; k=ed25519; p=" + strings.Repeat("A", 43) + "="}, Fail, "is another than"},
		{[]string{"v=DKIM1; k=ed25519; p=nonsense!"}, Fail, "is another than"},
		{[]string{"v=DKIM1; p="}, Fail, "was withdrawn"},
		{[]string{"v=DKIM1; p=" + key, "v=DKIM1; p=" + key}, Fail, "several keys"},
		{[]string{"v=DKIM1; t=y:s; k=ed25519; p=" + key}, Warn, "a trial"},
	} {
		d := patient(t, "smtp://mail.lumen.it", zone{txt: map[string][]string{name: c.records}})
		d.Config.Signer = signer
		r := d.signatures(t.Context(), "lumen.it")
		expect(t, r[0], c.result, c.says)
		expect(t, r[1], OK, "align")
		if c.result == Fail && c.records == nil && r[0].Mend != `publish: `+name+`. TXT "v=DKIM1; k=ed25519; p=`+key+`"` {
			t.Errorf("mend: %s", r[0].Mend)
		}
	}
	expect(t, aligned("lumen.it", "billing.lumen.it"), OK, "align")
	expect(t, aligned("provider.com", "lumen.it"), Warn, "another organisation")
	expect(t, aligned("a.co.uk", "b.co.uk"), Warn, "another organisation")
	silent := patient(t, "smtp://mail.lumen.it", zone{silent: true})
	silent.Config.Signer = signer
	expect(t, silent.signatures(t.Context(), "lumen.it")[0], Skipped, "DNS does not answer")
}

func TestDKIMAndAnswers(t *testing.T) {
	t.Parallel()
	d := patient(t, "smtp://mail.lumen.it", zone{txt: map[string][]string{"s1._domainkey.lumen.it": {"v=DKIM1; k=rsa; ", "p=MIGf"}}})
	expect(t, d.dkim(t.Context(), "lumen.it"), OK, "s1._domainkey.lumen.it")
	expect(t, patient(t, "smtp://mail.lumen.it", zone{}).dkim(t.Context(), "lumen.it"), Skipped, "look for dkim=pass")
	expect(t, patient(t, "smtp://mail.lumen.it", zone{silent: true}).dkim(t.Context(), "lumen.it"), Skipped, "DNS does not answer")

	for _, c := range []struct {
		dns    zone
		domain string
		result Result
		says   string
	}{
		{zone{mx: map[string][]*net.MX{"lumen.it": {{Host: "mx.lumen.it."}}}}, "lumen.it", OK, "at mx.lumen.it"},
		{zone{mx: map[string][]*net.MX{"lumen.it": {{Host: "."}}}}, "lumen.it", Fail, "receives no mail"},
		{zone{host: map[string][]string{"lumen.it": {"192.0.2.1"}}}, "lumen.it", Warn, "no MX"},
		{zone{}, "lumen.it", Fail, "does not exist"},
		{zone{silent: true}, "lumen.it", Skipped, "DNS does not answer"},
		{zone{}, "lumen.example", Skipped, "a name for examples"},
	} {
		expect(t, patient(t, "smtp://mail.lumen.it", c.dns).answers(t.Context(), c.domain), c.result, c.says)
	}
}

// post is a mail server; with its roots a doctor trusts it.
func post(t *testing.T) (*sandbox.Catcher, string) {
	t.Helper()
	catcher := sandbox.NewCatcher(time.Now, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go catcher.Serve(l)
	t.Cleanup(func() { catcher.Close() })
	return catcher, l.Addr().String()
}

func TestMailServer(t *testing.T) {
	t.Parallel()
	catcher, address := post(t)
	look := func(smtp string) Finding { return patient(t, smtp, zone{}).mail(t.Context())[0] }
	expect(t, look("smtp://"+address+"?starttls=never"), OK, "no login is asked for")
	expect(t, look("smtp://giulia:right@"+address+"?starttls=never"), OK, "the login is taken")
	catcher.SetFault(sandbox.Fault{Place: sandbox.FaultAuth})
	wrong := look("smtp://giulia:hunter2@" + address + "?starttls=never")
	expect(t, wrong, Fail, "refuses the login: 535")
	if strings.Contains(wrong.Says+wrong.Mend, "hunter2") {
		t.Error("the password is told")
	}
	catcher.SetFault(sandbox.Fault{Place: sandbox.FaultEHLO})
	expect(t, look("smtp://"+address), Fail, "refuses us at EHLO")
	catcher.SetFault()
	expect(t, look("smtp://127.0.0.1:1"), Fail, "connect to 127.0.0.1:1")
	if len(catcher.Mails()) != 0 {
		t.Error("a letter was sent")
	}
}

func TestMailServerWithTLS(t *testing.T) {
	t.Parallel()
	catcher := sandbox.NewCatcher(time.Now, nil)
	roots := catcher.EnableTLS()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go catcher.Serve(l)
	t.Cleanup(func() { catcher.Close() })
	d := patient(t, "smtp://giulia:right@"+l.Addr().String(), zone{})
	d.Now = time.Now
	expect(t, d.mail(t.Context())[0], Fail, "not to be trusted")
	d.Roots = roots
	r := d.mail(t.Context())
	expect(t, r[0], OK, "answers with TLS, the login is taken")
	if len(r) != 2 || !strings.Contains(r[1].Says, "the certificate of 127.0.0.1") {
		t.Errorf("%+v", r)
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 32)
	for _, c := range []struct {
		name    string
		answers http.HandlerFunc
		result  Result
		says    string
	}{
		{"another program", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<h1>It works!</h1>")) }, Fail, "not this portal"},
		{"a proxy without the portal", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, Fail, "502 Bad Gateway"},
		{"leads away", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.lumen.it/", http.StatusMovedPermanently)
		}, Fail, "leads on to https://www.lumen.it/"},
		{"another installation", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"status":"ok"}`)) }, Fail, "another session key"},
		{"a liar", func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(`{"status":"ok","arrival":{"proof":"00"}}`))
		}, Fail, "another session key"},
		{"ours", func(w http.ResponseWriter, r *http.Request) {
			nonce := r.Header.Get(link.DoctorNonce)
			if !link.Proves(r.Header.Get(link.DoctorProof), key, link.ProofOfDoctor, nonce) {
				t.Error("the doctor does not prove itself")
			}
			w.Write([]byte(`{"status":"ok","arrival":{"proof":"` + link.Proof(key, link.ProofOfPortal, nonce) + `","peer":"127.0.0.1","client":"127.0.0.1"}}`))
		}, OK, "reaches this portal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewTLSServer(c.answers)
			t.Cleanup(server.Close)
			d := patient(t, "smtp://mail.lumen.it", zone{})
			d.Config.BaseURL = server.URL
			d.HTTP = server.Client()
			d.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			r := d.address(t.Context())
			expect(t, r[0], c.result, c.says)
			if c.result != OK {
				return
			}
			says := map[string]string{}
			for _, f := range r {
				says[f.Check] += string(f.Result) + " " + f.Says + "; "
			}
			for check, want := range map[string]string{"https": "is lost on the way", "http": "no unencrypted twin", "proxies": "does not tell who calls"} {
				if !strings.Contains(says[check], want) {
					t.Errorf("%s: %s", check, says[check])
				}
			}
		})
	}
	d := patient(t, "smtp://mail.lumen.it", zone{})
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	d.Config.BaseURL = server.URL
	expect(t, d.address(t.Context())[0], Fail, "certificate that browsers refuse")
}

func TestDatabases(t *testing.T) {
	t.Parallel()
	d := patient(t, "smtp://mail.lumen.it", zone{})
	expect(t, d.database(t.Context())[0], Warn, "there is none at")
	db, err := database.Open(t.Context(), d.Config.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	expect(t, d.database(t.Context())[0], Fail, "never brought into shape")
	_, err = db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range d.database(t.Context()) {
		if f.Result == Fail {
			t.Errorf("%+v", f)
		}
	}
}
