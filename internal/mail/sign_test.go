package mail

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// keyPair is an RSA and an Ed25519 key, as a file of both.
func keyPair(t testing.TB) string {
	t.Helper()
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, young, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pkcs8(t, long) + pkcs8(t, young)
}

func pkcs8(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// dns answers what the signer would have published.
func dns(s *Signer) func(string) ([]string, error) {
	return func(name string) ([]string, error) {
		for _, r := range s.Records() {
			if r.Name == name {
				return []string{r.Text}, nil
			}
		}
		return nil, fmt.Errorf("nothing at %s", name)
	}
}

func verify(t testing.TB, s *Signer, message []byte) (good int, faults []error) {
	t.Helper()
	found, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{LookupTXT: dns(s)})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		if v.Err != nil {
			faults = append(faults, v.Err)
			continue
		}
		good++
	}
	return good, faults
}

// What a real server received, dot-stuffing and all, carries both signatures; nothing that matters can be changed on
// the way, and nothing put before it.
func TestASignedLetterArrivesWhole(t *testing.T) {
	t.Parallel()
	signer, err := NewSigner("Lumen.example", []string{"s2026", "e2026"}, keyPair(t))
	if err != nil {
		t.Fatal(err)
	}
	l := sample()
	l.Text = "Hello,\n.\n..a line of dots\n\n  spaces \n€29.00 are open\n\n\n"
	l.HTML = "<p>" + strings.Repeat("wide ", 400) + "€29.00</p>"
	l.Headers = map[string]string{"List-Unsubscribe": "<https://pay.lumen.example/pay/stop/x>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
	post, err := Pack(nil, l)
	if err != nil {
		t.Fatal(err)
	}
	post, err = signer.Sign(post)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(post.Bytes()), "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	server := startFaultServer(t, nil)
	pool := NewPool(server.address("smtp", "", "?starttls=never"), 1)
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Hand(context.Background(), post)
	if err != nil {
		t.Fatal(err)
	}
	pool.Release(conn)
	_ = pool.Close()
	_, accepted, _ := server.history()
	if len(accepted) != 1 {
		t.Fatalf("%d letters arrived", len(accepted))
	}
	arrived := accepted[0]
	good, faults := verify(t, signer, []byte(arrived))
	if good != 2 || len(faults) > 0 {
		t.Fatalf("%d signatures hold, %v\n%s", good, faults, arrived)
	}
	for name, change := range map[string]func(string) string{
		"the sum":            func(m string) string { return strings.ReplaceAll(m, "29.00", "92.00") },
		"the subject":        func(m string) string { return strings.Replace(m, "\r\nSubject: ", "\r\nSubject: Re: ", 1) },
		"the sender":         func(m string) string { return strings.Replace(m, "\r\nFrom: ", "\r\nFrom: Not ", 1) },
		"the date":           func(m string) string { return strings.Replace(m, "\r\nDate: ", "\r\nDate: Mon, ", 1) },
		"the Message-ID":     func(m string) string { return strings.Replace(m, "\r\nMessage-ID: <", "\r\nMessage-ID: <x", 1) },
		"a second sender":    func(m string) string { return "From: <evil@example.com>\r\n" + m },
		"a second subject":   func(m string) string { return "Subject: another\r\n" + m },
		"the way to stop":    func(m string) string { return strings.Replace(m, "/pay/stop/x", "/pay/stop/y", 1) },
		"where answers go":   func(m string) string { return "Reply-To: <evil@example.com>\r\n" + m },
		"a copy's reader":    func(m string) string { return "Cc: <evil@example.com>\r\n" + m },
		"who sent it for us": func(m string) string { return "Sender: <evil@example.com>\r\n" + m },
		"a second id":        func(m string) string { return "Message-ID: <other@lumen.example>\r\n" + m },
		"what it answers":    func(m string) string { return "In-Reply-To: <other@lumen.example>\r\n" + m },
		"its thread":         func(m string) string { return "References: <other@lumen.example>\r\n" + m },
		"a second encoding":  func(m string) string { return "Content-Transfer-Encoding: base64\r\n" + m },
		"another way to stop": func(m string) string {
			return "List-Unsubscribe: <https://evil.example/>\r\n" + m
		},
		"a list":             func(m string) string { return "List-Id: <list.example.com>\r\n" + m },
		"what kind it is of": func(m string) string { return strings.Replace(m, "multipart/alternative", "multipart/mixed", 1) },
	} {
		changed := change(arrived)
		if changed == arrived {
			t.Errorf("%s: nothing was changed", name)
			continue
		}
		good, _ := verify(t, signer, []byte(changed))
		if good != 0 {
			t.Errorf("%s: %d signatures still hold", name, good)
		}
	}
	unhurt := strings.Replace("X-Relay: one more\r\n"+arrived, "multipart/alternative;\r\n boundary", "multipart/alternative;\r\n\t boundary", 1)
	good, faults = verify(t, signer, []byte(unhurt))
	if good != 2 {
		t.Errorf("what relays may do breaks the signature: %v", faults)
	}
	thirdParty(t, signer, arrived)
}

// thirdParty asks dkimpy where it is installed.
func thirdParty(t *testing.T, signer *Signer, message string) {
	t.Helper()
	const python = "/usr/bin/python3" // the one that packages of the system belong to
	err := exec.Command(python, "-c", "import dkim, nacl").Run()
	if err != nil {
		t.Log("python3-dkim is not installed, so nobody else is asked")
		return
	}
	folder := t.TempDir()
	err = os.WriteFile(filepath.Join(folder, "m.eml"), []byte(message), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var records strings.Builder
	for _, r := range signer.Records() {
		fmt.Fprintf(&records, "%q: %q,\n", r.Name+".", r.Text)
	}
	const ask = `
import dkim, sys
records = {%s}
message = open(sys.argv[1], 'rb').read()
dns = lambda name, timeout=5: records.get(name.decode() if isinstance(name, bytes) else name, '').encode()
both = [dkim.DKIM(message).verify(i, dnsfunc=dns) for i in (0, 1)]
sys.exit(0 if both == [True, True] else 'signatures hold: %%s' %% both)`
	out, err := exec.Command(python, "-c", fmt.Sprintf(ask, records.String()), filepath.Join(folder, "m.eml")).CombinedOutput()
	if err != nil {
		t.Errorf("dkimpy: %v %s", err, out)
	}
}

func TestKeysThatCannotSign(t *testing.T) {
	t.Parallel()
	both := keyPair(t)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, domain, key string
		selectors         []string
		says              string // "" for what is taken
	}{
		{"both", "lumen.example", both, []string{"a", "b"}, ""},
		{"as variables spell lines", "lumen.example", strings.ReplaceAll(both, "\n", `\n`), []string{"a", "b"}, ""},
		{"PKCS #1", "lumen.example", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(short)})), []string{"a"}, ""},
		{"no domain", "lumen", both, []string{"a", "b"}, "no domain"},
		{"a domain that breaks out", "lumen.example;x=1", both, []string{"a", "b"}, "no domain"},
		{"a selector that breaks out", "lumen.example", both, []string{"a; d=evil.example", "b"}, "no selector"},
		{"one selector", "lumen.example", both, []string{"a"}, "more keys than selectors"},
		{"three selectors", "lumen.example", both, []string{"a", "b", "c"}, "3 selectors for 2 keys"},
		{"nothing", "lumen.example", "secret", []string{"a"}, "no private key in PEM"},
		{"half", "lumen.example", both[:len(both)/3], []string{"a"}, "no private key in PEM"},
		{"damaged", "lumen.example", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})), []string{"a"}, "cannot be read"},
		{"with a password", "lumen.example", string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})), []string{"a"}, "without a password"},
		{"the public half", "lumen.example", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})), []string{"a"}, "no private key"},
		{"more behind it", "lumen.example", both + "x", []string{"a", "b"}, "behind the last key"},
	} {
		_, err := NewSigner(c.domain, c.selectors, c.key)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	var none *Signer
	post, err := Pack(nil, sample())
	if err != nil {
		t.Fatal(err)
	}
	same, err := none.Sign(post)
	if err != nil || !bytes.Equal(same.Bytes(), post.Bytes()) || none.On() || none.Records() != nil {
		t.Error("nobody's signature is on the letter")
	}
}

// What a signature costs, for a letter of the usual size.
func BenchmarkSign(b *testing.B) {
	keys := keyPair(b)
	end := strings.Index(keys, "-----END PRIVATE KEY-----\n") + len("-----END PRIVATE KEY-----\n")
	l := sample()
	l.HTML = strings.Repeat("<p>twenty thousand bytes</p>\n", 700)
	post, err := Pack(nil, l)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name, keys string
		selectors  []string
	}{{"rsa2048", keys[:end], []string{"a"}}, {"ed25519", keys[end:], []string{"a"}}, {"both", keys, []string{"a", "b"}}} {
		signer, err := NewSigner("lumen.example", c.selectors, c.keys)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				_, err := signer.Sign(post)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
